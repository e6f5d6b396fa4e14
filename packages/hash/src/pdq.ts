// PDQ in plain TypeScript: the reference implementation, which the WebAssembly kernel must equal bit for bit.

import { HASH_BITS, HASH_BYTES, type Hash256, hashFromBytes } from './hash256.js'
import { checkPixels, type Pixels } from './pixels.js'
import { type Transform, transforms } from './transforms.js'

export interface PdqResult {
  readonly hash: Hash256
  /** 0…100: how much structure the picture has. The service does not register hashes under 50, and does not match those under 25. */
  readonly quality: number
  /** Hashes of the eight orientations, in the order of `transforms`; the first is `hash`. */
  readonly dihedrals: readonly Hash256[]
}

/** A picture with a shorter side gets the all-zero hash and quality 0. */
export const MIN_SIDE_PX = 5

/**
 * Hashes a picture as Meta's reference implementation does at full resolution.
 *
 * Every operation is float32 and in the reference's order: the rounding errors of the running sums are part of the hash.
 *
 * @throws {RangeError} when the sizes do not fit the data.
 * @see "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", Facebook, 2019.
 *
 * Cost: about 30 ns a pixel and 8 bytes of memory a pixel.
 */
export function pdq(pixels: Pixels): PdqResult {
  checkPixels(pixels)
  if (pixels.width < MIN_SIDE_PX || pixels.height < MIN_SIDE_PX) return flat()
  const samples = samplesOf(pixels)
  const coefficients = transform(samples)
  const dihedrals = transforms.map((orientation) => bitsOf(rotated(coefficients, orientation)))
  return { hash: dihedrals[0] ?? flat().hash, quality: qualityOf(samples), dihedrals }
}

/** @returns the 64 × 64 blurred samples that are hashed, row by row. Both sides must have at least `MIN_SIDE_PX`. */
export function samplesOf(pixels: Pixels): Float32Array {
  const { width, height } = pixels
  const luma = lumaOf(pixels)
  return decimate(width === SIDE && height === SIDE ? luma : blur(luma, width, height), width, height)
}

/** The cosine transform has the 16 lowest frequencies, without the constant one, over 64 samples. */
export const DCT_ROWS = 16
export const DCT_COLUMNS = 64

/**
 * The matrix of that transform, rounded to float32: row i, column j is at `64 i + j`. Every JavaScript engine computes the same table: engines may
 * differ in the last digits of a cosine, but no entry is so near to the middle of two float32 values that this changes its rounding (a test measures
 * the margin).
 */
export function dctMatrix(): Float32Array {
  const scale = Math.fround(Math.sqrt(2 / DCT_COLUMNS))
  return Float32Array.from({ length: DCT_ROWS * DCT_COLUMNS }, (_, k) => {
    const i = Math.floor(k / DCT_COLUMNS)
    const j = k % DCT_COLUMNS
    return scale * Math.cos((Math.PI / 2 / DCT_COLUMNS) * (i + 1) * (2 * j + 1))
  })
}

/** The result for a picture that is too small to hash. */
export function flat(): PdqResult {
  const hash = hashFromBytes(new Uint8Array(HASH_BYTES))
  return { hash, quality: 0, dihedrals: transforms.map(() => hash) }
}

/** @returns the pixel that sample `index` of 64 is taken from: the one at its centre. */
export function samplePosition(index: number, length: number): number {
  return Math.floor(((index + 0.5) * length) / SIDE)
}

/** The width in pixels of the moving average along a side. */
export function windowOf(length: number): number {
  return Math.floor((length + 2 * SIDE - 1) / (2 * SIDE))
}

const SIDE = 64
const PASSES = 2
const { fround } = Math
const RED = fround(0.299)
const GREEN = fround(0.587)
const BLUE = fround(0.114)
const matrix = dctMatrix()

function lumaOf({ data, width, height, channels }: Pixels): Float32Array {
  if (channels === 1) return Float32Array.from(data)
  const luma = new Float32Array(width * height)
  for (let i = 0, k = 0; i < luma.length; i++, k += channels) {
    const red = fround(RED * at(data, k))
    const green = fround(GREEN * at(data, k + 1))
    luma[i] = fround(fround(red + green) + fround(BLUE * at(data, k + 2)))
  }
  return luma
}

function blur(luma: Float32Array, width: number, height: number): Float32Array {
  const other = new Float32Array(luma.length)
  for (let pass = 0; pass < PASSES; pass++) {
    for (let y = 0; y < height; y++) average(luma, other, y * width, width, 1)
    for (let x = 0; x < width; x++) average(other, luma, x, height, width)
  }
  return luma
}

/** A moving average along one line. At both ends the window is cut off, and the sum is divided by the number of pixels left in it. */
function average(from: Float32Array, to: Float32Array, start: number, length: number, stride: number): void {
  const window = windowOf(length)
  const ahead = ((window + 2) >> 1) - 1
  let sum = 0
  let count = 0
  for (let entering = 0; entering < length + ahead; entering++) {
    if (entering < length) {
      sum = fround(sum + at(from, start + entering * stride))
      count++
    }
    if (entering >= window) {
      sum = fround(sum - at(from, start + (entering - window) * stride))
      count--
    }
    if (entering >= ahead) to[start + (entering - ahead) * stride] = sum / count
  }
}

function decimate(luma: Float32Array, width: number, height: number): Float32Array {
  return Float32Array.from({ length: SIDE * SIDE }, (_, k) => {
    const y = samplePosition(Math.floor(k / SIDE), height)
    return at(luma, y * width + samplePosition(k % SIDE, width))
  })
}

function qualityOf(samples: Float32Array): number {
  let total = 0
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const here = at(samples, y * SIDE + x)
      if (y + 1 < SIDE) total += steps(here, at(samples, (y + 1) * SIDE + x))
      if (x + 1 < SIDE) total += steps(here, at(samples, y * SIDE + x + 1))
    }
  }
  return Math.min(100, Math.floor(total / 90))
}

function steps(a: number, b: number): number {
  return Math.abs(Math.trunc(fround(fround(fround(a - b) * 100) / 255)))
}

function transform(samples: Float32Array): Float32Array {
  const half = new Float32Array(DCT_ROWS * DCT_COLUMNS)
  for (let i = 0; i < DCT_ROWS; i++) {
    for (let j = 0; j < DCT_COLUMNS; j++) {
      let sum = 0
      for (let k = 0; k < SIDE; k++) sum = fround(sum + fround(at(matrix, i * SIDE + k) * at(samples, k * SIDE + j)))
      half[i * DCT_COLUMNS + j] = sum
    }
  }
  const coefficients = new Float32Array(HASH_BITS)
  for (let i = 0; i < DCT_ROWS; i++) {
    for (let j = 0; j < DCT_ROWS; j++) {
      let sum = 0
      for (let k = 0; k < SIDE; k++) sum = fround(sum + fround(at(half, i * SIDE + k) * at(matrix, j * SIDE + k)))
      coefficients[i * DCT_ROWS + j] = sum
    }
  }
  return coefficients
}

/** Mirroring a picture negates the coefficients of odd frequency along that axis; row i holds frequency i + 1. */
function rotated(coefficients: Float32Array, { topBottom, leftRight, transposes }: Transform): Float32Array {
  const result = new Float32Array(HASH_BITS)
  for (let i = 0; i < DCT_ROWS; i++) {
    for (let j = 0; j < DCT_ROWS; j++) {
      const value = at(coefficients, i * DCT_ROWS + j)
      const negated = (topBottom && i % 2 === 0) !== (leftRight && j % 2 === 0)
      result[transposes ? j * DCT_ROWS + i : i * DCT_ROWS + j] = negated ? -value : value
    }
  }
  return result
}

/** A bit is set when its coefficient is above the lower median; ties give 0. */
function bitsOf(coefficients: Float32Array): Hash256 {
  const median = at(coefficients.toSorted(), HASH_BITS / 2 - 1)
  const bytes = new Uint8Array(HASH_BYTES)
  coefficients.forEach((value, k) => {
    if (value > median) bytes[k >> 3] = at(bytes, k >> 3) | (1 << (k & 7))
  })
  return hashFromBytes(bytes)
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? 0
}

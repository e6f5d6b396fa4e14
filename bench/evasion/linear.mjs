// Hashes as functions of a picture: each of the 256 coefficients that the bits of a hash are made of is linear in the luma of the hashed part.

import { SAMPLES_A_SIDE } from '../../dist/packages/hash/src/area-table.js'
import { HASH_BITS } from '../../dist/packages/hash/src/hash256.js'
import { DCT_ROWS, dctMatrix } from '../../dist/packages/hash/src/pdq.js'

/** A picture's luma, or a change of it, on so many cells a side. */
export const GRID = 128

const SAMPLES = SAMPLES_A_SIDE * SAMPLES_A_SIDE
const matrix = Float64Array.from(dctMatrix())

/** @returns which cells of the grid each of 64 × 64 samples of a part is the mean of. @param part in shares of the sides, or tilted. */
export function samplingOf(part, aspect) {
  return 'angleDeg' in part ? tilted(part, aspect) : upright(part)
}

function upright({ left, top, right, bottom }) {
  const [across, down] = [stretches(left, right), stretches(top, bottom)]
  return gathered((add) => {
    for (let k = 0; k < SAMPLES; k++)
      for (const [y, high] of down[Math.floor(k / SAMPLES_A_SIDE)])
        for (const [x, wide] of across[k % SAMPLES_A_SIDE]) add(k, y * GRID + x, high * wide)
  })
}

/** Along a side: the cells of each sample, with their shares. */
function stretches(from, to) {
  const length = ((to - from) * GRID) / SAMPLES_A_SIDE
  return Array.from({ length: SAMPLES_A_SIDE }, (_, i) => {
    const [start, end] = [from * GRID + i * length, from * GRID + (i + 1) * length]
    const cells = []
    for (let cell = Math.floor(start); cell < Math.min(GRID, Math.ceil(end)); cell++)
      cells.push([cell, (Math.min(end, cell + 1) - Math.max(start, cell)) / length])
    return cells
  })
}

/** As `sampleTilted` reads it, which has the same grid. */
function tilted({ width, height, angleDeg, centre = { x: 0.5, y: 0.5 } }, aspect) {
  const angle = (angleDeg * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const place = (share) => Math.max(0, Math.min(GRID - 1.000001, share * GRID - 0.5))
  return gathered((add) => {
    for (let i = 0; i < GRID; i++)
      for (let j = 0; j < GRID; j++) {
        const [across, down] = [((j + 0.5) / GRID - 0.5) * width, ((i + 0.5) / GRID - 0.5) * height]
        const x = place(centre.x + (cos * across - sin * down) / aspect)
        const y = place(centre.y + sin * across + cos * down)
        const [column, row] = [Math.floor(x), Math.floor(y)]
        const k = (i >> 1) * SAMPLES_A_SIDE + (j >> 1)
        for (const [dy, high] of [
          [0, 1 - y + row],
          [1, y - row],
        ])
          for (const [dx, wide] of [
            [0, 1 - x + column],
            [1, x - column],
          ])
            add(k, (row + dy) * GRID + column + dx, (high * wide) / 4)
      }
  })
}

/** Lists of samples, cells and weights. */
function gathered(fill) {
  const [samples, cells, weights] = [[], [], []]
  fill((sample, cell, weight) => {
    samples.push(sample)
    cells.push(cell)
    weights.push(weight)
  })
  return { samples: Uint16Array.from(samples), cells: Uint16Array.from(cells), weights: Float32Array.from(weights) }
}

/** @returns the 256 coefficients of a part of a grid. */
export function coefficientsOf({ samples, cells, weights }, grid) {
  const taken = new Float64Array(SAMPLES)
  for (let k = 0; k < cells.length; k++) taken[samples[k]] += weights[k] * grid[cells[k]]
  return transformed(taken)
}

/** @returns the coefficients of 64 × 64 samples. */
export function transformed(samples) {
  const half = new Float64Array(DCT_ROWS * SAMPLES_A_SIDE)
  for (let i = 0; i < DCT_ROWS; i++)
    for (let y = 0; y < SAMPLES_A_SIDE; y++) {
      const weight = matrix[i * SAMPLES_A_SIDE + y]
      for (let x = 0; x < SAMPLES_A_SIDE; x++) half[i * SAMPLES_A_SIDE + x] += weight * samples[y * SAMPLES_A_SIDE + x]
    }
  const found = new Float64Array(HASH_BITS)
  for (let i = 0; i < DCT_ROWS; i++)
    for (let j = 0; j < DCT_ROWS; j++) {
      let sum = 0
      for (let x = 0; x < SAMPLES_A_SIDE; x++) sum += half[i * SAMPLES_A_SIDE + x] * matrix[j * SAMPLES_A_SIDE + x]
      found[i * DCT_ROWS + j] = sum
    }
  return found
}

/** Adds to each cell what the coefficients that it takes part in ask for: the transpose of `coefficientsOf`. */
export function addBack({ samples, cells, weights }, slopes, into) {
  const half = new Float64Array(DCT_ROWS * SAMPLES_A_SIDE)
  for (let i = 0; i < DCT_ROWS; i++)
    for (let j = 0; j < DCT_ROWS; j++) {
      const slope = slopes[i * DCT_ROWS + j]
      if (slope === 0) continue
      for (let x = 0; x < SAMPLES_A_SIDE; x++) half[i * SAMPLES_A_SIDE + x] += slope * matrix[j * SAMPLES_A_SIDE + x]
    }
  const taken = new Float64Array(SAMPLES)
  for (let i = 0; i < DCT_ROWS; i++)
    for (let y = 0; y < SAMPLES_A_SIDE; y++) {
      const weight = matrix[i * SAMPLES_A_SIDE + y]
      for (let x = 0; x < SAMPLES_A_SIDE; x++) taken[y * SAMPLES_A_SIDE + x] += weight * half[i * SAMPLES_A_SIDE + x]
    }
  for (let k = 0; k < cells.length; k++) into[cells[k]] += weights[k] * taken[samples[k]]
}

/** The value that coefficients of set bits are above. */
export function medianOf(coefficients) {
  return Float64Array.from(coefficients).sort()[HASH_BITS / 2 - 1]
}

export function bitOf(hash, k) {
  return (hash[k >> 3] >> (k & 7)) & 1
}

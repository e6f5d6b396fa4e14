// Changes of a picture, and how visible they are.

import { cutOut } from '../../dist/packages/hash/src/pixels.js'
import { GRID } from './linear.mjs'

const LUMA = [0.299, 0.587, 0.114]
/** The smallest change of red, green and blue that changes luma by one level. */
const LEAST = LUMA.map((weight) => weight / LUMA.reduce((sum, each) => sum + each * each, 0))
const PEAK = 255

/**
 * @param grid [GRID × GRID] what is added to the luma, in levels; between cells it is interpolated.
 * @returns a copy in whole levels. What rounding leaves is carried to the next pixel, or a weak change would vanish.
 */
export function changed({ data, width, height, channels, aspect }, grid) {
  const copy = Buffer.from(data)
  const columns = Array.from({ length: width }, (_, x) => placeOf(x, width))
  for (let y = 0; y < height; y++) {
    const [row, below] = placeOf(y, height)
    const carried = [0, 0, 0]
    for (let x = 0; x < width; x++) {
      const [column, beside] = columns[x]
      const at = row * GRID + column
      const upper = grid[at] + beside * (grid[at + 1] - grid[at])
      const lower = grid[at + GRID] + beside * (grid[at + GRID + 1] - grid[at + GRID])
      const added = upper + below * (lower - upper)
      for (let c = 0, k = (y * width + x) * channels; c < 3; c++, k++) {
        const wanted = Math.max(0, Math.min(PEAK, data[k] + added * LEAST[c])) + carried[c]
        copy[k] = Math.max(0, Math.min(PEAK, Math.round(wanted)))
        carried[c] = wanted - copy[k]
      }
    }
  }
  return { data: copy, width, height, channels, aspect }
}

/** The cell whose centre is before a pixel's, and how far the pixel is beyond it. */
function placeOf(pixel, length) {
  const place = Math.max(0, Math.min(GRID - 1.000001, ((pixel + 0.5) * GRID) / length - 0.5))
  return [Math.floor(place), place - Math.floor(place)]
}

/**
 * @param shift [2][GRID × GRID] from where each place is taken, in shares of the sides to the right and below.
 * @returns the warped picture, read bilinearly.
 */
export function warped({ data, width, height, channels, aspect }, [right, below]) {
  const copy = Buffer.alloc(data.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const cell = Math.floor((y * GRID) / height) * GRID + Math.floor((x * GRID) / width)
      const fromX = Math.max(0, Math.min(width - 1.001, x + right[cell] * width))
      const fromY = Math.max(0, Math.min(height - 1.001, y + below[cell] * height))
      const [column, row] = [Math.floor(fromX), Math.floor(fromY)]
      const [dx, dy] = [fromX - column, fromY - row]
      for (let c = 0; c < channels; c++) {
        const at = (row * width + column) * channels + c
        const upper = data[at] * (1 - dx) + data[at + channels] * dx
        const lower = data[at + width * channels] * (1 - dx) + data[at + (width + 1) * channels] * dx
        copy[(y * width + x) * channels + c] = Math.round(upper * (1 - dy) + lower * dy)
      }
    }
  return { data: copy, width, height, channels, aspect }
}

/** @param sides shares cut off at the left, top, right and bottom. */
export function cropped(pixels, [left, top, right, bottom]) {
  const { width, height } = pixels
  const part = {
    left: Math.round(left * width),
    top: Math.round(top * height),
    right: width - Math.round(right * width),
    bottom: height - Math.round(bottom * height),
  }
  const cut = cutOut(pixels, part)
  return { ...cut, data: Buffer.from(cut.data.buffer), aspect: cut.width / cut.height }
}

/** Of red, green and blue, in dB. */
export function psnrOf({ data: one }, { data: other }) {
  let squares = 0
  for (let k = 0; k < one.length; k++) squares += (one[k] - other[k]) ** 2
  return 10 * Math.log10(PEAK ** 2 / (squares / one.length))
}

/** Of luma, with a Gaussian of 1.5 pixels, as Wang, Bovik, Sheikh and Simoncelli define it (2004). */
export function ssimOf(one, other) {
  const { width, height } = one
  const [a, b] = [lumaOf(one), lumaOf(other)]
  const mean = (values) => smoothed(values, width, height)
  const product = (p, q) => mean(p.map((value, k) => value * q[k]))
  const [meanA, meanB, aa, bb, ab] = [mean(a), mean(b), product(a, a), product(b, b), product(a, b)]
  const [c1, c2] = [(0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2]
  let sum = 0
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [meanA[k], meanB[k]]
    const structure = (2 * (ab[k] - x * y) + c2) / (aa[k] - x * x + bb[k] - y * y + c2)
    sum += ((2 * x * y + c1) / (x * x + y * y + c1)) * structure
  }
  return sum / a.length
}

/** [height × width], 0…255. */
function lumaOf({ data, width, height, channels }) {
  return Float64Array.from({ length: width * height }, (_, i) =>
    LUMA.reduce((sum, weight, c) => sum + weight * data[i * channels + c], 0),
  )
}

const REACH = 5
const GAUSSIAN = Array.from({ length: 2 * REACH + 1 }, (_, i) => Math.exp(-((i - REACH) ** 2) / (2 * 1.5 ** 2)))
const TOTAL = GAUSSIAN.reduce((sum, weight) => sum + weight, 0)

function smoothed(values, width, height) {
  const across = new Float64Array(values.length)
  const both = new Float64Array(values.length)
  const within = (place, length) => Math.max(0, Math.min(length - 1, place))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let i = -REACH; i <= REACH; i++)
        across[y * width + x] += (GAUSSIAN[i + REACH] / TOTAL) * values[y * width + within(x + i, width)]
  for (let y = 0; y < height; y++)
    for (let i = -REACH; i <= REACH; i++) {
      const [weight, from] = [GAUSSIAN[i + REACH] / TOTAL, within(y + i, height) * width]
      for (let x = 0; x < width; x++) both[y * width + x] += weight * across[from + x]
    }
  return both
}

// Averages the luma of any part of a picture. The cost does not depend on the size of the part.

import type { Raster } from './raster.js'
import type { Rectangle } from './rectangle.js'

export const SAMPLES_A_SIDE = 64

/** A summed-area table: for each pixel corner, the sum of luma left of and above it. [(height + 1) × (width + 1)], row by row. */
export interface AreaTable {
  readonly width: number
  readonly height: number
  readonly sums: Float64Array
}

export function areaTableOf({ width, height, luma }: Raster): AreaTable {
  const sums = new Float64Array((width + 1) * (height + 1))
  for (let y = 0; y < height; y++) {
    let line = 0
    const above = y * (width + 1)
    const here = above + width + 1
    for (let x = 0; x < width; x++) {
      line += luma[y * width + x] ?? 0
      sums[here + x + 1] = line + (sums[above + x + 1] ?? 0)
    }
  }
  return { width, height, sums }
}

/**
 * Samples a part of the picture in 64 × 64 equal cells, each the exact mean of its area. Pixels on the border of a cell count in proportion.
 * Within a pixel the sums are bilinear, so interpolating between corners is exact.
 *
 * @param into [64 × 64], row by row.
 * Cost: 4,225 interpolated sums, about 20 µs.
 */
export function sampleArea({ width, height, sums }: AreaTable, part: Rectangle, into: Float32Array): void {
  const stride = width + 1
  const across = (part.right - part.left) / SAMPLES_A_SIDE
  const down = (part.bottom - part.top) / SAMPLES_A_SIDE
  const scale = 1 / (across * down)
  for (let j = 0; j <= SAMPLES_A_SIDE; j++) {
    const x = part.left + j * across
    const column = Math.min(width - 1, Math.floor(x))
    columns[j] = column
    shares[j] = x - column
  }
  for (let i = 0; i <= SAMPLES_A_SIDE; i++) {
    const y = part.top + i * down
    const row = Math.min(height - 1, Math.floor(y))
    const share = y - row
    const at = row * stride
    let left = 0
    for (let j = 0; j <= SAMPLES_A_SIDE; j++) {
      const k = at + (columns[j] ?? 0)
      const right = shares[j] ?? 0
      const upper = (sums[k] ?? 0) * (1 - right) + (sums[k + 1] ?? 0) * right
      const lower = (sums[k + stride] ?? 0) * (1 - right) + (sums[k + stride + 1] ?? 0) * right
      const sum = upper * (1 - share) + lower * share
      if (i > 0 && j > 0)
        into[(i - 1) * SAMPLES_A_SIDE + j - 1] = (sum - left - (above[j] ?? 0) + (above[j - 1] ?? 0)) * scale
      // The next cell still needs `above[j − 1]`, so it is replaced one step late.
      if (j > 0) above[j - 1] = left
      left = sum
    }
    above[SAMPLES_A_SIDE] = left
  }
}

const columns = new Int32Array(SAMPLES_A_SIDE + 1)
const shares = new Float64Array(SAMPLES_A_SIDE + 1)
const above = new Float64Array(SAMPLES_A_SIDE + 1)

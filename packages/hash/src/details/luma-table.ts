// A summed-area table of luma at the resolution of the decoded picture.

import type { Pixels } from '../pixels.js'

/** For each pixel corner, the sum of luma (0…255 a pixel) left of and above it: [(height + 1) × (width + 1)], row by row. */
export interface LumaTable {
  readonly width: number
  readonly height: number
  readonly sums: Uint32Array
}

/** With more pixels of 255, sums would not fit into 31 bits. The kernel converts signed 32-bit numbers to float64 in one instruction. */
export const MAX_TABLE_PIXELS = 8_421_504

/** Weights of the colours in 256ths, so that each pixel's luma is computed in integers and rounded once. */
const RED = 77
const GREEN = 150
const BLUE = 29

/** @throws {RangeError} for more than `MAX_TABLE_PIXELS`: a caller's bug. */
export function lumaTableOf({ data, width, height, channels }: Pixels): LumaTable {
  if (width * height > MAX_TABLE_PIXELS) throw new RangeError('too many pixels for a table of 31 bits')
  const stride = width + 1
  const sums = new Uint32Array(stride * (height + 1))
  const [green, blue] = channels === 1 ? [0, 0] : [1, 2]
  for (let y = 0; y < height; y++) {
    let line = 0
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels
      line += (RED * (data[at] ?? 0) + GREEN * (data[at + green] ?? 0) + BLUE * (data[at + blue] ?? 0) + 128) >> 8
      sums[(y + 1) * stride + x + 1] = line + (sums[y * stride + x + 1] ?? 0)
    }
  }
  return { width, height, sums }
}

// A part of a picture at one size, smoothed. Corners are detected and described on it.

import type { Rectangle } from '../rectangle.js'
import type { LumaTable } from './luma-table.js'

export interface Level {
  readonly width: number
  readonly height: number
  /** [height × width] 0…255. */
  readonly luma: Uint8Array
}

/** Weights of a Gaussian with a standard deviation of 2 pixels, in 256ths. */
export const GAUSSIAN = [18, 34, 49, 54, 49, 34, 18] as const
const REACH = 3

/** Computes a level: each pixel is the mean of its area in the picture, then the level is smoothed. The kernel computes the same bits. */
export function levelOf(table: LumaTable, part: Rectangle, width: number, height: number): Level {
  return { width, height, luma: smoothed(sampled(table, part, width, height), width, height) }
}

/** Averages the areas. Within a pixel the sums of the table are bilinear, so interpolating between its corners is exact. */
function sampled(
  { width: tableWidth, height: tableHeight, sums }: LumaTable,
  part: Rectangle,
  width: number,
  height: number,
) {
  const across = (part.right - part.left) / width
  const down = (part.bottom - part.top) / height
  const scale = 1 / (across * down)
  const stride = tableWidth + 1
  const luma = new Uint8Array(width * height)
  let above = lineAt(part.top)
  for (let y = 0; y < height; y++) {
    const below = lineAt(part.top + (y + 1) * down)
    let left = sumAt(above, below, part.left)
    for (let x = 0; x < width; x++) {
      const right = sumAt(above, below, part.left + (x + 1) * across)
      luma[y * width + x] = Math.floor((right - left) * scale + 0.5)
      left = right
    }
    above = below
  }
  return luma

  function lineAt(y: number) {
    const row = Math.min(tableHeight - 1, Math.floor(y))
    return { at: row * stride, share: y - row }
  }

  function sumAt(upper: Line, lower: Line, x: number) {
    const column = Math.min(tableWidth - 1, Math.floor(x))
    const share = x - column
    return between(upper, lower, column) * (1 - share) + between(upper, lower, column + 1) * share
  }

  function between(upper: Line, lower: Line, column: number) {
    return read(lower, column) - read(upper, column)
  }

  function read({ at, share }: Line, column: number) {
    return (sums[at + column] ?? 0) * (1 - share) + (sums[at + stride + column] ?? 0) * share
  }
}

interface Line {
  readonly at: number
  readonly share: number
}

function smoothed(luma: Uint8Array, width: number, height: number): Uint8Array {
  const across = new Uint8Array(luma.length)
  const both = new Uint8Array(luma.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      across[y * width + x] = weighted((i) => luma[y * width + within(x + i, width)] ?? 0)
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      both[y * width + x] = weighted((i) => across[within(y + i, height) * width + x] ?? 0)
    }
  }
  return both
}

function weighted(at: (offset: number) => number): number {
  let sum = 128
  for (const [i, weight] of GAUSSIAN.entries()) sum += weight * at(i - REACH)
  return sum >> 8
}

function within(place: number, length: number): number {
  return Math.max(0, Math.min(length - 1, place))
}

// Finds corners: points whose surroundings change in every direction.

import type { Level } from './level.js'

export interface Corner {
  readonly x: number
  readonly y: number
  /** Harris's corner measure; higher is stronger. */
  readonly strength: number
}

/** Minimum distance of a corner from the edges of the level, so that its patch fits. */
export const BORDER_PX = 19
const WINDOW_REACH = 2
const MAXIMUM_REACH = 2
const TRACE_WEIGHT = Math.fround(0.04)
/** Above the strength of noise and JPEG artefacts on plain areas. In grey levels to the fourth power, scaled by the window and the difference. */
export const MIN_STRENGTH = 1e5

/**
 * @returns local maxima of Harris's measure, row by row.
 * @see Harris, Stephens, "A combined corner and edge detector", 1988.
 */
export function cornersOf({ width, height, luma }: Level): Corner[] {
  const strengths = new Float32Array(width * height)
  for (let y = BORDER_PX - MAXIMUM_REACH; y < height - BORDER_PX + MAXIMUM_REACH; y++) {
    for (let x = BORDER_PX - MAXIMUM_REACH; x < width - BORDER_PX + MAXIMUM_REACH; x++) {
      strengths[y * width + x] = strengthAt(luma, width, x, y)
    }
  }
  const corners: Corner[] = []
  for (let y = BORDER_PX; y < height - BORDER_PX; y++) {
    for (let x = BORDER_PX; x < width - BORDER_PX; x++) {
      const strength = strengths[y * width + x] ?? 0
      if (strength > MIN_STRENGTH && isMaximum(strengths, width, x, y)) corners.push({ x, y, strength })
    }
  }
  return corners
}

/** The sums are whole numbers under 2²⁴, so float32 is exact in any order of addition. */
function strengthAt(luma: Uint8Array, width: number, x: number, y: number): number {
  let [xx, yy, xy] = [0, 0, 0]
  for (let j = y - WINDOW_REACH; j <= y + WINDOW_REACH; j++) {
    for (let i = x - WINDOW_REACH; i <= x + WINDOW_REACH; i++) {
      const at = j * width + i
      const across = (luma[at + 1] ?? 0) - (luma[at - 1] ?? 0)
      const down = (luma[at + width] ?? 0) - (luma[at - width] ?? 0)
      xx += across * across
      yy += down * down
      xy += across * down
    }
  }
  const determinant = Math.fround(Math.fround(xx * yy) - Math.fround(xy * xy))
  const trace = Math.fround(xx + yy)
  return Math.fround(determinant - Math.fround(TRACE_WEIGHT * Math.fround(trace * trace)))
}

/** Of equal neighbours, the first in reading order is the maximum. */
function isMaximum(strengths: Float32Array, width: number, x: number, y: number): boolean {
  const own = strengths[y * width + x] ?? 0
  for (let j = -MAXIMUM_REACH; j <= MAXIMUM_REACH; j++) {
    for (let i = -MAXIMUM_REACH; i <= MAXIMUM_REACH; i++) {
      const other = strengths[(y + j) * width + x + i] ?? 0
      const isBefore = j < 0 || (j === 0 && i < 0)
      if (isBefore ? other >= own : other > own) return false
    }
  }
  return true
}

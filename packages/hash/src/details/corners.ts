// Finds corners: points around which the picture changes in every direction.

import type { Level } from './level.js'

export interface Corner {
  readonly x: number
  readonly y: number
  /** Harris's corner measure; higher is stronger. */
  readonly strength: number
}

/** Minimum distance of a corner from the edges of the level, so that its patch fits. */
export const BORDER_PX = 19
const WINDOW_REACH_PX = 2
const NEIGHBOUR_REACH_PX = 2
const TRACE_WEIGHT = Math.fround(0.04)
/** Minimum of Harris's measure, from unnormalised sums over 5 × 5 pixels [grey levels⁴]. Noise and JPEG artefacts on plain areas stay below it. */
export const MIN_STRENGTH = 1e5

/**
 * @returns local maxima of Harris's measure, row by row.
 * @see Harris, Stephens, "A combined corner and edge detector", 1988.
 */
export function cornersOf({ width, height, luma }: Level): Corner[] {
  const strengths = new Float32Array(width * height)
  for (let y = BORDER_PX - NEIGHBOUR_REACH_PX; y < height - BORDER_PX + NEIGHBOUR_REACH_PX; y++) {
    for (let x = BORDER_PX - NEIGHBOUR_REACH_PX; x < width - BORDER_PX + NEIGHBOUR_REACH_PX; x++) {
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

/**
 * Harris's measure at one pixel. Rounds to float32 in the same places as the SIMD kernel, so that both find the same corners. The sums are whole
 * numbers under 2²⁴, so they are exact in both.
 */
function strengthAt(luma: Uint8Array, width: number, x: number, y: number): number {
  let [xx, yy, xy] = [0, 0, 0]
  for (let j = y - WINDOW_REACH_PX; j <= y + WINDOW_REACH_PX; j++) {
    for (let i = x - WINDOW_REACH_PX; i <= x + WINDOW_REACH_PX; i++) {
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

/** Of equal neighbours only the first, row by row, is a maximum. Otherwise a plain edge would give many corners in one place. */
function isMaximum(strengths: Float32Array, width: number, x: number, y: number): boolean {
  const own = strengths[y * width + x] ?? 0
  for (let j = -NEIGHBOUR_REACH_PX; j <= NEIGHBOUR_REACH_PX; j++) {
    for (let i = -NEIGHBOUR_REACH_PX; i <= NEIGHBOUR_REACH_PX; i++) {
      const other = strengths[(y + j) * width + x + i] ?? 0
      const isBefore = j < 0 || (j === 0 && i < 0)
      if (isBefore ? other >= own : other > own) return false
    }
  }
  return true
}

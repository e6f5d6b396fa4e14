// A pyramid: the corners and patches of a picture at several sizes. The reference implementation, and its interface, which the kernel implements,
// too.

import type { Hash256 } from '../hash256.js'
import { checkPixels, type Pixels } from '../pixels.js'
import type { Rectangle } from '../rectangle.js'
import { type Corner, cornersOf } from './corners.js'
import { describedAt, momentsAt, ROTATED_PATTERN } from './describe.js'
import { type Level, levelOf } from './level.js'
import { lumaTableOf, MAX_TABLE_PIXELS } from './luma-table.js'

/** Number of levels. */
export const LEVELS = 6

export interface Pyramid {
  readonly width: number
  readonly height: number
  /** Reduces a part of the picture to this size and detects its corners. Keeps the result as level 0…5, replacing an earlier one. */
  corners(level: number, part: Rectangle, width: number, height: number): Corner[]
  /** First moments of the patch around a corner of a level. */
  moments(level: number, x: number, y: number): readonly [momentX: number, momentY: number]
  /** The descriptor of the patch around a corner, rotated by `angle`; or that of the mirrored patch. */
  describe(level: number, x: number, y: number, angle: number, isMirrored: boolean): Hash256
}

/** @throws {RangeError} when the sizes are out of range or do not fit the data: a caller's bug, never bad input. */
export function checkLuma(pixels: Pixels): void {
  checkPixels(pixels)
  if (pixels.width * pixels.height > MAX_TABLE_PIXELS) throw new RangeError('too many pixels for details')
}

/** The reference implementation. `DetailsKernel` computes the same bits in a twentieth of the time. */
export function pyramidOf(pixels: Pixels): Pyramid {
  checkLuma(pixels)
  const table = lumaTableOf(pixels)
  const levels: Level[] = []
  const levelAt = (level: number) => {
    const found = levels[level]
    if (found === undefined) throw new RangeError('no such level')
    return found
  }
  return {
    width: pixels.width,
    height: pixels.height,
    corners(level, part, width, height) {
      const made = levelOf(table, part, width, height)
      levels[level] = made
      return cornersOf(made)
    },
    moments: (level, x, y) => momentsAt(levelAt(level), x, y),
    describe: (level, x, y, angle, isMirrored) =>
      describedAt(levelAt(level), x, y, angle, isMirrored ? ROTATED_PATTERN.mirrored : ROTATED_PATTERN.plain),
  }
}

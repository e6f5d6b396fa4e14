// The details of a view: the strongest corners all over it, with what they look like.

import type { Hash256 } from '../hash256.js'
import type { Rectangle } from '../rectangle.js'
import { BORDER_PX, type Corner } from './corners.js'
import { angleOf } from './describe.js'
import { LEVELS, type Sight } from './sight.js'

/** Places are in pixels of the view at its largest level. */
export interface Feature {
  readonly x: number
  readonly y: number
  /** 0…5: how often the view was made smaller by `LEVEL_FACTOR` before the corner was found. */
  readonly level: number
  /** 0…63: which way the patch is heavier, in 64ths of a full turn, clockwise from the right. */
  readonly angle: number
  readonly hash: Hash256
  /** What it looks like in a mirror; for views that are asked about. */
  readonly mirrored: Hash256 | undefined
}

export interface FeatureView {
  readonly width: number
  readonly height: number
  readonly features: readonly Feature[]
}

/** A view of a picture that is asked about, and which part of the picture it shows, in parts of its sides, 0…1. */
export interface AskedView extends FeatureView {
  readonly part: Rectangle
}

export interface FeatureOptions {
  /** The longer side of the view's largest level; a part that has fewer pixels is not enlarged. */
  readonly sidePx: number
  readonly count: number
  readonly mirrors: boolean
  /** Width over height of the part as it is shown. */
  readonly aspect: number
}

export const LEVEL_FACTOR = 1.25
const CELLS = 6
/** Smaller levels have no room for corners that are far from their edges. */
export const MIN_SIDE_PX = 2 * BORDER_PX + 10

/**
 * Corners of six sizes, dealt out evenly: the strongest of each of 6 × 6 cells, then the second of each, and so on; a picture is
 * recognised by what is left of it, wherever that is.
 */
export function featuresOf(sight: Sight, part: Rectangle, { sidePx, count, mirrors, aspect }: FeatureOptions): FeatureView {
  const { width, height } = sizeOf(part, aspect, sidePx)
  const found: Found[] = []
  for (let level = 0; level < LEVELS; level++) {
    const factor = LEVEL_FACTOR ** level
    const [levelWidth, levelHeight] = [Math.round(width / factor), Math.round(height / factor)]
    if (Math.min(levelWidth, levelHeight) < MIN_SIDE_PX) break
    for (const corner of sight.corners(level, part, levelWidth, levelHeight)) {
      const x = ((corner.x + 0.5) * width) / levelWidth
      const y = ((corner.y + 0.5) * height) / levelHeight
      found.push({ level, corner, x, y })
    }
  }
  const features = spread(found, width, height, count).map(({ level, corner, x, y }) => {
    const angle = angleOf(...sight.moments(level, corner.x, corner.y))
    const hash = sight.describe(level, corner.x, corner.y, angle, false)
    const mirrored = mirrors ? sight.describe(level, corner.x, corner.y, angle, true) : undefined
    return { x, y, level, angle, hash, mirrored }
  })
  return { width, height, features }
}

interface Found {
  readonly level: number
  readonly corner: Corner
  readonly x: number
  readonly y: number
}

function sizeOf({ left, top, right, bottom }: Rectangle, aspect: number, sidePx: number) {
  // The pixels of a part may be narrower than they are high, where the decoder reduced its sides by themselves.
  const longest = Math.min(sidePx, Math.max(right - left, bottom - top))
  const width = aspect >= 1 ? longest : longest * aspect
  return { width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(width / aspect)) }
}

function spread(found: readonly Found[], width: number, height: number, count: number): Found[] {
  const cells: Found[][] = Array.from({ length: CELLS * CELLS }, () => [])
  for (const one of found) cells[cellOf(one, width, height)]?.push(one)
  for (const cell of cells) cell.sort((a, b) => b.corner.strength - a.corner.strength)
  const chosen: Found[] = []
  for (let rank = 0; chosen.length < count; rank++) {
    const round = cells.flatMap((cell) => cell[rank] ?? [])
    if (round.length === 0) break
    round.sort((a, b) => b.corner.strength - a.corner.strength)
    chosen.push(...round.slice(0, count - chosen.length))
  }
  return chosen
}

/** Of 6 × 6 cells of a view, row by row. */
export function cellOf({ x, y }: { readonly x: number; readonly y: number }, width: number, height: number): number {
  const column = Math.min(CELLS - 1, Math.floor((x * CELLS) / width))
  return Math.min(CELLS - 1, Math.floor((y * CELLS) / height)) * CELLS + column
}

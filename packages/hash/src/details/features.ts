// Computes the features of a view: its strongest corners, spread over the view, with their descriptors.

import type { Hash256 } from '../hash256.js'
import type { Rectangle } from '../rectangle.js'
import { BORDER_PX, type Corner } from './corners.js'
import { angleOf } from './describe.js'
import { LEVELS, type Pyramid } from './pyramid.js'

/** A corner with its descriptor. Coordinates are in pixels of the view's largest level. */
export interface Feature {
  readonly x: number
  readonly y: number
  /** 0…5: the level on which the corner was found. Each level is smaller than the one before by `LEVEL_FACTOR`. */
  readonly level: number
  /** 0…63: direction of the patch's intensity centroid, in 64ths of a full rotation, clockwise from the right. */
  readonly angle: number
  readonly hash: Hash256
  /** The descriptor of the mirrored patch. Only in views to query with. */
  readonly mirrored: Hash256 | undefined
}

export interface FeatureView {
  readonly width: number
  readonly height: number
  readonly features: readonly Feature[]
}

/** A view to query with, and the part of the picture that it shows, relative to the picture's sides, 0…1. */
export interface AskedView extends FeatureView {
  readonly part: Rectangle
}

export interface FeatureOptions {
  /** The longer side of the view's largest level. Smaller parts are not enlarged. */
  readonly sidePx: number
  /** Maximum number of features. */
  readonly count: number
  /** Whether to compute descriptors of the mirrored patches, too. */
  readonly mirrors: boolean
  /** Width over height of the part as it is shown. */
  readonly aspect: number
}

export const LEVEL_FACTOR = 1.25
const CELLS = 6
/** Levels smaller than this have no room for a corner and its patch. */
export const MIN_SIDE_PX = 2 * BORDER_PX + 10

/**
 * Detects corners on six levels and chooses at most `count` of them, spread over 6 × 6 cells: the strongest of each cell, then the second of each,
 * and so on. So every part of the picture that survives an edit keeps some features.
 */
export function featuresOf(
  pyramid: Pyramid,
  part: Rectangle,
  { sidePx, count, mirrors, aspect }: FeatureOptions,
): FeatureView {
  const { width, height } = sizeOf(part, aspect, sidePx)
  const found: Found[] = []
  for (let level = 0; level < LEVELS; level++) {
    const factor = LEVEL_FACTOR ** level
    const [levelWidth, levelHeight] = [Math.round(width / factor), Math.round(height / factor)]
    if (Math.min(levelWidth, levelHeight) < MIN_SIDE_PX) break
    for (const corner of pyramid.corners(level, part, levelWidth, levelHeight)) {
      const x = ((corner.x + 0.5) * width) / levelWidth
      const y = ((corner.y + 0.5) * height) / levelHeight
      found.push({ level, corner, x, y })
    }
  }
  const features = spread(found, width, height, count).map(({ level, corner, x, y }) => {
    const angle = angleOf(...pyramid.moments(level, corner.x, corner.y))
    const hash = pyramid.describe(level, corner.x, corner.y, angle, false)
    const mirrored = mirrors ? pyramid.describe(level, corner.x, corner.y, angle, true) : undefined
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
  // Pixels may not be square: the decoder reduces each side independently.
  const longest = Math.min(sidePx, Math.max(right - left, bottom - top))
  const width = aspect >= 1 ? longest : longest * aspect
  return { width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(width / aspect)) }
}

function spread(found: readonly Found[], width: number, height: number, count: number): Found[] {
  const cells: Found[][] = Array.from({ length: CELLS * CELLS }, () => [])
  for (const corner of found) cells[cellOf(corner, width, height)]?.push(corner)
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

/** @returns the cell of a point: 0…35, of 6 × 6 cells row by row. */
export function cellOf({ x, y }: { readonly x: number; readonly y: number }, width: number, height: number): number {
  const column = Math.min(CELLS - 1, Math.floor((x * CELLS) / width))
  return Math.min(CELLS - 1, Math.floor((y * CELLS) / height)) * CELLS + column
}

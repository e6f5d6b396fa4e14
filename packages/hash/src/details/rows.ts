// The details that are kept of a registered picture: a few that are searched for, and more that a candidate is verified by. Of each what
// that takes and no more, because places and turns lead back to the picture.

import type { Hash256 } from '../hash256.js'
import { ANGLES } from './describe.js'
import { type KeptView, PLACES, type PlacedFeature, STORED_ANGLES } from './kept.js'
import { LEVELS } from './sight.js'

/** Rows of one picture that are searched for. */
export const MAX_DETAIL_ROWS = 16
/** Points of one picture that a candidate is verified by. */
export const MAX_POINTS = 150

/** A detail that is searched for. A vote wants to know only roughly where it is. */
export interface DetailRow {
  /** 0…255: of 16 × 16 cells of the picture, row by row. */
  readonly place: number
  /** 0…127: its turn in 16ths × 8 + its level. */
  readonly pose: number
  readonly hash: Hash256
}

export interface DetailRows {
  /** Of the picture as it was looked at, in pixels: even numbers, 2…480. */
  readonly width: number
  readonly height: number
  readonly rows: readonly DetailRow[]
}

/** A detail that a candidate is verified by: neither turn nor size of the patch are needed for that, so they are not kept. */
export interface Point {
  /** 0…31, from the left. */
  readonly column: number
  /** 0…31, from the top. */
  readonly row: number
  readonly hash: Hash256
}

export interface Points {
  readonly width: number
  readonly height: number
  readonly points: readonly Point[]
}

/** Halves of pixels fit a byte: `REGISTERED_SIDE_PX` / 2. */
export const MAX_SIDE_HALVES = 240

/** Cells of the picture's width and height. */
const COARSE_PLACES = 16
const LEVEL_BITS = 3
const LEVEL_MASK = (1 << LEVEL_BITS) - 1

/** For rows that others made. */
export function isDetailRow({ place, pose }: DetailRow): boolean {
  return place < COARSE_PLACES ** 2 && pose >> LEVEL_BITS < STORED_ANGLES && (pose & LEVEL_MASK) < LEVELS
}

export function isPoint({ column, row }: Point): boolean {
  return column < PLACES && row < PLACES
}

export function rowsOf(view: KeptView): DetailRows {
  const rows = view.features.map(({ column, row, angle, level, hash }) => ({
    place: coarse(row) * COARSE_PLACES + coarse(column),
    pose: (angle << LEVEL_BITS) | level,
    hash,
  }))
  return { ...evenSizeOf(view), rows }
}

export function pointsOf(view: KeptView): Points {
  return { ...evenSizeOf(view), points: view.features.map(({ column, row, hash }) => ({ column, row, hash })) }
}

/** Where a row is, in pixels: in the middle of its cell. */
export function placedRow(
  { place, pose }: Omit<DetailRow, 'hash'>,
  { width, height }: Pick<DetailRows, 'width' | 'height'>,
): Omit<PlacedFeature, 'hash'> {
  return {
    x: (((place % COARSE_PLACES) + 0.5) * width) / COARSE_PLACES,
    y: ((Math.floor(place / COARSE_PLACES) + 0.5) * height) / COARSE_PLACES,
    angle: ((pose >> LEVEL_BITS) * ANGLES) / STORED_ANGLES,
    level: pose & LEVEL_MASK,
  }
}

function coarse(fine: number): number {
  return Math.floor((fine * COARSE_PLACES) / PLACES)
}

/** So that half of each fits a byte. */
function evenSizeOf({ width, height }: KeptView) {
  const even = (side: number) => Math.max(2, 2 * Math.round(side / 2))
  return { width: even(width), height: even(height) }
}

// The stored details of a registered picture: a few rows for the index, and more points to verify a candidate. Each has only the fields that are
// needed, because positions and angles help an attacker to reconstruct the picture.

import type { Hash256 } from '../hash256.js'
import { ANGLES } from './describe.js'
import { type KeptView, PLACES, type PlacedFeature, STORED_ANGLES } from './kept.js'
import { LEVELS } from './pyramid.js'

/** Maximum number of indexed rows of one picture. */
export const MAX_DETAIL_ROWS = 16
/** Maximum number of points of one picture. */
export const MAX_POINTS = 150

/** An indexed detail. Voting (`vote.ts`) needs only a rough position. */
export interface DetailRow {
  /** 0…255: the cell of 16 × 16, row by row. */
  readonly place: number
  /** 0…127: 8 × its angle (0…15) + its level (0…5). */
  readonly pose: number
  readonly hash: Hash256
}

export interface DetailRows {
  /** Size of the view in pixels: even numbers, 2…480. */
  readonly width: number
  readonly height: number
  readonly rows: readonly DetailRow[]
}

/** A detail to verify a candidate with (`verify.ts`). Verification needs neither angle nor level, so they are not stored. */
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

/** `REGISTERED_SIDE_PX` / 2. Half of a side is stored, because it fits into a byte. */
export const MAX_SIDE_HALVES = 240

/** Number of cells along each side. */
const COARSE_PLACES = 16
const LEVEL_BITS = 3
const LEVEL_MASK = (1 << LEVEL_BITS) - 1

/** Whether the numbers of a row that a client sent are within bounds. */
export function isDetailRow({ place, pose }: DetailRow): boolean {
  return place < COARSE_PLACES ** 2 && pose >> LEVEL_BITS < STORED_ANGLES && (pose & LEVEL_MASK) < LEVELS
}

/** The same for a point. */
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

/** Places a row at the centre of its cell, in pixels. */
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

/** Even sides, so that their halves are whole numbers and fit into bytes. */
function evenSizeOf({ width, height }: KeptView) {
  const even = (side: number) => Math.max(2, 2 * Math.round(side / 2))
  return { width: even(width), height: even(height) }
}

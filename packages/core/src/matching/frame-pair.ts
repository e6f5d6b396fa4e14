// Pairs of frames of two videos, and when two such pairs are evidence of the same video.

import { distance, type Hash256 } from '../../../hash/src/hash256.js'
import { EDGE_BITS } from './edges.js'
import { type Content, lineBits } from './evidence.js'
import { GRADES, type Grade } from './grade.js'

/** A frame of a query and a frame of a registered video that are near in one view. */
export interface FramePair {
  /** Moments in the two videos [ms]. */
  readonly askedMs: number
  readonly registeredMs: number
  /** Distance of the two views. */
  readonly bits: number
  /** Whether either view is partial (`isPartial` in `evidence.ts`). */
  readonly isPartial: boolean
  /** By how many bits a narrower radius of the bank or the caller is below `lineBits`. */
  readonly tighterBits: number
  /** Of the query view. */
  readonly content: Content
  /** Whether the query frame looks like a form. Two videos of different pages of one form are near in every frame and would make a line. */
  readonly isForm: boolean
  /** Index of the orientation in `transforms`. */
  readonly orientation: number
  /** Whether the query is on its side or upside down in that orientation. */
  readonly rotated: boolean
  /** The query view's hash. */
  readonly askedView: Hash256
  /** PDQ of the whole frames, unrotated; `undefined` if a frame came without. */
  readonly asked: Hash256 | undefined
  readonly registered: Hash256 | undefined
  /** The grade that the pair has as a pair of pictures; `undefined` if that is not enough for a match. */
  readonly grade: Exclude<Grade, 'review'> | undefined
}

/** Two frames, or two query views, are distinct if their hashes are at least this far apart, in bits. */
export const MIN_DISTINCT_BITS = 24

/** A pair is on a line if it deviates from it by at most this much registered time. */
export const TOLERANCE_MS = 1000

/**
 * Two pairs that make a line are at least `MIN_APART_MS` apart in both videos, because nearer frames are rarely independent. They are at most
 * `MAX_APART_MS` apart in the query. Without that limit, the number of chance lines would grow with the fourth power of the videos' length instead of
 * the square.
 */
export const MIN_APART_MS = 500
export const MAX_APART_MS = 30_000

/** Possible speeds of a line: registered time per query time. A video that is played backwards has exactly the speed `REVERSED`. */
export const SPEEDS = { slowest: 0.5, fastest: 2 } as const
export const REVERSED = -1

/** @returns by how many bits a pair is nearer than a line requires; negative if it is too far. `undefined` if it cannot be part of one. */
export function lineSurplusOf(pair: FramePair): number | undefined {
  if (pair.content !== 'full' || pair.rotated || pair.isForm) return undefined
  const surplus = lineBits(pair.isPartial) - pair.tighterBits - pair.bits
  return surplus < -EDGE_BITS ? undefined : surplus
}

/**
 * @returns whether two pairs are on one line. Their times have to be within `TOLERANCE_MS` of t′ = s·t + o, for a possible speed s and any offset o.
 *   Their query frames, registered frames and query views have to be distinct: a logo or a banner stays the same while the frames change. Their
 *   distances are not considered. Cost: below 1 µs.
 */
export function areInLine(one: FramePair, other: FramePair): boolean {
  if (one.orientation !== other.orientation) return false
  const sign = other.askedMs < one.askedMs ? -1 : 1
  const apartMs = sign * (other.askedMs - one.askedMs)
  const movedMs = sign * (other.registeredMs - one.registeredMs)
  if (apartMs < MIN_APART_MS || apartMs > MAX_APART_MS || Math.abs(movedMs) < MIN_APART_MS) return false
  const isForward =
    movedMs >= SPEEDS.slowest * apartMs - 2 * TOLERANCE_MS && movedMs <= SPEEDS.fastest * apartMs + 2 * TOLERANCE_MS
  const isReversed = Math.abs(movedMs - REVERSED * apartMs) <= 2 * TOLERANCE_MS
  if (!isForward && !isReversed) return false
  return (
    areDistinct(one.registered, other.registered) &&
    areDistinct(one.asked, other.asked) &&
    areDistinct(one.askedView, other.askedView)
  )
}

function areDistinct(one: Hash256 | undefined, other: Hash256 | undefined): boolean {
  if (one === undefined || other === undefined) return false
  return distance(one, other, MIN_DISTINCT_BITS - 1) >= MIN_DISTINCT_BITS
}

/** @returns the better of two grades. */
export function betterGrade<T extends Grade>(one: T, other: T): T {
  return GRADES.indexOf(one) <= GRADES.indexOf(other) ? one : other
}

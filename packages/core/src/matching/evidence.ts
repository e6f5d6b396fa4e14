// Decides which distance between two views is evidence of the same picture, and when a match needs two pairs of views.

import { diagonalBits } from '../../../hash/src/diagonal.js'
import type { Hash256 } from '../../../hash/src/hash256.js'
import type { HashedSignal } from './hashed-image.js'
import { VIEW_NAMES, type View } from './signal.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * Radii for `pdq-area`, in bits, inclusive.
 * - `alone`: one pair of views is enough for a match.
 * - `rotated`: the only match radius if the query matches on its side or upside down. Copies are posted as they are or mirrored, rarely rotated.
 * - `plain`, `symmetric`: replace `alone`, if narrower, for a query view with that content (`contentOf`).
 * - `match`: enough for a match together with a second, independent pair of views. The second pair may be as far as `corroboration`.
 * - `review`: the farthest distance that a person may want to review.
 *
 * `askedCrop` applies to query views of kind `crop`. Queries have crops for the windows of a long picture, or if a caller sends the crops of a
 * registration. They compare many more pairs of views, which gave nine times as many false matches. So such a crop must be as near as plain PDQ
 * requires.
 */
const REACHES = {
  usual: { alone: 42, rotated: 34, plain: 34, symmetric: 22, match: 52, review: 56, corroboration: 60 },
  askedCrop: { alone: 31, rotated: 31, plain: 31, symmetric: 22, match: 31, review: 50, corroboration: undefined },
} as const

/** Views that show only a part of a picture. A picture has many of them, so each has more chances of a false match. */
const PARTIAL: ReadonlySet<View> = new Set<View>(['piece', 'tilted'])

/** By how many bits a partial view must be nearer. */
const PARTIAL_BITS = 2

/**
 * A query view with a PDQ quality below this is `plain`: its hash is nearer to unrelated hashes than others are. Of 39 false pairs among 3.6 thousand
 * million, 7 had such a view. Of 3,433 edited copies, none was found only by such a view beyond the `plain` radius.
 */
const PLAIN_UNDER_QUALITY = 70

/**
 * A query view whose hash is nearer than this to its own flip along a diagonal is `symmetric`. Most bits of such a hash repeat another one: in the
 * extreme only 136 of the 256 are independent. So 22 bits between two such hashes are as unlikely by chance as 42 bits between others. One in 400
 * views of tuning photographs is symmetric. These were within 66 bits of other photographs ninety times as often as the rest. No edited copy was
 * found only by such a view beyond the `symmetric` radius (decision 0098).
 */
const SYMMETRIC_UNDER_BITS = 80

/** How much information a view's hash holds: `plain` views have little structure, `symmetric` ones repeat most of their bits. */
export type Content = 'full' | 'plain' | 'symmetric'

/** Content of a query view, judged by its quality and the first of its hashes. Cost: about 1 µs. */
export function contentOf({ quality, hashes: [hash] }: Pick<HashedSignal, 'quality' | 'hashes'>): Content {
  if (hash !== undefined && isSymmetric(hash)) return 'symmetric'
  return quality < PLAIN_UNDER_QUALITY ? 'plain' : 'full'
}

/** @returns whether the view with this hash looks like itself when flipped along a diagonal. Cost: about 1 µs. */
export function isSymmetric(hash: Hash256): boolean {
  return diagonalBits(hash) < SYMMETRIC_UNDER_BITS
}

/**
 * Two observations are independent if they have the same orientation and the hashes of the two query views are at least this far apart. Nearer views
 * show nearly the same content and make the same mistakes.
 */
export const MIN_INDEPENDENT_BITS = 72

/**
 * Limits for the sum of the distances of two independent observations. Up to `match` they are a match, if each is within its radius in `REACHES`.
 * Up to `strong` the match is strong. For the rates of false matches see docs/robustness.md.
 */
export const PAIR_SUM_BITS = { match: 112, strong: 88 } as const

/** Maximum distance of each pair of frames on a line (`frame-pair.ts`), in bits, inclusive. */
const LINE_BITS = 56

/** Which part of the query and which part of the registered picture two signals show. */
export interface ComparedViews {
  readonly asked: View
  readonly registered: View
  /** Whether the query was put on its side or upside down. */
  readonly rotated: boolean
  /** Of the query view. */
  readonly content: Content
  /** Set if the registered picture was given as hashes and no organisation vouches for it. Then its views may not be what they are called. */
  readonly isByHashes?: true | undefined
}

export type TwoViews = Pick<ComparedViews, 'asked' | 'registered' | 'isByHashes'>

export const WHOLE_VIEWS: ComparedViews = { asked: 'whole', registered: 'whole', rotated: false, content: 'full' }

/** @returns whether the match radius of this type depends on the query being rotated. */
export function dependsOnOrientation(type: SignalType): boolean {
  return type === 'pdq-area'
}

/** @returns whether the match radius of this type depends on the content of the query view (`contentOf`). */
export function dependsOnContent(type: SignalType): boolean {
  return type === 'pdq-area'
}

/** @returns the widest distance at which these views can be a match, in bits, inclusive. */
export function matchBits(type: SignalType, views: Omit<ComparedViews, 'content'>): number {
  if (type !== 'pdq-area') return SIGNAL_TYPES[type].thresholdBits
  return reachOf(views, views.rotated ? 'rotated' : 'match')
}

/** @returns the largest `matchBits` of a query view over all registered views. */
export function widestMatchBits(type: SignalType, asked: View, rotated: boolean): number {
  if (type !== 'pdq-area') return SIGNAL_TYPES[type].thresholdBits
  return Math.max(...VIEW_NAMES.map((registered) => matchBits(type, { asked, registered, rotated })))
}

/** @returns the largest `matchBits` of a registered view over all query views. */
export function widestAskedBits(type: SignalType, registered: View, rotated: boolean): number {
  return Math.max(...VIEW_NAMES.map((asked) => matchBits(type, { asked, registered, rotated })))
}

/** @returns the distance up to which these views are a match without corroboration, in bits, inclusive; negative if they always need it. */
export function aloneBits(type: SignalType, views: ComparedViews): number {
  if (type === 'pdq-area')
    return Math.min(reachOf(views, views.rotated ? 'rotated' : 'alone'), reachOf(views, REACH_OF_CONTENT[views.content]))
  return SIGNAL_TYPES[type].decidesAlone ? SIGNAL_TYPES[type].thresholdBits : NEVER_ALONE
}

const NEVER_ALONE = -1
const REACH_OF_CONTENT = { full: 'alone', plain: 'plain', symmetric: 'symmetric' } as const

/**
 * @returns the distance up to which agreement of another algorithm makes a match strong, in bits: for a type that may decide alone, the distance up
 *   to which it does; for others, their threshold.
 */
export function corroborableBits(type: SignalType, views: ComparedViews): number {
  return SIGNAL_TYPES[type].decidesAlone ? aloneBits(type, views) : SIGNAL_TYPES[type].thresholdBits
}

/** @returns the distance that counts for corroboration, larger for partial views; `undefined` if these views cannot corroborate at this distance. */
export function corroboratingBits(type: SignalType, views: TwoViews, distanceBits: number): number | undefined {
  if (type !== 'pdq-area') return undefined
  const { corroboration } = reachesOf(views)
  const bits = distanceBits + (isPartial(views) ? PARTIAL_BITS : 0)
  return corroboration !== undefined && bits <= corroboration ? bits : undefined
}

/** @returns how far to search for corroboration of a query view, in bits; `undefined` if the view cannot corroborate. */
export function maxCorroboratingBits(type: SignalType, asked: View): number | undefined {
  if (type !== 'pdq-area') return undefined
  const { corroboration } = reachesOf({ asked })
  return corroboration === undefined ? undefined : corroboration - (PARTIAL.has(asked) ? PARTIAL_BITS : 0)
}

/** @returns the maximum distance of each pair of frames on a line, in bits, inclusive. */
export function lineBits(isPartial: boolean): number {
  return LINE_BITS - (isPartial ? PARTIAL_BITS : 0)
}

/** @returns how far to search for pairs on a line, in bits; `undefined` if this query view cannot be part of one. */
export function widestLineBits(type: SignalType, asked: View, rotated: boolean): number | undefined {
  return type === 'pdq-area' && asked !== 'crop' && !rotated ? lineBits(PARTIAL.has(asked)) : undefined
}

/** @returns as `widestLineBits`, but of a registered view over all query views; −1 if no pair of frames is near by this type. */
export function widestAskedLineBits(type: SignalType, registered: View, rotated: boolean): number {
  const ofAsked = VIEW_NAMES.filter((asked) => widestLineBits(type, asked, rotated) !== undefined)
  return Math.max(NEVER_ALONE, ...ofAsked.map((asked) => lineBits(isPartial({ asked, registered }))))
}

/** @returns the widest distance that a person may want to review, in bits, inclusive. */
export function reviewBits(type: SignalType, views: TwoViews): number {
  return type === 'pdq-area' ? reachOf(views, 'review') : SIGNAL_TYPES[type].maxThresholdBits
}

function reachOf(views: TwoViews, reach: Exclude<keyof typeof REACHES.usual, 'corroboration'>): number {
  return reachesOf(views)[reach] - (isPartial(views) ? PARTIAL_BITS : 0)
}

function reachesOf({ asked }: Pick<TwoViews, 'asked'>) {
  return asked === 'crop' ? REACHES.askedCrop : REACHES.usual
}

/**
 * @returns whether both views are partial. Two pairs of such views have to be nearer than others (`corroborations.ts`). Different pictures may agree
 *   in two pieces: in the corners of the same mask, or in a button and a title of the same app.
 */
export function isPieceOnPiece(views: TwoViews): boolean {
  return PARTIAL.has(views.asked) && isPartialRow(views)
}

/** @returns whether either view shows only a part. Such a pair has to be nearer, because a picture has many partial views. */
export function isPartial(views: TwoViews): boolean {
  return PARTIAL.has(views.asked) || isPartialRow(views)
}

function isPartialRow({ registered, isByHashes }: TwoViews): boolean {
  return PARTIAL.has(registered) || (isByHashes === true && registered !== 'whole')
}

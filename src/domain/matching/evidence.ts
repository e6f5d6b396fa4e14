// How near is near enough: which distance between two views is evidence of the same picture, and when it takes two pairs of them.

import { diagonalBits } from '../../../packages/hash/src/diagonal.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { HashedSignal } from './hashed-image.js'
import { VIEW_NAMES, type View } from './signal.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * Of `pdq-area`, in bits, inclusive. `alone`: one pair of views is enough. `match`: a match when the two pictures are seen together in another
 * pair of views as well, which may lie as far as `witness`; unless the picture would have to be turned for it: copies are posted as they are or
 * mirrored, seldom on their side, so for a turned one only `turned` counts. `plain`, `symmetric`: one pair is enough up to this where what is asked
 * about is so (`contentOf`). `review`: how far a person may want to look.
 *
 * A crop is what is registered and never what `hashImage` asks about: who asks about a list of them tries many more pairs of views, and was
 * answered falsely nine times as often. So it has to be as near as PDQ.
 */
const REACHES = {
  usual: { alone: 42, rotated: 34, plain: 34, symmetric: 22, match: 52, review: 56, corroboration: 60 },
  askedCrop: { alone: 31, rotated: 31, plain: 31, symmetric: 22, match: 31, review: 50, corroboration: undefined },
} as const

/** Pieces and tilted parts show less of a picture, and there are more of them. */
const PARTIAL: ReadonlySet<View> = new Set<View>(['piece', 'tilted'])

/** What they have to be nearer than others for that. */
const PARTIAL_BITS = 2

/**
 * A view that is asked about and has less of PDQ's quality is plain: enough to be hashed, and its hash lies nearer to those of others. Seven of
 * 39 false pairs of 3.6 thousand million were of such views, and none of 3,433 edited copies was found by them alone beyond `plain`.
 */
const PLAIN_UNDER_QUALITY = 70

/**
 * A view that is asked about and lies nearer to itself flipped along a diagonal says half of what it says twice: 136 of its 256 bits are free, and 22
 * of these are as many as 42 of all. Of views of tuning photographs one in 400 is so, and these were near views of other photographs, within 66
 * bits, ninety times as often as all others; no edited copy was found by them alone beyond `symmetric` (decision 0098).
 */
const SYMMETRIC_UNDER_BITS = 80

/** How much a view has to say: enough, or little, or most of it twice. */
export type Content = 'full' | 'plain' | 'symmetric'

/** Of a view that is asked about, by the first of its hashes. Cost: some 1 µs. */
export function contentOf({ quality, hashes: [hash] }: Pick<HashedSignal, 'quality' | 'hashes'>): Content {
  if (hash !== undefined && isSymmetric(hash)) return 'symmetric'
  return quality < PLAIN_UNDER_QUALITY ? 'plain' : 'full'
}

/** Does a view with this hash look like itself when it is flipped along a diagonal? Cost: some 1 µs. */
export function isSymmetric(hash: Hash256): boolean {
  return diagonalBits(hash) < SYMMETRIC_UNDER_BITS
}

/**
 * Two pairs of views are two witnesses when the picture is turned the same way in both, and the views that are asked about are this far from
 * one another: those that show nearly the same see the same things, and err together.
 */
export const APART_BITS = 72

/**
 * The sum of the distances of two such witnesses, up to which they make a match, as far as `match` and `witness` let them; and up to which it
 * is strong: no pair of unrelated pictures was (docs/robustness.md).
 */
export const TOGETHER_BITS = { match: 112, strong: 88 } as const

/** Which part of the picture that was asked about, and which part of the registered one, two signals show. */
export interface ComparedViews {
  readonly asked: View
  readonly registered: View
  /** Was the first put on its side or upside down? */
  readonly rotated: boolean
  /** Of the first. */
  readonly content: Content
}

export type TwoViews = Pick<ComparedViews, 'asked' | 'registered'>

export const WHOLE_VIEWS: ComparedViews = { asked: 'whole', registered: 'whole', rotated: false, content: 'full' }

/** Does it count for matches of this type whether the picture had to be turned? */
export function dependsOnOrientation(type: SignalType): boolean {
  return type === 'pdq-area'
}

/** Does it count for matches of this type how much a view has to say (`contentOf`)? */
export function dependsOnContent(type: SignalType): boolean {
  return type === 'pdq-area'
}

/** The widest distance that may be a match. */
export function matchBits(type: SignalType, views: Omit<ComparedViews, 'content'>): number {
  if (type !== 'pdq-area') return SIGNAL_TYPES[type].thresholdBits
  return reachOf(views, views.rotated ? 'rotated' : 'match')
}

/** The widest of these for a view that is asked about. */
export function widestMatchBits(type: SignalType, asked: View, rotated: boolean): number {
  if (type !== 'pdq-area') return SIGNAL_TYPES[type].thresholdBits
  return Math.max(...VIEW_NAMES.map((registered) => matchBits(type, { asked, registered, rotated })))
}

/** The widest of these for a view that is registered. */
export function widestAskedBits(type: SignalType, registered: View, rotated: boolean): number {
  return Math.max(...VIEW_NAMES.map((asked) => matchBits(type, { asked, registered, rotated })))
}

/** Up to this distance a match needs no witness and no second algorithm; under 0 where it always needs one. */
export function aloneBits(type: SignalType, views: ComparedViews): number {
  if (type === 'pdq-area')
    return Math.min(reachOf(views, views.rotated ? 'rotated' : 'alone'), reachOf(views, REACH_OF_CONTENT[views.content]))
  return SIGNAL_TYPES[type].decidesAlone ? SIGNAL_TYPES[type].thresholdBits : NEVER_ALONE
}

const NEVER_ALONE = -1
const REACH_OF_CONTENT = { full: 'alone', plain: 'plain', symmetric: 'symmetric' } as const

/** Up to this distance another algorithm that agrees makes a match strong: as far as one of the two may speak alone. */
export function corroborableBits(type: SignalType, views: ComparedViews): number {
  return SIGNAL_TYPES[type].decidesAlone ? aloneBits(type, views) : SIGNAL_TYPES[type].thresholdBits
}

/** How far from one another two views are for a witness, where a part counts as farther than it is; `undefined` where they are none. */
export function corroboratingBits(type: SignalType, views: TwoViews, distanceBits: number): number | undefined {
  if (type !== 'pdq-area') return undefined
  const { corroboration } = reachesOf(views)
  const bits = distanceBits + (isPartial(views) ? PARTIAL_BITS : 0)
  return corroboration !== undefined && bits <= corroboration ? bits : undefined
}

/** How far to look for witnesses of a view that is asked about; `undefined` where it can be none. */
export function maxCorroboratingBits(type: SignalType, asked: View): number | undefined {
  if (type !== 'pdq-area') return undefined
  const { corroboration } = reachesOf({ asked })
  return corroboration === undefined ? undefined : corroboration - (PARTIAL.has(asked) ? PARTIAL_BITS : 0)
}

/** The widest distance at which a person may want to look. */
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
 * Do both views show less than the picture? Two pairs of such views are one witness: the corners of two pictures in the same mask, or a button and a
 * title of the same app, agree in several pieces where the pictures do not.
 */
export function isPieceOnPiece({ asked, registered }: TwoViews): boolean {
  return PARTIAL.has(asked) && PARTIAL.has(registered)
}

function isPartial({ asked, registered }: TwoViews): boolean {
  return PARTIAL.has(asked) || PARTIAL.has(registered)
}

// How near is near enough: which distance between two views is evidence of the same picture, and when it takes two pairs of them.

import { VIEW_NAMES, type View } from './signal.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * Of `pdq-area`, by the view asked about and the view registered, in bits, inclusive. `alone`: one pair of views is enough. `match`: a
 * match when another pair of views of the same two pictures is within `witness`, unless the picture would have to be turned for it:
 * copies are posted as they are or mirrored, seldom on their side, so for a turned one only `alone` counts. `review`: how far a
 * person may want to look.
 *
 * A copy is seen in several of its views; a chance is seen in one. Of 41 million pairs of edited copies and crops of unrelated
 * photographs none was a match; of 11.6 million with pictures made to be confused five were; and of all, one in 1.1 million had any
 * pair of views within `review`. How it was measured: docs/robustness.md.
 */
const REACHES = {
  plain: { alone: 42, match: 52, review: 56, witness: 60 },
  partial: { alone: 40, match: 50, review: 54, witness: 58 },
} as const

/** Pieces and tilted parts show less of a picture, and there are more of them. */
const PARTIAL: ReadonlySet<View> = new Set<View>(['piece', 'tilted'])

/** Pairs of views within `witnessBits` that make a match strong. */
export const WITNESSES = 2

/** Which part of the picture that was asked about, and which part of the registered one, two signals show. */
export interface ComparedViews {
  readonly asked: View
  readonly registered: View
  /** Was the first put on its side or upside down? */
  readonly turned: boolean
}

export type TwoViews = Pick<ComparedViews, 'asked' | 'registered'>

export const WHOLE_VIEWS: ComparedViews = { asked: 'whole', registered: 'whole', turned: false }

/** Does it count for matches of this type whether the picture had to be turned? */
export function dependsOnTurn(type: SignalType): boolean {
  return type === 'pdq-area'
}

/** The widest distance that may be a match. */
export function matchBits(type: SignalType, views: ComparedViews): number {
  if (type !== 'pdq-area') return SIGNAL_TYPES[type].thresholdBits
  return views.turned ? reachesOf(views).alone : reachesOf(views).match
}

/** The widest of these for a view that is asked about. */
export function widestMatchBits(type: SignalType, asked: View, turned: boolean): number {
  return Math.max(...VIEW_NAMES.map((registered) => matchBits(type, { asked, registered, turned })))
}

/** Up to this distance a match needs no witness and no second algorithm; under 0 where it always needs one. */
export function aloneBits(type: SignalType, views: ComparedViews): number {
  if (type === 'pdq-area') return reachesOf(views).alone
  return SIGNAL_TYPES[type].decidesAlone ? SIGNAL_TYPES[type].thresholdBits : NEVER_ALONE
}

const NEVER_ALONE = -1

/** Up to this distance a pair of views is a witness; `undefined` for types that have no views but the whole. */
export function witnessBits(type: SignalType, views: TwoViews): number | undefined {
  return type === 'pdq-area' ? reachesOf(views).witness : undefined
}

/** The widest of these for a view that is asked about. */
export function widestWitnessBits(asked: View): number {
  return PARTIAL.has(asked) ? REACHES.partial.witness : REACHES.plain.witness
}

/** The widest distance at which a person may want to look. */
export function reviewBits(type: SignalType, views: TwoViews): number {
  return type === 'pdq-area' ? reachesOf(views).review : SIGNAL_TYPES[type].maxThresholdBits
}

function reachesOf({ asked, registered }: TwoViews) {
  return PARTIAL.has(asked) || PARTIAL.has(registered) ? REACHES.partial : REACHES.plain
}

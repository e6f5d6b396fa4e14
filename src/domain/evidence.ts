// How near is near enough: which distance between two views is evidence of the same picture, and how strong. Measured, not felt.

import { VIEW_NAMES, type View } from './signal.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * Of `pdq-area`, by the view asked about and the view registered, in bits, inclusive. Of 22.7 million pairs of edited copies and unrelated
 * photographs, all views of both counted, one is within `near` and none within `strong`. The goals are a pair in 10⁸ and in 10⁹: how far they
 * are shown, and how it was measured, is in docs/robustness.md.
 */
const REACHES = {
  plain: { strong: 40, near: 46, review: 56 },
  partial: { strong: 38, near: 44, review: 54 },
} as const

/** Pieces and tilted parts show less of a picture, and there are more of them. */
const PARTIAL: ReadonlySet<View> = new Set<View>(['piece', 'tilted'])

/** Which part of the picture that was asked about, and which part of the registered one, two signals show. */
export interface ComparedViews {
  readonly asked: View
  readonly registered: View
}

export const WHOLE_VIEWS: ComparedViews = { asked: 'whole', registered: 'whole' }

/** The widest distance that is a match, and may be acted on. */
export function decisionBits(type: SignalType, views: ComparedViews): number {
  return type === 'pdq-area' ? reachesOf(views).near : SIGNAL_TYPES[type].thresholdBits
}

/** The widest of these for a view that is asked about. */
export function widestDecisionBits(type: SignalType, asked: View): number {
  return Math.max(...VIEW_NAMES.map((registered) => decisionBits(type, { asked, registered })))
}

/**
 * The widest distance at which one signal alone is strong evidence; `undefined` where it never is and a second algorithm has to
 * agree: whoever sends the hash of a whole picture may have it from a plain one, which nobody can see.
 */
export function strongBits(type: SignalType, views: ComparedViews): number | undefined {
  return type === 'pdq-area' ? reachesOf(views).strong : undefined
}

/** The widest distance at which a person may want to look. */
export function reviewBits(type: SignalType, views: ComparedViews): number {
  return type === 'pdq-area' ? reachesOf(views).review : SIGNAL_TYPES[type].maxThresholdBits
}

function reachesOf({ asked, registered }: ComparedViews) {
  return PARTIAL.has(asked) || PARTIAL.has(registered) ? REACHES.partial : REACHES.plain
}

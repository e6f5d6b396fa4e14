// Edges: distances at which an answer changes. A query tells its caller something about a stored hash only when it lies near one.

import { aloneThresholdOf, type Bank, thresholdOf } from '../organisations/bank.js'
import { type ComparedViews, reviewBits, TOGETHER_BITS } from './evidence.js'
import { BAND_EDGES_BITS, isExact } from './grade.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * A query counts when it is within so many bits of an edge, on either side. Whoever is at the edge cannot foretell the distance of a query to
 * within 2 bits, so nine tenths of the queries that tell him something are within these (`npm run bench:probing`).
 */
export const EDGE_BITS = 2

/**
 * outer: of whether there is a match, or how it is graded. inner: of what else is told of one, which can be told more coarsely at no loss:
 * its band, its view and how it is turned, its place among others.
 * alone: an outer one that many images have at once, or that is seldom exact, so it says nothing across images: of a veto, and of details.
 */
export type Edge = 'outer' | 'alone' | 'inner' | 'none'

export function isNearEdge(bits: number, edgeBits: number): boolean {
  return bits > edgeBits - EDGE_BITS && bits <= edgeBits + EDGE_BITS
}

/** Is a grade another one by a few bits? @param surplusBits by how many it is the surer one; under 0 it is not. */
export function isSurplusClose(surplusBits: number): boolean {
  return surplusBits >= -EDGE_BITS && surplusBits < EDGE_BITS
}

export interface Measured {
  readonly bank: Bank
  readonly type: SignalType
  readonly views: ComparedViews
  readonly distanceBits: number
  /** As in `MatchFacts`. */
  readonly togetherBits: number
  /** Is the second algorithm near the edge at which it agrees? */
  readonly isCorroborationClose: boolean
  /** The caller's own radius. */
  readonly thresholdBits: number | undefined
}

/** Of what an image was found by: the most telling edge that it is near to. Nothing is nearer than exact, so that has none. */
export function edgeOf(measured: Measured): Edge {
  const { bank, type, views, distanceBits, togetherBits, isCorroborationClose, thresholdBits } = measured
  if (isExact(type, distanceBits)) return 'none'
  const radii = [thresholdOf(bank, type, views)]
  if (thresholdBits !== undefined) radii.push(Math.min(thresholdBits, reviewBits(type, views)))
  if (togetherBits > TOGETHER_BITS.match - EDGE_BITS) radii.push(aloneThresholdOf(bank, type, views))
  if (radii.some((bits) => bits > 0 && isNearEdge(distanceBits, bits))) return 'outer'
  if (isCorroborationClose || Object.values(TOGETHER_BITS).some((bits) => isNearEdge(togetherBits, bits))) return 'outer'
  return BAND_EDGES_BITS.some((bits) => isNearEdge(distanceBits, bits)) ? 'inner' : 'none'
}

/** How much farther than `radiusBits` to search, so that a query just beyond it is seen as well. */
export function marginBits(type: SignalType, radiusBits: number): number {
  return radiusBits > 0 && SIGNAL_TYPES[type].decidesAlone ? EDGE_BITS : 0
}

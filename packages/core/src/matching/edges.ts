// Edges: distances at which an answer changes. A query reveals something about a stored hash only if its distance is near an edge.

import { type Bank, thresholdOf } from './bank.js'
import { type ComparedViews, reviewBits } from './evidence.js'
import { BAND_EDGES_BITS, isOfFile, nearAloneBits, strongBits } from './grade.js'
import type { Strictness } from './registry-size.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * A query counts as probing if its distance is this near an edge, on either side. An attacker cannot predict a distance better than to 2 bits, so
 * this covers nine tenths of the queries that reveal something (`node bench/archive/probing.mjs`).
 */
export const EDGE_BITS = 2

/**
 * - `outer`: decides whether there is a match, or its grade.
 * - `alone`: an outer edge that many images share or whose distance is imprecise, such as that of the allowlist or of details. Queries near it count
 *   for the image only, not for an organisation's probing across images.
 * - `inner`: changes only other reported facts of a match: its distance band, view, orientation or rank. They can be reported more coarsely without
 *   losing the match.
 */
export type Edge = 'outer' | 'alone' | 'inner' | 'none'

/** @returns whether a distance is within `EDGE_BITS` of an edge. */
export function isNearEdge(bits: number, edgeBits: number): boolean {
  return bits > edgeBits - EDGE_BITS && bits <= edgeBits + EDGE_BITS
}

/**
 * Whether a few bits could change the grade.
 * @param surplusBits by how many bits the distance is within the stricter grade; negative if it is not.
 */
export function isSurplusClose(surplusBits: number): boolean {
  return surplusBits >= -EDGE_BITS && surplusBits < EDGE_BITS
}

export interface Measured {
  readonly bank: Bank
  readonly type: SignalType
  readonly views: ComparedViews
  readonly distanceBits: number
  /** These three: as in `MatchFacts`. */
  readonly togetherBits: number
  readonly nearTogetherBits: number
  readonly strictness: Strictness
  /** Whether the second algorithm is near the distance at which it starts to agree. */
  readonly isCorroborationClose: boolean
  /** The radius that the caller asked for, in bits. */
  readonly thresholdBits: number | undefined
}

/** @returns the most revealing edge that this distance is near to. An equal hash of a file has none. */
export function edgeOf(measured: Measured): Edge {
  const {
    bank,
    type,
    views,
    distanceBits,
    togetherBits,
    nearTogetherBits,
    isCorroborationClose,
    thresholdBits,
    strictness,
  } = measured
  if (isOfFile(type)) return 'none'
  const radii = [thresholdOf(bank, type, views)]
  if (thresholdBits !== undefined) radii.push(Math.min(thresholdBits, reviewBits(type, views)))
  const sums = strictness.pairSumBits
  if (nearTogetherBits > sums.match - EDGE_BITS) radii.push(nearAloneBits(bank, type, views, strictness))
  if (strictness.tighter.strong > 0) radii.push(strongBits(type, views, strictness))
  if (radii.some((bits) => bits > 0 && isNearEdge(distanceBits, bits))) return 'outer'
  const isAtSum = isNearEdge(togetherBits, sums.strong) || isNearEdge(nearTogetherBits, sums.match)
  if (isCorroborationClose || isAtSum) return 'outer'
  return BAND_EDGES_BITS.some((bits) => isNearEdge(distanceBits, bits)) ? 'inner' : 'none'
}

/** @returns how many bits beyond `radiusBits` to search, so that queries just outside it are noticed too. */
export function marginBits(type: SignalType, radiusBits: number): number {
  return radiusBits > 0 && SIGNAL_TYPES[type].decidesAlone ? EDGE_BITS : 0
}

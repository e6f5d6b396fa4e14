// Compares two hashes of one type, as HMA does.

import { distance, type Hash256 } from '../../../packages/hash/src/hash256.js'
import type { VpdqVideo } from '../../exchange/vpdq.js'
import { type GivenHash, VIDEO_MD5, VPDQ } from './hma-signals.js'
import { HmaRefusal } from './refusals.js'

/** Whether the hashes match, and their distance. File hashes have no distance. */
export type Comparison = [
  boolean,
  { distance: number } | { query_match_percent: number; compared_match_percent: number } | object,
]

/** HMA has one threshold for all banks. */
const WITHIN_BITS = 31
/** vPDQ's threshold: the share of the first video's frames that the second has. */
const MATCH_PERCENT = 80
/** Bounds the time of a comparison: a pair takes some 30 ns. */
const MAX_PAIRS = 250_000

/** @param one has the same type as `other`. @throws {HmaRefusal} if the videos have too many frames */
export function compared(one: GivenHash | undefined, other: GivenHash | undefined): Comparison {
  if (one?.type === VPDQ && other?.type === VPDQ) return comparedFrames(one.video, other.video)
  if (one === undefined || other === undefined || one.type === VPDQ || other.type === VPDQ)
    throw new Error('two hashes of one type are compared')
  const bits = distance(one.hash, other.hash)
  return one.type === VIDEO_MD5 ? [bits === 0, {}] : [bits <= WITHIN_BITS, { distance: bits }]
}

function comparedFrames(one: VpdqVideo, other: VpdqVideo): Comparison {
  if (one.signals.length * other.signals.length > MAX_PAIRS)
    throw new HmaRefusal(400, 'Invalid vpdq hash: too many frames to compare')
  const query = percentIn(one, other)
  return [query >= MATCH_PERCENT, { query_match_percent: query, compared_match_percent: percentIn(other, one) }]
}

/** The percentage of this video's frames that match a frame of `other`. */
function percentIn({ signals }: VpdqVideo, other: VpdqVideo): number {
  const isThere = (hash: Hash256) => other.signals.some((each) => distance(hash, each.hash, WITHIN_BITS) <= WITHIN_BITS)
  return (100 * signals.filter(({ hash }) => isThere(hash)).length) / signals.length
}

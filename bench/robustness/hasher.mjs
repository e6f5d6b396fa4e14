// All that this benchmark knows of how Tabir hashes and decides.

import { CASES_BANK } from '../../dist/packages/core/src/matching/bank.js'
import { Corroborations } from '../../dist/packages/core/src/matching/corroborations.js'
import { contentOf, matchBits, PAIR_SUM_BITS, widestMatchBits } from '../../dist/packages/core/src/matching/evidence.js'
import { gradeOf } from '../../dist/packages/core/src/matching/grade.js'
import { PER_PAIR } from '../../dist/packages/core/src/matching/registry-size.js'
import { SIGNAL_TYPES } from '../../dist/packages/core/src/matching/signal-types.js'
import { loadImageHasherSync } from '../../dist/packages/hash/src/image-hasher.js'
import { orientationGroupsOf } from '../../dist/src/services/matching/orientations.js'
import { decode } from '../../dist/workers/media/decode.js'

export { Corroborations, contentOf, decode, matchBits, orientationGroupsOf, PAIR_SUM_BITS }

const hasher = loadImageHasherSync()

/** @returns the signals of a picture that somebody wants found: `{ type, view, quality, hashes }`, the first hash as it is. */
export function registered(pixels) {
  return hasher.hash(pixels, 'register', pixels.aspect).signals
}

/** The same for a query; `hashes` has those of all orientations. */
export function asked(pixels) {
  return hasher.hash(pixels, 'query', pixels.aspect).signals
}

/** Does the service refuse to register a picture with these signals, because it is too plain? */
export function isTooPlain([whole]) {
  return whole.quality < SIGNAL_TYPES.pdq.minQuality
}

/** Whether the service refuses it as a query. */
export function isTooPlainToAsk([whole]) {
  return whole.quality < SIGNAL_TYPES.pdq.minAskedQuality
}

/**
 * May a match of these views be acted on without anybody looking? `togetherBits` is of the nearest two corroborating views of the two pictures.
 * @param strictness of the grades; as usual if left out.
 */
export function isDecided({ type: signalType, query, ...kind }, distanceBits, togetherBits, strictness = PER_PAIR) {
  const views = { asked: query, ...kind }
  const together = { togetherBits, nearTogetherBits: togetherBits }
  return (
    gradeOf({ bank: CASES_BANK, signalType, views, distanceBits, corroborated: false, ...together, strictness }) !== 'review'
  )
}

/** The radius within which the service searches for a view. */
export function searchBits(type, query, rotated) {
  return widestMatchBits(type, query, rotated)
}

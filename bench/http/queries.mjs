// The queries, the same in every process: every other one is a changed copy of a row, 5 to 25 bits away from it; the others are near no row. With
// transforms, a copy is rotated or mirrored as well.

import { formatHash, HASH_BITS, hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { rotated } from '../../dist/src/services/matching/orientations.js'
import { openCorpus } from '../search/corpora.mjs'
import { below, sfc32 } from '../search/random.mjs'
import { rowOf } from '../search/rows.mjs'

const SEED = 31_337
const FEWEST_BITS = 5
const MAX_BITS = 25

/** The empty route's result for every copy. */
export const PREPARED_BITS = 17

/**
 * @typedef {object} Query
 * @property {import('../../dist/packages/hash/src/hash256.js').Hash256} hash
 * @property {number} [distanceBits] how far the one row is that must be found; none must be where it is left out
 */

/** @returns {Query[]} the first `count` queries over the uniform corpus of so many rows. */
export function makeQueries(rows, count, transforms) {
  const corpus = openCorpus('uniform', rows)
  const next = sfc32(SEED, transforms ? 1 : 0)
  return Array.from({ length: count }, (_, i) => {
    const planted = i % 2 === 0
    for (;;) {
      const distanceBits = FEWEST_BITS + below(next, MAX_BITS - FEWEST_BITS + 1)
      const copy = planted
        ? flipped(bytesOf(rowOf(corpus, below(next, rows))), distanceBits, next)
        : bytesOf(corpus.foreign(next))
      const hash = planted && transforms ? rotated('pdq', 'whole', copy)[below(next, 8)] : copy
      if (isMarked(hash) === planted) return planted ? { hash, distanceBits } : { hash }
    }
  })
}

/** Exactly the copies. With it the empty route knows the answer without a search. */
export function isMarked(hash) {
  return (hash[0] & 1) === 0
}

/** A hash that is near no row of the corpus, nor near another of these. */
export function strangerOf(number) {
  return bytesOf(Uint32Array.from({ length: 8 }, sfc32(SEED + 1, number)))
}

export function matchBody(queries, transforms) {
  return JSON.stringify({
    queries: queries.map(({ hash }) => ({ signals: [{ type: 'pdq', hash: formatHash(hash) }] })),
    transforms,
  })
}

/** Whether an api answered that it cannot answer now, for example because its replica is stale. */
export function isRefusal(status) {
  return status === 503
}

/** Whether the result is right, by its distance. No row is that near by chance. */
export function isRight(result, { distanceBits }, preparedBits) {
  const matches = result?.matches
  if (matches === undefined) return false
  if (distanceBits === undefined) return matches.length === 0
  return matches.length === 1 && matches[0].distanceBits === (preparedBits ?? distanceBits)
}

/** The same check on the bytes of an answer to a single query, without parsing them. */
export function isRightAnswer({ status, body }, { distanceBits }, preparedBits) {
  if (status !== 200) return false
  const at = body.indexOf(DISTANCE)
  if (distanceBits === undefined) return at < 0 && body.includes(NO_MATCH)
  if (at < 0 || body.indexOf(DISTANCE, at + DISTANCE.length) >= 0) return false
  return (
    Number.parseInt(body.latin1Slice(at + DISTANCE.length, at + DISTANCE.length + 3), 10) === (preparedBits ?? distanceBits)
  )
}

const DISTANCE = Buffer.from('"distanceBits":')
const NO_MATCH = Buffer.from('"matches":[]')

function flipped(hash, count, next) {
  const places = new Set()
  while (places.size < count) places.add(below(next, HASH_BITS))
  for (const place of places) hash[place >>> 3] ^= 1 << (place & 7)
  return hash
}

function bytesOf(words) {
  return hashFromBytes(new Uint8Array(words.buffer, words.byteOffset, 32))
}

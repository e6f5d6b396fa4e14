// The queries. Every other one has a planted needle: a row with as many bits changed as the threshold, or one or two more or fewer. All other needles are of
// the same kind as the corpus and of no row of it.

import { distance, HASH_BITS, HASH_BYTES, hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { below, sfc32 } from './random.mjs'
import { imageOf, rowOf, viewOf } from './rows.mjs'

const SEED = 77_001
const AROUND_BITS = 2
const GROUPS = 16

/**
 * @typedef {object} Query
 * @property {Uint8Array[]} needles
 * @property {{image: number, view: number, distanceBits: number}} [planted] the row that one of the needles was made from,
 * and how far it is from the nearest of them: a hit if that is within the threshold, and otherwise none
 */

/** @returns {Query[]} */
export function makeQueries(corpus, count, needleCount, thresholdBits) {
  const next = sfc32(SEED, thresholdBits)
  return Array.from({ length: count }, (_, i) => {
    const needles = Array.from({ length: needleCount }, () => hashOf(corpus.foreign(next)))
    if (i % 2 === 1) return { needles }
    const row = below(next, corpus.rows)
    const hash = hashOf(rowOf(corpus, row))
    const flips = Math.min(HASH_BITS, Math.max(0, thresholdBits - AROUND_BITS + below(next, 2 * AROUND_BITS + 1)))
    needles[below(next, needleCount)] = flipped(hash, flips, i % 4 === 0, next)
    const distanceBits = Math.min(...needles.map((needle) => distance(needle, hash)))
    return { needles, planted: { image: imageOf(row), view: viewOf(row), distanceBits } }
  })
}

/** @returns whether a planted row was found just when it should be, at its distance; true for a query without one. */
export function foundAsPlanted({ planted }, hits, thresholdBits) {
  if (planted === undefined) return true
  const hit = hits.find(({ image, view }) => image === planted.image && view === planted.view)
  return planted.distanceBits <= thresholdBits ? hit?.distanceBits === planted.distanceBits : hit === undefined
}

/** Flips bits anywhere, or dealt evenly to groups of 16, which is what an index that looks up such groups misses first. */
function flipped(hash, count, dealt, next) {
  const bits = shuffled(HASH_BITS, next)
  if (dealt) {
    const used = new Uint8Array(GROUPS)
    const rankOf = new Map(bits.map((bit) => [bit, used[bit % GROUPS]++]))
    bits.sort((a, b) => rankOf.get(a) - rankOf.get(b)) // stable: among bits of one rank, the groups stay shuffled
  }
  const copy = hashFromBytes(hash)
  for (const place of bits.slice(0, count)) {
    const bit = dealt ? (place % GROUPS) * (HASH_BITS / GROUPS) + Math.floor(place / GROUPS) : place
    copy[bit >>> 3] ^= 1 << (bit & 7)
  }
  return copy
}

function shuffled(count, next) {
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const other = below(next, i + 1)
    ;[order[i], order[other]] = [order[other], order[i]]
  }
  return order
}

function hashOf(words) {
  return hashFromBytes(new Uint8Array(words.buffer, words.byteOffset, HASH_BYTES))
}

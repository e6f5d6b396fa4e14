// Which registered pictures a query must match, by comparing its hashes with every row: no index, no matcher.

import { viewOf } from '../../dist/packages/core/src/matching/signal.js'
import { SIGNAL_TYPES, signalTypeOf } from '../../dist/packages/core/src/matching/signal-types.js'
import { HASH_BYTES } from '../../dist/packages/hash/src/hash256.js'
import { orientationGroupsOf, searchBits } from '../robustness/hasher.mjs'
import { Cells, References } from '../robustness/references.mjs'
import { isFound } from '../robustness/tally.mjs'
import { eachBatch } from './registry.mjs'
import { ROW_BYTES } from './view-sets.mjs'

const WORDS = HASH_BYTES / 4

/**
 * @param known `{ name, registered }` of the pictures that were added to the view sets.
 * @returns how many of the first `pictures` view sets match, and the names of the known pictures that do.
 */
export function expected(signals, paths, pictures, known) {
  const needles = needlesOf(signals)
  let [matches, left] = [0, pictures]
  for (const path of paths) {
    if (left <= 0) break
    eachBatch(path, (batch) => {
      for (const bytes of batch.slice(0, left)) if (isNear(bytes, needles) && isMatch(signals, rowsOf(bytes))) matches++
      left -= batch.length
      return left > 0
    })
  }
  return { matches, names: known.filter(({ registered }) => isMatch(signals, registered)).map(({ name }) => name) }
}

/** By the rules of evidence, from all pairs of rows. */
function isMatch(signals, rows) {
  const cells = new Cells()
  const references = new References(cells)
  references.add(rows)
  return isFound(references.nearest(signals).get(0), cells)
}

/** Whether any row is within the radius of any needle. Only then are the rules applied. */
function isNear(bytes, needles) {
  const row = new Uint32Array(WORDS)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    for (let word = 0; word < WORDS; word++) row[word] = view.getUint32(at + 2 + 4 * word, true)
    for (const { words, bits } of needles.get(bytes[at]) ?? []) if (isWithin(row, words, bits)) return true
  }
  return false
}

function isWithin(row, words, most) {
  let bits = 0
  for (let word = 0; word < WORDS; word++) {
    bits += popcount(row[word] ^ words[word])
    if (bits > most) return false
  }
  return true
}

function popcount(word) {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function needlesOf(signals) {
  const needles = new Map()
  for (const { type, view, quality, hashes } of signals) {
    const { code } = SIGNAL_TYPES[type]
    for (const { rotated, hashes: own } of orientationGroupsOf({ type, view, quality, hashes })) {
      const bits = searchBits(type, view, rotated)
      for (const hash of own) {
        const words = new Uint32Array(Uint8Array.from(hash).buffer)
        needles.set(code, [...(needles.get(code) ?? []), { words, bits }])
      }
    }
  }
  return needles
}

function rowsOf(bytes) {
  const rows = []
  for (let at = 0; at < bytes.length; at += ROW_BYTES)
    rows.push({
      type: signalTypeOf(bytes[at]),
      view: viewOf(bytes[at + 1]),
      hashes: [Uint8Array.from(bytes.subarray(at + 2, at + ROW_BYTES))],
    })
  return rows
}

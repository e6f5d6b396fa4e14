// Checks that the index finds what a loop over all rows finds.

import { DETAIL_BITS } from '../../dist/packages/core/src/matching/signal-types.js'
import { MAX_DETAIL_ROWS } from '../../dist/packages/hash/src/details/rows.js'
import { bitsBelow, wordsOf } from '../../dist/packages/hash/src/details/words.js'
import { hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { progress } from '../report.mjs'
import { CHUNK_ROWS, ROW_WORDS } from '../search/corpora.mjs'
import { rowOf } from '../search/rows.mjs'

const PLANTED_BITS = [0, 12, 23, 24, 25]

/**
 * Needles of queries, and such as lie a few bits from rows of the index.
 * @returns how many needles had another answer. Rows of photographs, which were added last, are not looked at.
 */
export function wrongAnswers({ catalogue, permutation, corpus }, asked, count) {
  const plain = [...queried(asked, count), ...planted(corpus, count)]
  const right = plain.map(() => [])
  const needles = wordsOf(plain)
  const words = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
  const draw = progress('checking', corpus.rows)
  for (let first = 0; first < corpus.rows; first += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, corpus.rows - first)
    corpus.fill(words, first, rows)
    const own = new Int32Array(words.buffer)
    for (let row = 0; row < rows; row++) {
      for (let needle = 0; needle < plain.length; needle++) {
        const bits = bitsBelow(DETAIL_BITS + 1, own, row, needles, needle)
        if (bits <= DETAIL_BITS) right[needle].push(keyOf(first + row, bits))
      }
    }
    draw(first + rows)
  }
  return plain.filter((needle, i) => {
    const hits = catalogue.index('detail').within([permutation.hash(needle)], DETAIL_BITS)
    const found = hits
      .map(({ image, view, distanceBits }) => keyOf(image * MAX_DETAIL_ROWS + view, distanceBits))
      .filter((key) => key < keyOf(corpus.rows, 0))
    return String(found.sort(ascending)) !== String(right[i].sort(ascending))
  }).length
}

function keyOf(row, bits) {
  return row * 32 + bits
}

function ascending(a, b) {
  return a - b
}

function queried(asked, count) {
  const all = asked.flatMap(({ views }) => views.flatMap(({ features }) => features.map(({ hash }) => hash)))
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)])
}

function planted(corpus, count) {
  return Array.from({ length: count }, (_, i) => {
    const hash = hashFromBytes(new Uint8Array(rowOf(corpus, Math.floor((i * (corpus.rows - 1)) / count)).buffer))
    const bits = PLANTED_BITS[i % PLANTED_BITS.length]
    for (let k = 0; k < bits; k++) hash[(k * 11 + i) & 31] ^= 1 << ((k >> 5) + (i & 3))
    return hash
  })
}

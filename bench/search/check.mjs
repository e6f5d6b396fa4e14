// Checks complete answers against a search that reads every row.

import assert from 'node:assert/strict'
import { linear } from '../../dist/packages/core/src/search/linear.js'
import { ROW_WORDS } from './corpora.mjs'
import { eachBatch, eachChunk, imageOf, viewOf } from './rows.mjs'

const MIN_CHECKED = 20
const MAX_CHECKED = 200
const PAIRS = 50_000_000 // of rows and needles, worth checking beyond the least
const LINEAR_PAIRS = 100_000_000 // beyond these, `linear` would take longer than anybody waits

/** How many queries to check: the fewer rows, the more. */
export function queriesToCheck(rows, needles) {
  return Math.min(MAX_CHECKED, Math.max(MIN_CHECKED, Math.floor(PAIRS / (rows * needles))))
}

/** @returns for each query the answer that is right, as `answerOf` gives it. */
export function rightAnswers(corpus, queries, thresholdBits) {
  const needles = queries.reduce((sum, query) => sum + query.needles.length, 0)
  const found = queries.map(() => [])
  if (corpus.rows * needles <= LINEAR_PAIRS) {
    eachBatch(corpus, 'checking', (rows) => {
      for (const [i, query] of queries.entries()) push(found[i], linear(rows, query.needles, thresholdBits))
    })
  } else {
    readPlainly(corpus, queries, thresholdBits, found)
  }
  return found.map((keys) => Float64Array.from(keys).sort())
}

/** An answer as sorted numbers: image, view, nearest needle, distance. Small enough to keep some millions of hits. */
export function answerOf(hits) {
  return Float64Array.from(hits, keyOf).sort()
}

export function sameAnswer(a, b) {
  return a.length === b.length && a.every((key, i) => key === b[i])
}

function keyOf({ image, view, transform, distanceBits }) {
  return ((image * 256 + view) * 64 + transform) * 512 + distanceBits
}

function push(keys, hits) {
  for (const hit of hits) keys.push(keyOf(hit))
}

/** The same by a faster loop over words; compared with `linear` on the first chunk. */
function readPlainly(corpus, queries, thresholdBits, found) {
  const asWords = queries.map(({ needles }) => needles.map((needle) => new Uint32Array(needle.buffer)))
  eachChunk(corpus, 'checking', (words, firstRow, count) => {
    for (let i = 0; i < queries.length; i++) {
      for (let row = 0; row < count; row++) {
        const hit = nearest(words, row * ROW_WORDS, asWords[i], thresholdBits)
        if (hit !== undefined) found[i].push(keyOf({ image: imageOf(firstRow + row), view: viewOf(firstRow + row), ...hit }))
      }
    }
    if (firstRow === 0) assertAsLinear(corpus, queries, thresholdBits, found)
  })
}

function assertAsLinear(corpus, queries, thresholdBits, found) {
  eachBatch({ ...corpus, rows: Math.min(corpus.rows, 4_096) }, 'checking the check', (rows) => {
    const right = queries.map(({ needles }) => Array.from(linear(rows, needles, thresholdBits), keyOf))
    assert.deepEqual(found, right)
  })
}

function nearest(words, at, needles, thresholdBits) {
  let transform = -1
  let minBits = thresholdBits + 1
  for (let needle = 0; needle < needles.length; needle++) {
    const other = needles[needle]
    let bits = 0
    for (let word = 0; word < ROW_WORDS && bits < minBits; word++) bits += popcount(words[at + word] ^ other[word])
    if (bits >= minBits) continue
    minBits = bits
    transform = needle
  }
  return transform < 0 ? undefined : { transform, distanceBits: minBits }
}

/** As in Hacker's Delight, 5-1. */
function popcount(word) {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

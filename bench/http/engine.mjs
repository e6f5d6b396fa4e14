// The index alone, in its own process, over the same rows and with the same needles. The rest of a match's time is the api's.

import { SIGNAL_TYPES } from '../../dist/packages/core/src/matching/signal-types.js'
import { SignalIndex } from '../../dist/packages/core/src/search/signal-index.js'
import { hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { rotated } from '../../dist/src/services/matching/orientations.js'
import { CHUNK_ROWS, openCorpus, ROW_WORDS } from '../search/corpora.mjs'
import { answer, cpuUs } from './answers.mjs'
import { makeQueries, strangerOf } from './queries.mjs'

const BATCH = 1000
const BATCHES = 4
const TIDY_STEPS = 100_000 // as catalogue.ts, which does so whenever its replica has nothing to do
const WHOLE = 0
const WITHIN_BITS = SIGNAL_TYPES.pdq.thresholdBits

const index = new SignalIndex()
let rows = 0
let prepared

answer({
  fill(order) {
    rows = order.rows
    const corpus = openCorpus('uniform', rows)
    const words = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
    const hashes = new Uint8Array(words.buffer)
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, rows - from)
      corpus.fill(words, from, count)
      const images = Uint32Array.from({ length: count }, (_, i) => from + i)
      index.load({ images, views: new Uint8Array(count).fill(WHOLE), hashes: hashes.subarray(0, 32 * count) })
    }
    while (index.compact(TIDY_STEPS));
    prepared = [false, true].map((transforms) =>
      makeQueries(rows, BATCHES * BATCH, transforms).map((query) => ({
        ...query,
        needles: transforms ? rotated('pdq', 'whole', query.hash) : [query.hash],
      })),
    )
  },

  /** Runs one query after the other. */
  ask({ transforms, ms }) {
    const queries = prepared[Number(transforms)]
    let count = 0
    let wrong = 0
    const before = cpuUs()
    const begun = performance.now()
    while (performance.now() - begun < ms) {
      for (let i = 0; i < 64; i++) {
        const query = queries[count++ % queries.length]
        if (!isRight(index.within(query.needles, WITHIN_BITS), query)) wrong++
      }
    }
    return { count, wrong, cpuUs: cpuUs() - before, wallMs: performance.now() - begun }
  },

  /** The thousands that are sent in one call: one query after the other, and all of them together. */
  batches({ transforms, ms, least }) {
    const queries = prepared[Number(transforms)]
    const times = []
    const togetherTimes = []
    let wrong = 0
    const begun = performance.now()
    while (times.length < least || performance.now() - begun < ms) {
      const from = (times.length % BATCHES) * BATCH
      const start = performance.now()
      for (let i = from; i < from + BATCH; i++) {
        if (!isRight(index.within(queries[i].needles, WITHIN_BITS), queries[i])) wrong++
      }
      times.push(performance.now() - start)
      const some = queries.slice(from, from + BATCH)
      const startTogether = performance.now()
      const found = together(some.map(({ needles }) => needles))
      togetherTimes.push(performance.now() - startTogether)
      wrong += some.filter((query, i) => !isRight(found[i] ?? index.within(query.needles, WITHIN_BITS), query)).length
    }
    return { times: Float64Array.from(times), togetherTimes: Float64Array.from(togetherTimes), wrong }
  },

  /**
   * `count` queries, before each of them so many inserts, and after some of them the tidying that a replica does while nothing
   * comes. Of the last insert before a query it is seen that it is found.
   */
  live({ count, insertsPerQuery, queriesPerTidy }) {
    const queries = prepared[1]
    const times = { query: new Float64Array(count), insert: new Float64Array(count * insertsPerQuery), tidy: [] }
    const made = Array.from({ length: insertsPerQuery })
    let wrong = 0
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < insertsPerQuery; j++) made[j] = strangerOf(i * insertsPerQuery + j)
      for (let j = 0; j < insertsPerQuery; j++) {
        const start = performance.now()
        index.insert(rows + i * insertsPerQuery + j, WHOLE, made[j])
        times.insert[i * insertsPerQuery + j] = performance.now() - start
      }
      const query = queries[i % queries.length]
      const start = performance.now()
      const hits = index.within(query.needles, WITHIN_BITS)
      times.query[i] = performance.now() - start
      if (!isRight(hits, query)) wrong++
      if (index.within([hashFromBytes(made.at(-1))], 0).length !== 1) wrong++
      if ((i + 1) % queriesPerTidy === 0) times.tidy.push(timeOf(() => index.compact(TIDY_STEPS)))
    }
    const rowsAtEnd = index.liveRows
    for (let left = true; left; ) times.tidy.push(timeOf(() => (left = index.compact(TIDY_STEPS))))
    return {
      query: times.query,
      insert: times.insert,
      tidy: Float64Array.from(times.tidy),
      wrong,
      rowsAtEnd,
      bytes: index.bytes,
    }
  },
})

function together(sets) {
  const search = index.searchEach(sets, WITHIN_BITS)
  let step = search.next()
  while (step.done !== true) step = search.next()
  return step.value
}

function isRight(hits, { distanceBits }) {
  return distanceBits === undefined ? hits.length === 0 : hits.length === 1 && hits[0].distanceBits === distanceBits
}

function timeOf(work) {
  const start = performance.now()
  work()
  return performance.now() - start
}

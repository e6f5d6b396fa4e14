// Builds an index, measures its memory and queries it. Timed are only inserting (with compaction) and the search call, which makes its result objects.

import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { HASH_BYTES, hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { percentile, progress } from '../report.mjs'
import { openEngine } from './engine.mjs'
import { foundAsPlanted } from './queries.mjs'
import { sfc32 } from './random.mjs'
import { eachBatch } from './rows.mjs'

const MIN_QUERIES = 200
const MAX_QUERIES = 500_000
const MIN_MS = 2_000
const REHEARSAL_ROWS = 50_000
const WARM_UP_MS = 500
const DRAW_INTERVAL_MS = 100
const RESIDENT_NOISE_BYTES = 65_536
const MIN_ROWS_TO_WEIGH = 500_000 // the process grows and shrinks by some megabytes for reasons of its own

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

/**
 * @returns the engine, still filled, for checking its answers; `misplanted`, the numbers of the queries of which it did not
 * find the planted row just when it should; and what was measured.
 */
export async function measure(corpus, queries, thresholdBits, byInsert) {
  const timesMs = new Float64Array(MAX_QUERIES).fill(1) // written, so that it is part of the process before it is weighed
  rehearse(corpus, queries, thresholdBits, byInsert)
  const before = await residentBytes()

  const engine = openEngine(byInsert)
  const buildMs = fill(engine, corpus)
  const peakBytesPerRow = (1_024 * process.resourceUsage().maxRSS - before) / corpus.rows

  // Memory that a search allocates once and keeps counts for the rows. An answer does not, so nothing is near this needle.
  engine.within([randomHash()], thresholdBits)
  const processBytesPerRow = ((await residentBytes()) - before) / corpus.rows
  const indexBytesPerRow = engine.bytes / corpus.rows
  const weighed = corpus.rows >= MIN_ROWS_TO_WEIGH

  warmUp(engine, queries, thresholdBits)
  const { count, hits, misplanted } = ask(engine, queries, thresholdBits, timesMs)
  const asked = timesMs.subarray(0, count)
  return {
    engine,
    misplanted,
    p50Us: rounded(1e3 * percentile(asked, 0.5)),
    p99Us: rounded(1e3 * percentile(asked, 0.99)),
    bytesPerRow: rounded(weighed ? Math.max(indexBytesPerRow, processBytesPerRow) : indexBytesPerRow),
    buildRowsPerS: Math.round((1e3 * corpus.rows) / buildMs),
    indexBytesPerRow: rounded(indexBytesPerRow),
    processBytesPerRow: rounded(processBytesPerRow),
    peakBytesPerRow: rounded(peakBytesPerRow),
    filledBy: engine.filledBy,
    queries: count,
    hitsPerQuery: rounded(hits / count),
  }
}

/** Times the same queries repeatedly, and checks each one's planted row the first time. */
function ask(engine, queries, thresholdBits, timesMs) {
  const draw = progress('searching, ms', MIN_MS)
  const misplanted = new Set()
  let count = 0
  let hits = 0
  let spentMs = 0
  let drawnMs = 0
  while (count < MAX_QUERIES && (count < MIN_QUERIES || spentMs < MIN_MS)) {
    const query = queries[count % queries.length]
    const start = performance.now()
    const found = engine.within(query.needles, thresholdBits)
    timesMs[count] = performance.now() - start
    spentMs += timesMs[count]
    hits += found.length
    if (count < queries.length && !foundAsPlanted(query, found, thresholdBits)) misplanted.add(count)
    count++
    if (spentMs - drawnMs < DRAW_INTERVAL_MS) continue
    drawnMs = spentMs
    draw(Math.min(Math.floor(spentMs), MIN_MS - 1))
  }
  draw(MIN_MS)
  return { count, hits, misplanted }
}

/** Warm-up: everything is compiled and the heap has its size before anything is measured. */
function rehearse(corpus, queries, thresholdBits, byInsert) {
  const engine = openEngine(byInsert)
  fill(engine, { ...corpus, rows: Math.min(corpus.rows, REHEARSAL_ROWS) })
  warmUp(engine, queries, thresholdBits)
}

/** @returns how long inserting and settling took. */
function fill(engine, corpus) {
  let buildMs = 0
  eachBatch(corpus, 'inserting', (rows, columns) => {
    buildMs += timeMs(() => engine.fill(rows, columns))
  })
  if (process.stderr.isTTY) process.stderr.write('settling\n')
  return buildMs + timeMs(() => engine.settle())
}

/** The queries that are measured last. */
function warmUp(engine, queries, thresholdBits) {
  const end = performance.now() + WARM_UP_MS
  for (let i = 1; performance.now() < end; i++) engine.within(queries.at(-i % queries.length).needles, thresholdBits)
}

/** Memory of the process after it has returned what it can, which another thread does after a while. */
async function residentBytes() {
  let least = Number.POSITIVE_INFINITY
  for (let rounds = 0; rounds < 3; rounds++) {
    collectGarbage()
    await sleep(50)
    const now = process.memoryUsage.rss()
    if (now < least - RESIDENT_NOISE_BYTES) rounds = 0
    least = Math.min(least, now)
  }
  return least
}

function randomHash() {
  return hashFromBytes(new Uint8Array(Int32Array.from({ length: HASH_BYTES / 4 }, sfc32(0, 0)).buffer))
}

function timeMs(work) {
  const start = performance.now()
  work()
  return performance.now() - start
}

function rounded(value) {
  return Number(value.toPrecision(4))
}

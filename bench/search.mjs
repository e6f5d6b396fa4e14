// How long does an exact search take? Uniform random rows with planted near ones; build and search are timed apart, and
// answers are checked against the oracle.
// node bench/search.mjs [--rows N] [--threshold T] [--needles K] [--json]
import assert from 'node:assert/strict'
import { randomFillSync, randomInt } from 'node:crypto'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { HASH_BITS, HASH_BYTES, hashFromBytes } from '../dist/src/hash/hash256.js'
import { linear } from '../dist/src/search/linear.js'
import { SignalIndex } from '../dist/src/search/signal-index.js'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    threshold: { type: 'string', default: '31' },
    needles: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const rows = Number(values.rows)
const thresholdBits = Number(values.threshold)
const needleCount = Number(values.needles)
const VIEWS = 16
const QUERIES = Math.max(100, Math.min(1_000, Math.round(2e9 / (rows * needleCount))))
const CHECKED = 5

const bytes = new Uint8Array(rows * HASH_BYTES)
for (let from = 0; from < bytes.length; from += 2 ** 30) randomFillSync(bytes.subarray(from, from + 2 ** 30))

// Every query has random needles, of which one lies at most two bits either side of the threshold from a row of the index.
const queries = Array.from({ length: QUERIES }, () => {
  const needles = Array.from({ length: needleCount }, () => hashFromBytes(randomFillSync(new Uint8Array(HASH_BYTES))))
  const planted = hashFromBytes(bytes, randomInt(rows) * HASH_BYTES)
  const distanceBits = Math.min(HASH_BITS, Math.max(0, thresholdBits + randomInt(-2, 3)))
  needles[randomInt(needleCount)] = flipped(planted, distanceBits)
  return { needles, expected: distanceBits <= thresholdBits }
})

const index = new SignalIndex()
const insertMs = timeMs(() => {
  for (let row = 0; row < rows; row++) {
    index.insert(Math.floor(row / VIEWS), row % VIEWS, hashFromBytes(bytes, row * HASH_BYTES))
  }
})

for (const { needles } of queries.slice(0, 10)) index.within(needles, thresholdBits)
const timesUs = []
for (const { needles, expected } of queries) {
  let hits = []
  timesUs.push(1e3 * timeMs(() => (hits = index.within(needles, thresholdBits))))
  if (expected) assert.ok(hits.length > 0, 'a planted row was missed')
}
timesUs.sort((a, b) => a - b)

for (const { needles } of queries.slice(0, CHECKED)) {
  assert.deepEqual(byRow(index.within(needles, thresholdBits)), byRow(linear(everyRow(), needles, thresholdBits)))
}

const result = {
  rows,
  thresholdBits,
  needles: needleCount,
  queries: QUERIES,
  p50Us: Math.round(timesUs[Math.floor(QUERIES * 0.5)]),
  p99Us: Math.round(timesUs[Math.floor(QUERIES * 0.99)]),
  insertedRowsPerS: Math.round(rows / (insertMs / 1e3)),
  bytesPerRow: Number((index.bytes / rows).toFixed(2)),
  checkedQueries: CHECKED,
  machine: `${cpus()[0]?.model ?? 'unknown'} x${cpus().length}, Node ${process.version}`,
}
if (values.json) console.log(JSON.stringify(result))
else console.table(result)

function flipped(hash, distanceBits) {
  const copy = Uint8Array.from(hash)
  const bits = Array.from({ length: HASH_BITS }, (_, bit) => bit)
  for (let i = 0; i < distanceBits; i++) {
    const [bit] = bits.splice(randomInt(bits.length), 1)
    copy[bit >>> 3] ^= 1 << (bit & 7)
  }
  return hashFromBytes(copy)
}

function* everyRow() {
  for (let row = 0; row < rows; row++) {
    yield { image: Math.floor(row / VIEWS), view: row % VIEWS, hash: hashFromBytes(bytes, row * HASH_BYTES) }
  }
}

function byRow(hits) {
  return hits.toSorted((a, b) => a.image - b.image || a.view - b.view)
}

function timeMs(work) {
  const start = performance.now()
  work()
  return performance.now() - start
}

// What does it cost to compare a registered picture with a million watches, and to read them at a start?
//
//   npm run bench watch [-- --rows N] [--json]
//
// The index of watches alone, over a store in memory with N random hashes, half of them PDQ of the whole and half of a part, two for each watch. Queries
// are pictures of one hash, and pictures with all the views of an upload. Every tenth query has a planted watch within the threshold, in any orientation,
// which must be found; the status is 1 when it is not.

import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { formatUuid } from '../dist/packages/core/src/ids.js'
import { CASES_BANK } from '../dist/packages/core/src/matching/bank.js'
import { hashFromBytes } from '../dist/packages/hash/src/hash256.js'
import { allOrientations } from '../dist/src/services/matching/orientations.js'
import { createWatchIndex } from '../dist/src/services/watch/watch-index.js'
import { percentile, progress } from './report.mjs'

const { values: args } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, json: { type: 'boolean', default: false } },
})
const ROWS = Number(args.rows)
const AT_ONCE = 1000
const QUESTIONS = { 'one hash': 500, 'all views': 40 }
const VIEWS = ['whole', 'deframed', 'crop', 'piece', 'tilted']
const ORG = formatUuid(randomBytes(16))
const PLANTED_BITS = 20
const POSITION = { revision: 1, digest: '' }
let plantedWatches

const before = process.memoryUsage().rss
const index = createWatchIndex({
  watches: { lastPosition: async () => POSITION, all },
  follower: {
    xreadBuffer: () => sleep(1000, null),
    eval: async () => [POSITION.revision, POSITION.digest],
    disconnect() {},
  },
  clock: () => performance.now(),
  onError: (error) => console.error(error),
})
const startedAtMs = performance.now()
index.start()
await index.reached(POSITION)
const result = {
  watches: index.size,
  rows: 2 * index.size,
  readS: Number(((performance.now() - startedAtMs) / 1000).toFixed(1)),
  bytesPerRow: Math.round((process.memoryUsage().rss - before) / (2 * index.size)),
  nearMs: { 'one hash': await measured('one hash', one), 'all views': await measured('all views', whole) },
  machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
}
console.log(args.json ? JSON.stringify(result) : result)
await index.close()
process.exit()

async function* all() {
  const show = progress('reading', ROWS / 2)
  for (let at = 0; at < ROWS / 2; at += AT_ONCE) {
    yield Array.from({ length: Math.min(AT_ONCE, ROWS / 2 - at) }, () => ({
      id: formatUuid(randomBytes(16)),
      image: watched(random()),
    }))
    show(at + AT_ONCE)
    await sleep(0)
  }
  for (const { id, hash } of planted()) yield [{ id, image: watched(hash) }]
}

/** The same watches at each call. */
function planted() {
  plantedWatches ??= Array.from({ length: 50 }, (_, i) => {
    const asked = random()
    const changed = Buffer.from(allOrientations('pdq', asked)[i % 8])
    for (let bit = 0; bit < PLANTED_BITS; bit++) changed[(bit * 5) % 32] ^= 1 << (bit % 8)
    return { id: formatUuid(randomBytes(16)), asked, hash: hashFromBytes(changed) }
  })
  return plantedWatches
}

function watched(hash) {
  const signals = [...one(hash), { type: 'pdq-area', view: 'crop', quality: 100, hash: random() }]
  return { bank: ORG, tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 0, signals }
}

function one(hash) {
  return [{ type: 'pdq', view: 'whole', quality: 100, hash }]
}

/** As an upload is registered: the whole by two algorithms, and up to 29 hashes of parts. */
function whole(hash) {
  const parts = Array.from({ length: 29 }, (_, i) => ({
    type: 'pdq-area',
    view: VIEWS[i % VIEWS.length],
    quality: 100,
    hash: random(),
  }))
  return [...one(hash), { type: 'blockhash', view: 'whole', quality: 100, hash: random() }, ...parts]
}

async function measured(name, signalsOf) {
  const times = []
  for (let i = 0; i < QUESTIONS[name]; i++) {
    const sown = i % 10 === 0 ? planted()[(i / 10) % 50] : undefined
    const signals = signalsOf(sown?.asked ?? random())
    const fromMs = performance.now()
    const near = await index.near(signals, CASES_BANK)
    times.push(performance.now() - fromMs)
    if (sown !== undefined && !near.some(({ watchId }) => watchId === sown.id)) {
      console.error('a planted watch was not found')
      process.exit(1)
    }
  }
  return { p50: Number(percentile(times, 0.5).toFixed(2)), p99: Number(percentile(times, 0.99).toFixed(2)) }
}

function random() {
  return hashFromBytes(randomBytes(32))
}

// What does a whole question by picture cost: decode, views, and the search for all of them among a million rows?
// npm run bench:query [-- --rows N] [--hashes FOLDER] [--rounds N] [--json]
import assert from 'node:assert/strict'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { SIGNAL_TYPES } from '../dist/src/domain/signal-types.js'
import { SignalIndex } from '../dist/src/search/signal-index.js'
import { hashImage } from '../dist/workers/media/hash-image.js'
import { largePicture } from './pictures.mjs'
import { percentile, progress } from './report.mjs'
import { openCorpus } from './search/corpora.mjs'
import { eachBatch } from './search/rows.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    hashes: { type: 'string', default: process.env.TABIR_BENCH_HASHES ?? '' },
    rounds: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
})
const ROUNDS = Number(args.rounds)
const WARM_UP_ROUNDS = 5
const PICTURES = 8
const COMPACTING_STEPS = 1_000_000

const { index, corpus } = indexed(Number(args.rows))
const result = {
  rows: index.rows,
  rowsFrom: corpus.from,
  thresholdBits: SIGNAL_TYPES['pdq-area'].thresholdBits,
  pictures: [
    await measured('1080×2340, a phone’s screen', { width: 1080, height: 2340 }),
    await measured('4000×3000', undefined),
    await measured('1280×960', { width: 1280, height: 960 }),
  ],
  machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
}
if (args.json) console.log(JSON.stringify(result))
else print(result)

/** PDQ hashes of crops of photographs, sixteen an image: what a large index of pictures with views looks like. */
function indexed(rows) {
  const corpus = openCorpus('skewed', rows, args.hashes === '' ? undefined : args.hashes)
  const index = new SignalIndex()
  eachBatch(corpus, 'indexing', (_, columns) => index.load(columns))
  while (index.compact(COMPACTING_STEPS)) {
    // until every row has its place
  }
  return { index, corpus }
}

async function measured(name, size) {
  const files = await Promise.all(
    Array.from({ length: PICTURES }, async (_, seed) => {
      const large = await largePicture(seed + 1)
      return size === undefined
        ? large
        : sharp(large)
            .resize({ ...size, fit: 'fill' })
            .jpeg({ quality: 90 })
            .toBuffer()
    }),
  )
  const times = { hashing: [], searching: [], whole: [] }
  let needles = 0
  const draw = progress(name, ROUNDS + WARM_UP_ROUNDS)
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const start = performance.now()
    const { signals } = await hashImage(files[(round + WARM_UP_ROUNDS) % PICTURES], 'query')
    const hashedAt = performance.now()
    const asked = signals.filter(({ type }) => type === 'pdq-area')
    for (const { hashes } of asked) index.within(hashes, SIGNAL_TYPES['pdq-area'].thresholdBits)
    const end = performance.now()
    if (round >= 0) {
      times.hashing.push(hashedAt - start)
      times.searching.push(end - hashedAt)
      times.whole.push(end - start)
      needles += asked.reduce((sum, { hashes }) => sum + hashes.length, 0)
    }
    draw(round + WARM_UP_ROUNDS + 1)
  }
  assert.ok(needles > 0, 'the pictures have views to ask about')
  const spread = (values) => ({ p50Ms: round2(percentile(values, 0.5)), p99Ms: round2(percentile(values, 0.99)) })
  return {
    name,
    needles: Math.round(needles / ROUNDS),
    ...Object.fromEntries(Object.entries(times).map(([step, values]) => [step, spread(values)])),
  }
}

function print({ rows, thresholdBits, pictures, machine }) {
  console.log(`${rows.toLocaleString('en')} rows, within ${thresholdBits} bits, one thread`)
  console.table(
    Object.fromEntries(
      pictures.map(({ name, needles, hashing, searching, whole }) => [
        name,
        {
          needles,
          'hashing p50': hashing.p50Ms,
          'searching p50': searching.p50Ms,
          'whole p50': whole.p50Ms,
          'whole p99': whole.p99Ms,
        },
      ]),
    ),
  )
  console.log(machine)
}

function round2(value) {
  return Math.round(value * 100) / 100
}

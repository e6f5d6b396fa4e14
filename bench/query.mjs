// What does a whole query by picture cost: decode, views, and the search for all of them among a million rows?
// npm run bench query [-- --rows N] [--hashes FOLDER] [--photos FOLDER] [--rounds N] [--json]
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { widestMatchBits } from '../dist/packages/core/src/matching/evidence.js'
import { SignalIndex } from '../dist/packages/core/src/search/signal-index.js'
import { orientationGroupsOf } from '../dist/src/services/matching/orientations.js'
import { hashImage } from '../dist/workers/media/hashes-of-file.js'
import { largePicture } from './pictures.mjs'
import { percentile, progress } from './report.mjs'
import { openCorpus } from './search/corpora.mjs'
import { eachBatch } from './search/rows.mjs'
import { variants } from './variants/variants.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    hashes: { type: 'string', default: process.env.TABIR_BENCH_HASHES ?? '' },
    photos: { type: 'string' },
    rounds: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
})
const ROUNDS = Number(args.rounds)
const WARM_UP_ROUNDS = 5
const PICTURES = 8
const SCREENS = ['ss_chat', 'ss_story_blur', 'ss_gallery']
const COMPACTING_STEPS = 1_000_000

// The decoder shuts the loaders that drawings need.
sharp.unblock({ operation: ['VipsForeignLoad'] })
const photos = await photosOf(args.photos)
const { index, corpus } = indexed(Number(args.rows))
const result = {
  rows: index.rows,
  rowsFrom: corpus.from,
  thresholdBits: widestMatchBits('pdq-area', 'whole', false),
  flippedBits: widestMatchBits('pdq-area', 'whole', true),
  pictures: [
    await measured('screenshot, 1080×2340', screenshotOf),
    await measured('4000×3000', (photo) => resized(photo, 4000, 3000)),
    await measured('1280×960', (photo) => resized(photo, 1280, 960)),
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

/** Drawn as `bench robustness` draws them. */
async function screenshotOf(photo, seed) {
  const only = [SCREENS[seed % SCREENS.length]]
  for await (const { image } of variants(photo, `${seed}`, { only })) return image
}

function resized(photo, width, height) {
  return sharp(photo).resize(width, height, { fit: 'fill' }).jpeg({ quality: 90 }).toBuffer()
}

/** Those of a folder; without one, drawn ones, which have less to ask about. */
async function photosOf(folder) {
  if (folder === undefined) return Promise.all(Array.from({ length: PICTURES }, (_, seed) => largePicture(seed + 1)))
  const names = readdirSync(folder).filter((name) => /\.(?:jpe?g|png|webp)$/i.test(name))
  const every = Math.max(1, Math.floor(names.length / PICTURES))
  return names.filter((_, i) => i % every === 0).map((name) => readFileSync(join(folder, name)))
}

async function measured(name, make) {
  const files = await Promise.all(photos.map(make))
  const times = { hashing: [], searching: [], whole: [] }
  let needles = 0
  const draw = progress(name, ROUNDS + WARM_UP_ROUNDS)
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const start = performance.now()
    const { signals } = await hashImage(files[(round + WARM_UP_ROUNDS) % files.length], 'query')
    const hashedAt = performance.now()
    const asked = signals.filter(({ type }) => type === 'pdq-area')
    for (const signal of asked)
      for (const { rotated, hashes } of orientationGroupsOf(signal))
        index.within(hashes, widestMatchBits('pdq-area', signal.view, rotated))
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

function print({ rows, thresholdBits, flippedBits, pictures, machine }) {
  console.log(`${rows.toLocaleString('en')} rows, within ${thresholdBits} bits, ${flippedBits} where turned, one thread`)
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

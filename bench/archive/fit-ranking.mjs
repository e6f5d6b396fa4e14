// Chooses the weights of packages/hash/src/deframe/ranking.ts: which rectangles of a framed picture come first.
//
//   node bench/archive/fit-ranking.mjs --photos FOLDER [--limit N] [--cache FOLDER]
//
// Right rectangles of a framed copy of a tuning photograph are those within SAME_BITS of the photograph or of one of its crops. The weights maximise the
// probability that a right one is drawn, when rectangles are drawn in proportion to the exponential of their score (a softmax over the rectangles of each
// copy), with a penalty on large weights. Prints the weights, and what they find on every fifth photograph, which was left out of the fit. Then, for the
// weights in use, prints the best scores of photographs without a frame and of framed copies, from which `FRAMED_SCORE` of
// packages/hash/src/deframe/deframe.ts is taken.

import { parseArgs } from 'node:util'
import { SAMPLES_A_SIDE, sampleArea } from '../../dist/packages/hash/src/area-table.js'
import { bestOf, FEATURE_NAMES, writeFeatures } from '../../dist/packages/hash/src/deframe/ranking.js'
import { eachCandidate } from '../../dist/packages/hash/src/deframe/rectangles.js'
import { loadFrameKernelSync } from '../../dist/packages/hash/src/frame-kernel.js'
import { distance } from '../../dist/packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../dist/packages/hash/src/pdq-kernel.js'
import { decode } from '../../dist/workers/media/decode.js'
import { openEdits } from '../robustness/edits.mjs'
import { registered } from '../robustness/hasher.mjs'
import { photosOf } from '../robustness/photos.mjs'

const LAYOUTS = 'bench/archive/fitting.mjs'
const FRAMED = [
  'fitting',
  'screenshot',
  'collage',
  'meme_frame',
  'border_white_10',
  'bars_9x16',
  'screen_photo_bezel',
  'combo_mirror_crop_border',
  'caption_top',
]
const SAME_BITS = 46
const EASY_BITS = 40
const MAX_A_COPY = 200
const HELD_OUT_IN = 5
const PENALTY = 0.5
const STEPS = 400
const RATE = 0.1
const TOP = [1, 2, 4, 8]

const { values } = parseArgs({
  options: {
    photos: { type: 'string' },
    limit: { type: 'string' },
    cache: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
})
if (values.photos === undefined) {
  console.error('usage: node bench/archive/fit-ranking.mjs --photos FOLDER [--limit N] [--cache FOLDER]')
  process.exit(2)
}

const frames = loadFrameKernelSync()
const kernel = loadPdqKernelSync()
const samples = new Float32Array(SAMPLES_A_SIDE ** 2)

const photos = photosOf(values.photos, 'tuning', values.limit === undefined ? undefined : Number(values.limit))
const scores = { plain: [], framed: [] }
const copies = await copiesOf(photos)
const weights = fit(copies.filter(({ isHeldOut }) => !isHeldOut))
console.log(FEATURE_NAMES.map((name, i) => `${String(weights[i].toPrecision(4)).padStart(9)}  ${name}`).join('\n'))
console.log(`[${weights.map((weight) => Number(weight.toPrecision(4))).join(', ')}]`)
for (const [what, isHeldOut] of [
  ['fitted', false],
  ['held out', true],
])
  report(
    what,
    copies.filter((copy) => copy.isHeldOut === isHeldOut),
  )

console.log(
  `best score in use: 95 of 100 photographs below ${quantile(scores.plain, 0.95)}, 95 of 100 framed copies above ${quantile(scores.framed, 0.05)}`,
)

function quantile(values, share) {
  return values.toSorted((a, b) => a - b)[Math.floor(share * values.length)]?.toFixed(1)
}

/** For each copy with a right rectangle: the features of its rectangles, and which are right. */
async function copiesOf(photos) {
  const edits = await openEdits({ layouts: LAYOUTS, only: FRAMED, seed: values.seed, cache: values.cache })
  const copies = []
  for (const [i, photo] of photos.entries()) {
    const plain = await decode(photo.read())
    scores.plain.push(frames.measure(plain, bestScoreOf))
    const rows = registered(plain)
      .filter(({ type, view }) => type === 'pdq-area' && (view === 'whole' || view === 'crop'))
      .map(({ hashes: [hash] }) => hash)
    for await (const { id, bytes } of edits.of(photo)) {
      const pixels = await decode(bytes)
      scores.framed.push(frames.measure(pixels, bestScoreOf))
      const copy = frames.measure(pixels, (raster) => rectanglesOf(raster, rows))
      if (copy !== undefined) copies.push({ ...copy, id, isHeldOut: i % HELD_OUT_IN === 0 })
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${i + 1} of ${photos.length} photographs`)
  }
  return copies
}

function bestScoreOf({ lines, texture }) {
  return bestOf(lines, texture, 1)[0]?.score ?? Number.NEGATIVE_INFINITY
}

function rectanglesOf(raster, rows) {
  const bitsOf = (part) => {
    sampleArea(raster.areas, part, samples)
    return Math.min(...kernel.hashSamples(samples).dihedrals.flatMap((hash) => rows.map((row) => distance(hash, row))))
  }
  const whole = { left: 0, top: 0, right: raster.width, bottom: raster.height }
  if (rows.length === 0 || bitsOf(whole) <= EASY_BITS) return undefined
  const found = []
  eachCandidate(raster.lines, raster.texture, (candidate) => found.push({ ...candidate }))
  const kept = found
    .map((candidate) => ({ candidate, rough: rough(candidate) }))
    .sort((a, b) => b.rough - a.rough)
    .slice(0, MAX_A_COPY)
  const isRight = kept.map(({ candidate }) => bitsOf(candidate) <= SAME_BITS)
  if (!isRight.includes(true)) return undefined
  return { isRight, features: kept.map(({ candidate }) => Array.from(featuresOf(candidate))) }
}

function featuresOf(candidate) {
  const features = new Float64Array(FEATURE_NAMES.length)
  writeFeatures(candidate, features)
  return features
}

/** A preliminary order, to leave out hopeless rectangles. */
function rough({ minCoverage, meanCoverage, borders, inside, outside, split }) {
  return minCoverage + meanCoverage - 0.1 * borders + Math.min(0.3, inside) - 0.5 * outside - 0.5 * split
}

function fit(copies) {
  const count = FEATURE_NAMES.length
  const all = copies.flatMap(({ features }) => features)
  const means = Array.from({ length: count }, (_, i) => all.reduce((sum, row) => sum + row[i], 0) / all.length)
  const spreads = means.map(
    (mean, i) => Math.sqrt(all.reduce((sum, row) => sum + (row[i] - mean) ** 2, 0) / all.length) + 1e-9,
  )
  const scaled = copies.map(({ features, isRight }) => ({
    isRight,
    rows: Float64Array.from(features.flatMap((row) => row.map((value, i) => (value - means[i]) / spreads[i]))),
  }))
  const weights = new Float64Array(count)
  const [first, second] = [new Float64Array(count), new Float64Array(count)]
  for (let step = 1; step <= STEPS; step++) {
    const slope = slopeOf(scaled, weights)
    for (let i = 0; i < count; i++) {
      // Adam (Kingma and Ba, 2015)
      const g = (slope[i] + PENALTY * weights[i]) / scaled.length
      first[i] = 0.9 * first[i] + 0.1 * g
      second[i] = 0.99 * second[i] + 0.01 * g * g
      weights[i] -= (RATE * first[i]) / (1 - 0.9 ** step) / (Math.sqrt(second[i] / (1 - 0.99 ** step)) + 1e-9)
    }
  }
  return Array.from(weights, (weight, i) => weight / spreads[i])
}

/** The gradient of the negative log-likelihood by the weights. */
function slopeOf(copies, weights) {
  const count = weights.length
  const slope = new Float64Array(count)
  for (const { rows, isRight } of copies) {
    const shares = new Float64Array(isRight.length)
    for (let k = 0; k < shares.length; k++) {
      for (let i = 0; i < count; i++) shares[k] += rows[k * count + i] * weights[i]
    }
    const highest = shares.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY)
    let total = 0
    let right = 0
    for (let k = 0; k < shares.length; k++) {
      shares[k] = Math.exp(shares[k] - highest)
      total += shares[k]
      if (isRight[k]) right += shares[k]
    }
    for (let k = 0; k < shares.length; k++) {
      const pull = shares[k] / total - (isRight[k] ? shares[k] / (right + 1e-300) : 0)
      if (Math.abs(pull) < 1e-9) continue
      for (let i = 0; i < count; i++) slope[i] += pull * rows[k * count + i]
    }
  }
  return slope
}

function report(what, copies) {
  const found = TOP.map((top) => {
    const hits = copies.filter(({ features, isRight }) => {
      const scores = features.map((row) => row.reduce((sum, value, i) => sum + value * weights[i], 0))
      return Array.from(scores.keys())
        .sort((a, b) => scores[b] - scores[a])
        .slice(0, top)
        .some((i) => isRight[i])
    })
    return `${((100 * hits.length) / copies.length).toFixed(1)} % within the first ${top}`
  })
  console.log(`${what}, ${copies.length} copies: ${found.join(', ')}`)
}

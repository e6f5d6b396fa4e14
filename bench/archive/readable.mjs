// How much of a picture can somebody draw who has its stored rows, and its details? A simple solver: the likeliest picture whose hashes have these bits,
// if pictures have waves as strong as they are long.
//
//   node bench/archive/readable.mjs --photos FOLDER [--split test] [--only STEM,STEM] [--limit 12] [--rounds 60] [--draw FOLDER]
//
// Prints by what is known: the correlation of the drawn picture's luma with the true one, and that of its outlines (sizes of gradients). The solver is told
// which part each row shows, as the order of rows nearly tells. 192 rows are the most that a file can have, of windows and frames. A photograph has 33 at
// most, so the others are of parts at random places. Of details it guesses what is not stored, their pose: where in its cell each lies, and how points were
// turned and scaled. --draw writes the true picture beside the drawn ones.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { feedSignalsOf } from '../../dist/packages/core/src/matching/feed-signals.js'
import { SAMPLES_A_SIDE, sampleArea } from '../../dist/packages/hash/src/area-table.js'
import { PLACES } from '../../dist/packages/hash/src/details/kept.js'
import { MAX_IMAGE_SIGNALS } from '../../dist/packages/hash/src/file-frames.js'
import { loadFrameKernelSync } from '../../dist/packages/hash/src/frame-kernel.js'
import { loadPdqKernelSync } from '../../dist/packages/hash/src/pdq-kernel.js'
import { gridOf, sampleTilted } from '../../dist/packages/hash/src/tilt.js'
import { viewsOf } from '../../dist/packages/hash/src/views.js'
import { decode } from '../../dist/workers/media/decode.js'
import { GRID } from '../evasion/linear.mjs'
import { hashed } from '../lookalikes/service.mjs'
import { percentile } from '../report.mjs'
import { photosOf } from '../robustness/photos.mjs'
import { wholeNumber } from '../service.mjs'
import { randomOf } from '../variants/random.mjs'
import { posed } from './readable/details.mjs'
import { knownRow, solved } from './readable/solver.mjs'

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string' },
    split: { type: 'string', default: 'test' },
    limit: { type: 'string', default: '12' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '60' },
    draw: { type: 'string' },
  },
})
if (args.photos === undefined) throw new Error('--photos names a folder of photographs')
const rounds = wholeNumber(args, 'rounds')
const only = args.only?.split(',')
const frames = loadFrameKernelSync()
const kernel = loadPdqKernelSync()

const results = {}
const photos = photosOf(args.photos, args.split, Number.POSITIVE_INFINITY).filter(({ stem }) => only?.includes(stem) ?? true)
for (const photo of photos.slice(0, wholeNumber(args, 'limit'))) await drawn(photo)
for (const [known, figures] of Object.entries(results)) {
  const range = (field) => [0, 0.25, 0.5, 0.75, 1].map((part) => percentile(figures.map(field), part).toFixed(2)).join(' ')
  console.log(
    `${known}: luma ${range(({ luma }) => luma)}; outlines ${range(({ lines }) => lines)} (least, quartiles, most)`,
  )
}

/** Draws a photograph by what is stored of it, and compares. */
async function drawn({ name, stem, read }) {
  const pixels = await decode(read())
  const { image } = await hashed(read(), 'register', true)
  if (image === undefined) return
  const { truth, rows, stored } = rowsIn(pixels, image, name)
  const grids = { truth }
  const note = (known, grid, ownOutlines = outlines(grid)) => {
    grids[known] = grid
    const figures = { luma: correlation(grid, truth), lines: correlation(ownOutlines, outlines(truth)) }
    results[known] = [...(results[known] ?? []), figures]
    console.log(JSON.stringify({ name, known, stored: stored.length, ...figures }))
    return grid
  }
  /** @type {readonly any[]} */
  const ofFeed = feedSignalsOf(image.signals)
  const fed = new Set(ofFeed.map(({ hashes: [hash] }) => String(hash)))
  note('one PDQ', solved(rows.slice(0, 1), [], rounds))
  note('the first 8 rows', solved(rows.slice(0, 8), [], rounds))
  note(
    'the rows of the feed',
    solved(
      stored.filter(({ hash }) => fed.has(String(hash))),
      [],
      rounds,
    ),
  )
  const byRows = note('all rows, 33 at most', solved(stored, [], rounds))
  note('192 rows', solved(rows, [], rounds))
  note('all rows and details', solved(stored, posed(image.details, byRows), rounds))
  note('the same, their exact poses known', solved(stored, posed(image.details, truth), rounds))
  const places = placesOf(image.details)
  note('places of details alone', places, places)
  if (args.draw !== undefined) await draw(join(args.draw, `${stem}.png`), Object.values(grids))
}

/** The stored rows with their parts, then rows of parts at random places; and the true luma. */
function rowsIn(pixels, { signals }, name) {
  const [pdq, ...areas] = signals.filter(({ type }) => type === 'pdq' || type === 'pdq-area')
  const random = randomOf(name)
  return frames.measure(pixels, (raster) => {
    const samples = new Float32Array(SAMPLES_A_SIDE ** 2)
    const tilting = gridOf(raster.areas)
    const hashOf = (part) => {
      if ('angleDeg' in part) sampleTilted(tilting, pixels.aspect, part, samples)
      else sampleArea(raster.areas, part, samples)
      return kernel.hashSamples(samples).hash
    }
    const { width, height } = raster
    const shareOf = (part) =>
      'angleDeg' in part
        ? part
        : { left: part.left / width, top: part.top / height, right: part.right / width, bottom: part.bottom / height }
    const views = viewsOf(raster, pixels.aspect, 'register').map(({ part }) => ({ part, text: String(hashOf(part)) }))
    const rows = [{ hash: pdq.hashes[0], part: { left: 0, top: 0, right: 1, bottom: 1 } }]
    for (const {
      hashes: [hash],
    } of areas) {
      const view = views.find(({ text }) => text === String(hash))
      if (view !== undefined) rows.push({ hash, part: shareOf(view.part) })
    }
    const stored = rows.length
    while (rows.length < MAX_IMAGE_SIGNALS) {
      const [across, down] = [0.25 + 0.6 * random(), 0.25 + 0.6 * random()]
      const [left, top] = [(1 - across) * random(), (1 - down) * random()]
      const part = { left: left * width, top: top * height, right: (left + across) * width, bottom: (top + down) * height }
      rows.push({ hash: hashOf(part), part: shareOf(part) })
    }
    const known = rows.map(({ hash, part }) => knownRow(hash, part, pixels.aspect))
    return { truth: Float64Array.from(tilting), rows: known, stored: known.slice(0, stored) }
  })
}

/** Bright where many details are. */
function placesOf({ points: { points } }) {
  const grid = new Float64Array(GRID * GRID)
  const reach = (2 * GRID) / PLACES
  for (const { column, row } of points)
    for (let k = 0; k < grid.length; k++) {
      const far = Math.hypot(
        (k % GRID) - ((column + 0.5) * GRID) / PLACES,
        Math.floor(k / GRID) - ((row + 0.5) * GRID) / PLACES,
      )
      if (far < 2 * reach) grid[k] += 60 * Math.exp(-((far / reach) ** 2) * 2)
    }
  return grid
}

/** Sizes of gradients over four cells. */
function outlines(grid) {
  const step = 2
  return Float64Array.from(grid, (_, k) => {
    const [x, y] = [k % GRID, Math.floor(k / GRID)]
    const at = (column, row) => grid[Math.max(0, Math.min(GRID - 1, row)) * GRID + Math.max(0, Math.min(GRID - 1, column))]
    return Math.hypot(at(x + step, y) - at(x - step, y), at(x, y + step) - at(x, y - step))
  })
}

function correlation(a, b) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanA, meanB] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  for (let k = 0; k < a.length; k++) {
    ab += (a[k] - meanA) * (b[k] - meanB)
    aa += (a[k] - meanA) ** 2
    bb += (b[k] - meanB) ** 2
  }
  return ab / Math.sqrt(aa * bb)
}

async function draw(file, grids) {
  const picture = Buffer.alloc(grids.length * GRID * GRID)
  for (const [i, grid] of grids.entries()) {
    const mean = grid.reduce((sum, value) => sum + value, 0) / grid.length
    for (let k = 0; k < grid.length; k++)
      picture[Math.floor(k / GRID) * GRID * grids.length + i * GRID + (k % GRID)] = Math.max(
        0,
        Math.min(255, 128 + grid[k] - mean),
      )
  }
  await sharp(picture, { raw: { width: grids.length * GRID, height: GRID, channels: 1 } })
    .png()
    .toFile(file)
}

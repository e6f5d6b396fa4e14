// Are pictures ever found by details in pictures that do not show them? Tens of millions of pairs.
//
//   npm run bench detail-pairs -- --photos FOLDER [--pieces N] [--framed N] [--edits N] [--asked N] [--part I/N] [--cache FOLDER] [--list]
//
// Registers the photographs of the tuning split: each whole, N pieces of it (--pieces; any place and shape, some mirrored), and N photographs
// (--framed) also in the apps, frames and stickers of bench/robustness/confusing-kinds.mjs. Queries N edits (--edits) and N pieces (--asked) of each
// photograph of the test split. The service's own code searches, votes and verifies, with the positions at which details were found. A pair is a
// query and a registered picture. As in the service, the vote decides which pairs are verified. Edits that show other photographs are left out.
//
// The rows of a piece are its strongest corners, not those that six edits leave recognisable. That takes a sixth of the time, and such rows are
// near to more wrong ones.
//
// --part queries every Nth photograph; the figures of parts add up. --cache keeps the details of registered pictures, and edits. SIGTERM prints the
// figures so far.
//
// The status is 1 when any picture was found.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import sharp from 'sharp'
import { detailedSize } from '../dist/packages/hash/src/details/detailed-size.js'
import { REGISTERED_SIDE_PX } from '../dist/packages/hash/src/details/details.js'
import { featuresOf } from '../dist/packages/hash/src/details/features.js'
import { kept } from '../dist/packages/hash/src/details/kept.js'
import { MAX_POINTS, pointsOf, rowsOf } from '../dist/packages/hash/src/details/rows.js'
import { MAX_RANKED } from '../dist/packages/hash/src/details/select.js'
import { loadDetailsKernelSync } from '../dist/packages/hash/src/details-kernel.js'
import { wholeOf } from '../dist/packages/hash/src/raster.js'
import { decode } from '../dist/workers/media/decode.js'
import { progress } from './report.mjs'
import { KINDS } from './robustness/confusing-kinds.mjs'
import { DetailsRegistry, lookAt } from './robustness/details.mjs'
import { openEdits } from './robustness/edits.mjs'
import { photosOf } from './robustness/photos.mjs'
import { randomOf } from './variants/random.mjs'

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string' },
    pieces: { type: 'string', default: '140' },
    framed: { type: 'string', default: '12' },
    edits: { type: 'string', default: '2' },
    asked: { type: 'string', default: '17' },
    part: { type: 'string', default: '0/1' },
    cache: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})
if (args.photos === undefined) {
  console.error('usage: npm run bench detail-pairs -- --photos FOLDER [--pieces N] [--framed N] [--edits N] [--asked N]')
  process.exit(2)
}
const [pieces, framed, editsOfEach, askedOfEach] = [args.pieces, args.framed, args.edits, args.asked].map(Number)
const [number, of] = args.part.split('/').map(Number)
const { cache } = args

const MIN_PIECE_SHARE = 0.3
const LAYOUTS = new URL('./variants/unseen.mjs', import.meta.url).pathname

let isStopped = false
process.once('SIGTERM', () => {
  isStopped = true
})

const kernel = loadDetailsKernelSync()
const registry = new DetailsRegistry()
const names = []
const known = photosOf(args.photos, 'tuning', Number.POSITIVE_INFINITY)
const drawRegistered = progress('registering', known.length)
for (const [i, photo] of known.entries()) {
  // Pieces of one photograph show each other, so they are related.
  for (const { name, looked } of await registeredOf(photo, i < framed)) {
    await registry.add(names.length, [], looked, i)
    names.push(name)
  }
  drawRegistered(i + 1)
}
registry.settle()

const { catalogue } = await openEdits({ layouts: LAYOUTS, seed: '1' })
const alone = catalogue.filter(({ usesOthers }) => !usesOthers).map(({ id }) => id)
const photos = photosOf(args.photos, 'test', Number.POSITIVE_INFINITY).filter((_, i) => i % of === number)
const found = []
let [queries, verified] = [0, 0]
const drawAsked = progress('asking', photos.length)
for (const [i, photo] of photos.entries()) {
  if (isStopped) break
  for await (const { id, bytes } of await editsOf(photo)) await ask(`${photo.name} ${id}`, await decode(bytes, detailedSize))
  const whole = await opened(photo)
  for (let piece = 0; piece < askedOfEach; piece++)
    await ask(`${photo.name} piece ${piece}`, pieceOf(whole, `asked ${photo.stem} ${piece}`))
  drawAsked(i + 1)
}

console.log(
  JSON.stringify({
    registered: names.length,
    queries,
    pairs: queries * names.length,
    verified,
    found: found.length,
    edits: alone.length,
    part: args.part,
  }),
)
if (args.list) for (const line of found) console.log(line)
if (found.length > 0) process.exitCode = 1

async function ask(what, pixels) {
  const { images, verified: candidates } = await registry.findIn(pixels)
  queries++
  verified += candidates.length
  for (const image of images) found.push(`${what}: ${names[image]}`)
}

/** A random choice of edits that show no other photograph. */
async function editsOf(photo) {
  const random = randomOf(`edits ${photo.stem}`)
  const only = [...alone]
  while (only.length > editsOfEach) only.splice(random.int(0, only.length - 1), 1)
  if (only.length === 0) return []
  const edits = await openEdits({ layouts: LAYOUTS, only, seed: '1', cache })
  return edits.of(photo)
}

async function opened(photo) {
  const { data, info } = await sharp(photo.read()).rotate().removeAlpha().raw().toBuffer({ resolveWithObject: true })
  return { data, ...info }
}

async function registeredOf(photo, isFramed) {
  const file = cache === undefined ? undefined : join(cache, 'pieces', `${photo.stem}.once-${pieces}.${isFramed}.bin`)
  if (file !== undefined && existsSync(file)) return deserialize(readFileSync(file))
  const all = [{ name: photo.name, looked: await lookAt(photo.read()) }]
  const whole = await opened(photo)
  for (let piece = 0; piece < pieces; piece++)
    all.push({ name: `${photo.stem}.piece-${piece}`, looked: lookOnce(pieceOf(whole, `piece ${photo.stem} ${piece}`)) })
  if (isFramed) {
    const edits = await openEdits({ layouts: LAYOUTS, only: KINDS, seed: '1', cache })
    for await (const { id, bytes } of edits.of(photo)) all.push({ name: `${photo.stem}.${id}`, looked: await lookAt(bytes) })
  }
  if (file !== undefined) {
    mkdirSync(join(cache, 'pieces'), { recursive: true })
    writeFileSync(file, serialize(all))
  }
  return all
}

function lookOnce(pixels) {
  const options = { sidePx: REGISTERED_SIDE_PX, count: 250, mirrors: false, aspect: pixels.width / pixels.height }
  const view = kernel.usePyramid(pixels, REGISTERED_SIDE_PX, (pyramid) => featuresOf(pyramid, wholeOf(pixels), options))
  const strongest = (count) => kept({ ...view, features: view.features.slice(0, count) })
  return { ranked: rowsOf(strongest(MAX_RANKED)), points: pointsOf(strongest(MAX_POINTS)) }
}

function pieceOf({ data, width, height, channels }, seed) {
  const random = randomOf(seed)
  const side = (whole) => Math.round(whole * (MIN_PIECE_SHARE + random.int(0, 500) / 1000))
  const [across, down] = [side(width), side(height)]
  const [left, top] = [random.int(0, width - across), random.int(0, height - down)]
  const isMirrored = random.int(0, 1) === 1
  const pixels = new Uint8ClampedArray(across * down * channels)
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const from = ((top + y) * width + left + (isMirrored ? across - 1 - x : x)) * channels
      for (let channel = 0; channel < channels; channel++)
        pixels[(y * across + x) * channels + channel] = data[from + channel]
    }
  }
  return { data: pixels, width: across, height: down, channels }
}

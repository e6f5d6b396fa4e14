// What does hashing cost beside decoding, and how far does shrinking first move a hash? The steps of a round alternate, so that noise of the machine
// affects all of them; every answer is checked.
// npm run bench hash [-- --json] [--rounds N] [--photos FOLDER]
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import imghash from 'imghash'
import sharp from 'sharp'
import { dihedralsOf } from '../dist/packages/hash/src/dihedral.js'
import { distance, formatHash } from '../dist/packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../dist/packages/hash/src/image-hasher.js'
import { pdq } from '../dist/packages/hash/src/pdq.js'
import { loadPdqKernelSync } from '../dist/packages/hash/src/pdq-kernel.js'
import { decode } from '../dist/workers/media/decode.js'
import { hashImage } from '../dist/workers/media/hashes-of-file.js'
import { blockhashesOf } from '../dist/workers/media/imghash-blockhash.js'
import { checkDecoderFloors } from '../dist/workers/media/libvips.js'
import { oddPictures } from './hash/odd-pictures.mjs'
import { largePicture } from './pictures.mjs'
import { percentile, progress } from './report.mjs'
import { variants } from './variants/variants.mjs'

const { values: args } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '60' },
    photos: { type: 'string' },
  },
})
const ROUNDS = Number(args.rounds)
const WARM_UP_ROUNDS = 10
const SLOW_EVERY = 10 // rounds: the oracle and imghash on all pixels are far slower than what they check
const LARGE_PIXELS = 12_000_000
const SYNTHETIC = 12
const DIHEDRALS_AT_ONCE = 1000

checkDecoderFloors()
// The decoder shuts the loaders that drawings need.
sharp.unblock({ operation: ['VipsForeignLoad'] })
const kernel = loadPdqKernelSync()
const hasher = loadImageHasherSync()
const result = { times: await times(), odd: odd(), distances: await distances(), machine: machine() }
if (args.json) console.log(JSON.stringify(result))
else print(result)

async function times() {
  const large = await largePicture(1)
  const resized = (width, height) => sharp(large).resize(width, height, { fit: 'fill' }).jpeg({ quality: 90 }).toBuffer()
  const telephone = sharp(large)
    .rotate(90)
    .withIccProfile('p3')
    .withExif({ IFD0: { Orientation: '8' } })
    .jpeg({ quality: 90 })
  const files = {
    '4000×3000': large,
    '4000×3000, stored on its side, in Display P3': await telephone.toBuffer(),
    '1080×2340, a screenshot of a chat': await screenshotOf(large),
    '1280×960': await resized(1280, 960),
    '512×512': await resized(512, 512),
  }
  const cases = await Promise.all(Object.entries(files).map(([name, bytes]) => prepared(name, bytes)))

  const total = cases.length * (ROUNDS + WARM_UP_ROUNDS)
  const draw = progress('timing', total)
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const [k, { steps, measured }] of cases.entries()) {
      for (const { name, run, slow } of steps) {
        if (slow && (round < -1 || round % SLOW_EVERY !== 0)) continue
        const start = performance.now()
        await run()
        if (round >= 0) measured[name].push(performance.now() - start)
      }
      draw((round + WARM_UP_ROUNDS) * cases.length + k + 1)
    }
  }
  return cases.map(({ name, hashed, measured }) => {
    const decodeMs = percentile(measured['decode alone'], 0.5)
    const rows = Object.entries(measured).map(([step, samples]) => {
      const [p50Ms, p99Ms] = [percentile(samples, 0.5), percentile(samples, 0.99)]
      const minMs = Math.min(...samples)
      return { step, minMs: round3(minMs), p50Ms: round3(p50Ms), p99Ms: round3(p99Ms), ofDecode: round3(p50Ms / decodeMs) }
    })
    return { picture: name, hashedAs: hashed, rows }
  })
}

/** Of a photograph, where there are some: drawn as `bench robustness` draws it. */
async function screenshotOf(synthetic) {
  const photo = args.photos === undefined ? synthetic : photoFiles(args.photos)[0]
  for await (const { image } of variants(photo, '1', { only: ['ss_chat'] })) return image
}

/** The steps to time for one file, after a check that they agree. */
async function prepared(name, bytes) {
  const pixels = await decode(bytes)
  const bare = () => bareDecode(bytes, pixels)
  const plain = { ...pixels, data: await bare() }
  const rgba = withAlpha(pixels)
  const { blockTotals, ...hashed } = kernel.hash(pixels)
  const oracle = pdq(pixels)
  const whole = await hashImage(bytes, 'register')
  assert.deepEqual(hashed, oracle)
  assert.ok(distance(kernel.hash(plain).hash, oracle.hash) <= 2, 'the pipeline decodes what the bare decoder does')
  assert.deepEqual(whole.signals[0].hashes, oracle.dihedrals)
  assert.equal(formatHash(whole.blockhash[0]), imghash.hashRaw(rgba, 16))
  const steps = [
    { name: 'decode alone', run: bare },
    { name: 'whole pipeline, without views', run: () => withoutViews(bytes) },
    { name: 'whole pipeline, to register', run: () => hashImage(bytes, 'register') },
    { name: 'whole pipeline, to ask', run: () => hashImage(bytes, 'query') },
    { name: 'views to register', run: () => hasher.hash(pixels, 'register', pixels.aspect) },
    { name: 'views to ask', run: () => hasher.hash(pixels, 'query', pixels.aspect) },
    { name: 'pdq, kernel', run: () => kernel.hash(pixels) },
    { name: 'blockhash, 8 ways from totals', run: () => blockhashesOf(blockTotals, pixels) },
    { name: 'pdq, oracle', run: () => pdq(pixels), slow: true },
    { name: 'blockhash, imghash on all pixels', run: () => imghash.hashRaw(rgba, 16), slow: true },
    { name: `8 ways from bits × ${DIHEDRALS_AT_ONCE}`, run: () => repeat(() => dihedralsOf(oracle.hash)) },
  ]
  const measured = Object.fromEntries(steps.map((step) => [step.name, []]))
  return { name, hashed: `${pixels.width}×${pixels.height}`, steps, measured }
}

/** The whole picture's PDQ and blockhash alone. */
async function withoutViews(bytes) {
  const pixels = await decode(bytes)
  const { blockTotals } = kernel.hash(pixels)
  blockhashesOf(blockTotals, pixels)
  pixels.data.fill(0)
}

/** What pictures cost that are made of edges, or of nothing, in time of the processor: these are few, and a wait would be seen. */
function odd() {
  return Object.entries(oddPictures()).flatMap(([picture, pixels]) =>
    ['register', 'query'].map((purpose) => {
      const samples = Array.from({ length: ROUNDS }, () => {
        const before = process.cpuUsage()
        hasher.hash(pixels, purpose)
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1000
      })
      const { signals } = hasher.hash(pixels, purpose)
      const needles = signals.reduce((sum, { hashes }) => sum + hashes.length, 0)
      return { picture, purpose, signals: signals.length, needles, p50Ms: round3(percentile(samples, 0.5)) }
    }),
  )
}

/** How far `decode` moves the hashes from those of all pixels, for pictures as they are and enlarged. */
async function distances() {
  const sources = args.photos === undefined ? await syntheticFiles() : photoFiles(args.photos)
  const draw = progress('distances', sources.length)
  const found = { 'as it is': [], 'enlarged to 12 megapixels': [] }
  for (const [k, bytes] of sources.entries()) {
    found['as it is'].push(await moved(bytes))
    found['enlarged to 12 megapixels'].push(await moved(await enlarged(bytes)))
    draw(k + 1)
  }
  const rows = Object.entries(found).flatMap(([size, bits]) =>
    ['pdq', 'pdq-area', 'blockhash'].map((type) => {
      const each = bits.flatMap((one) => one[type] ?? [])
      const mean = round3(each.reduce((sum, one) => sum + one, 0) / each.length)
      return { size, type, medianBits: percentile(each, 0.5), meanBits: mean, maxBits: Math.max(...each) }
    }),
  )
  return { pictures: args.photos === undefined ? 'synthetic' : 'photographs', count: sources.length, rows }
}

async function moved(bytes) {
  const { data, info } = await sharp(bytes).autoOrient().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  const whole = { data, width: info.width, height: info.height, channels: 3 }
  const { hash, quality, blockTotals } = kernel.hash(whole)
  const [blockhash] = blockhashesOf(blockTotals, whole)
  const quick = await hashImage(bytes, 'register')
  assert.ok(Math.abs(quick.quality - quality) <= 5)
  const area = ({ signals }) => signals.find(({ type, view }) => type === 'pdq-area' && view === 'whole')?.hashes[0]
  const [wholeArea, quickArea] = [area(hasher.hash(whole, 'register')), area(quick)]
  return {
    pdq: distance(quick.signals[0].hashes[0], hash),
    // Plain pictures have none.
    'pdq-area': wholeArea === undefined || quickArea === undefined ? undefined : distance(quickArea, wholeArea),
    blockhash: distance(quick.blockhash[0], blockhash),
  }
}

async function enlarged(bytes) {
  const { width, height } = await sharp(bytes).metadata()
  const factor = Math.sqrt(LARGE_PIXELS / (width * height))
  const size = { width: Math.round(width * factor), height: Math.round(height * factor), fit: 'fill' }
  return sharp(bytes).resize(size).jpeg({ quality: 90 }).toBuffer()
}

function photoFiles(folder) {
  const names = readdirSync(folder).filter((name) => /\.(?:jpe?g|png|webp)$/i.test(name))
  assert.ok(names.length > 0, `${folder} holds no pictures`)
  return names.map((name) => readFileSync(join(folder, name)))
}

function syntheticFiles() {
  return Promise.all(
    Array.from({ length: SYNTHETIC }, async (_, seed) =>
      sharp(await largePicture(seed + 1))
        .resize(1000, 750)
        .jpeg({ quality: 90 })
        .toBuffer(),
    ),
  )
}

/** sharp's least work for the same pixels. */
async function bareDecode(bytes, { width, height }) {
  return sharp(bytes).autoOrient().resize(width, height, { fit: 'fill', kernel: 'linear' }).raw().toBuffer()
}

function withAlpha({ data, width, height }) {
  const rgba = new Uint8Array(width * height * 4).fill(255)
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) rgba[4 * pixel + channel] = data[3 * pixel + channel]
  }
  return { width, height, data: rgba }
}

function repeat(work) {
  for (let i = 0; i < DIHEDRALS_AT_ONCE; i++) work()
}

function round3(value) {
  return Math.round(value * 1000) / 1000
}

function machine() {
  return `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}, sharp ${sharp.versions.sharp}`
}

function print({ times, odd, distances, machine }) {
  for (const { picture, hashedAs, rows } of times) {
    console.log(`\nJPEG of ${picture}, hashed as ${hashedAs}`)
    console.table(Object.fromEntries(rows.map(({ step, ...row }) => [step, row])))
  }
  console.log('\nPictures of edges, and of nothing, of 1400×1060: processor')
  console.table(odd)
  console.log(`\nDistance to the hash of all pixels, ${distances.count} ${distances.pictures}`)
  console.table(distances.rows)
  console.log(machine)
}

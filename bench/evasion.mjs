// How little has to be changed until the service no longer finds a copy, by an attacker who knows only the answers and by one who knows the code? And does
// a crop that the service keeps secret find such copies again?
//
//   node bench/evasion.mjs --photos FOLDER [--limit 24] [--every 8] [--split test] [--steps 160] [--rounds 8] [--rivals 99] [--lines FILE]
//
// Registers the photographs of the split, and bends copies of every eighth. Prints a line for each, then the figures. It keeps and writes no copy. Found
// means: a grade better than `review` for this photograph, by hashes; `details` says what extended protection finds of lost copies. --lines keeps the lines
// of finished photographs, which are not bent again.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { SIGNAL_TYPES } from '../dist/packages/core/src/matching/signal-types.js'
import { loadImageHasherSync } from '../dist/packages/hash/src/image-hasher.js'
import { decode } from '../dist/workers/media/decode.js'
import { bentBlindly, weakest } from './evasion/blind.mjs'
import { cutsOf, keyedQuery, keyedView } from './evasion/keyed.mjs'
import { bentByCode } from './evasion/knowing.mjs'
import { cropped, psnrOf, ssimOf } from './evasion/visible.mjs'
import { hashed, Service } from './lookalikes/service.mjs'
import { percentile } from './report.mjs'
import { openEdits } from './robustness/edits.mjs'
import { photosOf } from './robustness/photos.mjs'
import { wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string' },
    split: { type: 'string', default: 'test' },
    limit: { type: 'string', default: '24' },
    every: { type: 'string', default: '8' },
    steps: { type: 'string', default: '160' },
    rounds: { type: 'string', default: '8' },
    rivals: { type: 'string', default: '99' },
    lines: { type: 'string' },
  },
})
if (args.photos === undefined) throw new Error('--photos names a folder of photographs')
const number = (name) => wholeNumber(args, name)
const KEYS = ['a', 'b', 'c']
const DEFENCES = { view: keyedView, query: keyedQuery }
/** Their edits are queried, to see what the defence changes for ordinary copies: every so many of the photographs. */
const EDITED_OF = 2
const EDITS = ['heavy', 'geometric']
/** What the attackers may cut off at each side before they change anything else, as few would notice. */
const CROP = 0.02
const ATTACKERS = ['knowing', 'knowing, after a crop', 'knowing the defence', 'blind', 'blind, after a crop']
const GUESSES = ['1', '2', '3', '4', '5', '6']

const MIN_QUALITY = SIGNAL_TYPES.pdq.minAskedQuality

const hasher = loadImageHasherSync()
const service = new Service()
const all = photosOf(args.photos, args.split, Number.POSITIVE_INFINITY)
const rows = new Map()
for (const { name, read } of all) {
  const { image } = await hashed(read(), 'register', true)
  if (image === undefined) continue
  await service.register(name, image)
  rows.set(
    name,
    image.signals.filter(({ type }) => type === 'pdq-area'),
  )
}
const chosen = all.filter((_, i) => i % number('every') === 0).filter(({ name }) => rows.has(name))
const photos = chosen.slice(0, number('limit'))

const found = async (image, depth) =>
  (await service.ask([image], depth))[0].filter(({ grade }) => grade !== 'review').map(({ name }) => name)

/** As a worker hashes a query, without a file. */
const askedOf = (pixels) => hasher.hash(pixels, 'query', pixels.aspect)

const kept = args.lines === undefined || !existsSync(args.lines) ? '' : readFileSync(args.lines, 'utf8')
const lines = kept.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
for (const photo of photos) {
  const line = lines.find(({ name }) => name === photo.name) ?? { name: photo.name, rows: rows.get(photo.name).length }
  if (!(await isBent(photo, line))) continue
  if (!lines.includes(line)) lines.push(line)
  console.log(JSON.stringify(line))
  if (args.lines !== undefined) writeFileSync(args.lines, lines.map((one) => `${JSON.stringify(one)}\n`).join(''))
}
const edited = await ordinaryCopies()
const rivals = await unrelated()
console.log(JSON.stringify({ photographs: lines.length, registered: rows.size, ...figures(), edited, rivals }, undefined, 1))

/** Lets each attacker bend copies who has not yet, and notes in `line` what they look like and what finds them. @returns whether any had to. */
async function isBent({ name, read }, line) {
  if (ATTACKERS.every((who) => who in line)) return false
  const pixels = await decode(read())
  const crop = cropped(pixels, [CROP, CROP, CROP, CROP])
  const isLost = async (copy, signalsOf = (_copy) => []) => {
    const image = askedOf(copy)
    if (image.quality < MIN_QUALITY) return true
    return !(await found({ ...image, signals: [...image.signals, ...signalsOf(copy)] }, 'hashes')).includes(name)
  }
  const own = rows.get(name)
  const steps = number('steps')
  const note = async (who, from, make) => {
    if (who in line) return undefined
    const best = await make()
    line[who] = best === undefined ? null : await judged(name, from, best)
    return best
  }
  await note('knowing', pixels, () => bentByCode(pixels, own, isLost, { steps }))
  await note('knowing, after a crop', crop, () => bentByCode(crop, own, isLost, { steps }))
  // Guesses what the defence may look at, and is content with no less.
  const crops = GUESSES.map((key) => cutsOf(key, name)).map(([left, top, right, bottom]) => [
    left,
    top,
    1 - right,
    1 - bottom,
  ])
  const guessed = (copy) => GUESSES.flatMap((key) => keyedView(copy, key, name))
  const isSurelyLost = (copy) => isLost(copy, guessed)
  await note('knowing the defence', pixels, () => bentByCode(pixels, own, isSurelyLost, { steps, crops }))
  const blind = await note('blind', pixels, async () => {
    const { least, ...tried } = await bentBlindly(pixels, name, isLost, number('rounds'))
    Object.assign(line, tried)
    return least
  })
  await note('blind, after a crop', crop, async () => blind && (await weakest(crop, blind.grid, isLost)))
  return true
}

/** What a lost copy looks like, and what finds it. */
async function judged(name, pixels, { copy }) {
  const raw = { raw: { width: copy.width, height: copy.height, channels: copy.channels } }
  const png = await sharp(copy.data, raw).png().toBuffer()
  const jpeg = await sharp(copy.data, raw).jpeg({ quality: 85 }).toBuffer()
  const asked = async (file, depth) => {
    const { image } = await hashed(Buffer.from(file), 'query', depth === 'auto')
    return image !== undefined && (await found(image, depth)).includes(name)
  }
  const again = {}
  for (const [defence, signalsOf] of Object.entries(DEFENCES)) {
    let times = 0
    const image = askedOf(copy)
    for (const key of KEYS) {
      const signals = [...image.signals, ...signalsOf(copy, key, png)]
      times += (await found({ ...image, signals }, 'hashes')).includes(name)
    }
    again[defence] = times / KEYS.length
  }
  return {
    psnr: rounded(psnrOf(pixels, copy), 2),
    ssim: rounded(ssimOf(pixels, copy), 4),
    isFoundAsPng: await asked(png, 'hashes'),
    isFoundAsJpeg: await asked(jpeg, 'hashes'),
    isFoundByDetails: await asked(png, 'auto'),
    again,
  }
}

/** Edits of some photographs: found without a defence, and by either with it. */
async function ordinaryCopies() {
  const edits = await openEdits({ only: EDITS, seed: '1' })
  const counts = { queries: 0, found: 0, view: 0, query: 0 }
  for (const photo of photos.filter((_, i) => i % EDITED_OF === 0))
    for await (const { bytes } of edits.of(photo)) {
      const pixels = await decode(bytes)
      const image = askedOf(pixels)
      counts.queries++
      const isFound = async (signals) => (await found({ ...image, signals }, 'hashes')).includes(photo.name)
      counts.found += await isFound(image.signals)
      for (const [defence, signalsOf] of Object.entries(DEFENCES))
        counts[defence] += await isFound([...image.signals, ...signalsOf(pixels, KEYS[0], bytes)])
    }
  return counts
}

/** Photographs of the other split: false matches, and processor time of hashing and searching. */
async function unrelated() {
  const others = photosOf(args.photos, args.split === 'test' ? 'tuning' : 'test', number('rivals'))
  const none = { falsely: 0, ms: [] }
  const counts = { without: none, view: { ...none, ms: [] }, query: { ...none, ms: [] } }
  for (const { read } of others) {
    const bytes = read()
    const pixels = await decode(bytes)
    for (const [defence, count] of Object.entries(counts)) {
      const begun = process.cpuUsage()
      const image = askedOf(pixels)
      const more = DEFENCES[defence]?.(pixels, KEYS[0], bytes) ?? []
      count.falsely += (await found({ ...image, signals: [...image.signals, ...more] }, 'hashes')).length
      const { user, system } = process.cpuUsage(begun)
      count.ms.push((user + system) / 1000)
    }
  }
  const summary = ({ falsely, ms }) => ({ falsely, medianMs: rounded(percentile(ms, 0.5), 2) })
  const byDefence = Object.entries(counts).map(([defence, count]) => [defence, summary(count)])
  return { queries: others.length, pairs: others.length * rows.size, ...Object.fromEntries(byDefence) }
}

function figures() {
  const share = (judgements, holds) => rounded(judgements.filter(holds).length / lines.length, 3)
  const quartiles = (values) => [0.25, 0.5, 0.75].map((part) => percentile(values, part))
  const kinds = (field, value) => {
    const names = [...new Set(lines.flatMap((line) => Object.keys(line[field])))]
    const of = (name) => lines.flatMap((line) => (line[field][name] === undefined ? [] : [value(line[field][name])]))
    return Object.fromEntries(
      names.map((name) => [name, { lost: of(name).length, median: rounded(percentile(of(name), 0.5), 3) }]),
    )
  }
  const of = (who) => {
    const judgements = lines.flatMap((line) => line[who] ?? [])
    const mean = (value) => rounded(judgements.reduce((sum, one) => sum + value(one), 0) / judgements.length, 3)
    return {
      lost: judgements.length,
      psnr: quartiles(judgements.map(({ psnr }) => psnr)),
      ssim: quartiles(judgements.map(({ ssim }) => ssim)),
      lostFrom30dB: share(judgements, ({ psnr }) => psnr >= 30),
      lostFrom35dB: share(judgements, ({ psnr }) => psnr >= 35),
      foundAsPng: mean(({ isFoundAsPng }) => Number(isFoundAsPng)),
      foundAsJpeg: mean(({ isFoundAsJpeg }) => Number(isFoundAsJpeg)),
      foundByDetails: mean(({ isFoundByDetails }) => Number(isFoundByDetails)),
      foundByKeyedView: mean(({ again }) => again.view),
      foundByKeyedQuery: mean(({ again }) => again.query),
    }
  }
  const fields = kinds('byKind', ({ psnr }) => psnr)
  const attackers = Object.fromEntries(ATTACKERS.map((who) => [who, of(who)]))
  return { attackers, fields, moved: kinds('moved', (share) => share) }
}

function rounded(value, digits) {
  return Number(value.toFixed(digits))
}

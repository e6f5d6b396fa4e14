// How often does the service match two unrelated pictures? Billions of pairs, by its own matcher.
//
//   npm run bench false-pairs -- --photos FOLDER --cache FOLDER [--rows FILE] [--limit N] [--pieces N] [--confusing N] [--batches N] [--from N] [--part I/N]
//   npm run bench false-pairs -- --cache FOLDER --sum
//
// Registers each photograph (or the first --limit), N pieces and N confusing pictures of it (in apps, frames, under text and stickers); pages of text
// and plain pictures; and --rows: hashes of 32 bytes, as pictures of 29 views. Queries all of these, and batches of 30 other pieces and one confusing
// picture of each photograph of the test split. --from N skips the batches before N, so that pictures by which a rule was chosen are not queried again.
// Two pictures of one photograph are no pair, and neither are two of --rows. Some queries go to the limit of `review`, which takes longer.
//
// Finished batches are kept in --cache and not repeated. SIGTERM ends after the current batch. --part divides the photographs among processes; --sum
// adds up what the cache has.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { SIGNAL_TYPES } from '../dist/packages/core/src/matching/signal-types.js'
import { hashed, Registered } from './false-pairs/catalogue.mjs'
import { confusingOf, pagesOf, piecesOf } from './false-pairs/pictures.mjs'
import { askedRows, pictureRows, registeredRows } from './false-pairs/rows.mjs'
import { counted, emptyTally, ratesOf, sumOf } from './false-pairs/tally.mjs'
import { progress } from './report.mjs'
import { photosOf } from './robustness/photos.mjs'

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string' },
    cache: { type: 'string' },
    rows: { type: 'string' },
    pieces: { type: 'string', default: '40' },
    limit: { type: 'string' },
    confusing: { type: 'string', default: '2' },
    batches: { type: 'string', default: '8' },
    from: { type: 'string', default: '0' },
    part: { type: 'string', default: '0/1' },
    sum: { type: 'boolean', default: false },
  },
})
if (args.cache === undefined || (args.photos === undefined && !args.sum)) {
  console.error(
    'usage: npm run bench false-pairs -- --photos FOLDER --cache FOLDER [--rows FILE] [--part I/N], or --cache FOLDER --sum',
  )
  process.exit(2)
}

const PAGES = 120
const BATCH = 30
const REVIEW_BITS = 56
const WIDE_OF = 5 // every so many is asked as far as that: photographs of batch 0
const WIDE_OF_ROWS = 20
const [pieces, confusing, batches, firstBatch] = [args.pieces, args.confusing, args.batches, args.from].map(Number)
const [part, parts] = args.part.split('/').map(Number)
const registeredFolder = join(args.cache, `registered-${pieces}-${confusing}`)
const askedFolder = join(args.cache, `asked-${pieces}-${confusing}-of-${args.limit ?? 'all'}`)

let isStopped = false
process.once('SIGTERM', () => {
  isStopped = true
})

if (args.sum) report()
else await main()

async function main() {
  for (const folder of [registeredFolder, askedFolder]) mkdirSync(folder, { recursive: true })
  const photos = photosOf(args.photos, 'all', Number(args.limit ?? Number.POSITIVE_INFINITY))
  const origins = [...photos, { stem: 'pages' }]
  // Each process begins with its own pictures, and then makes missing ones.
  const order = [...origins.keys()].sort((a, b) => Number(a % parts !== part) - Number(b % parts !== part))
  const draw = progress('hashing', origins.length)
  for (const [done, i] of order.entries()) {
    if (isStopped) return
    await registeredOf(origins[i])
    draw(done + 1)
  }
  const known = args.rows === undefined ? [] : pictureRows(args.rows)
  const registered = new Registered()
  for (const picture of known) registered.add(picture, registeredRows(picture))
  for (const origin of origins)
    for (const { picture, signals } of await registeredOf(origin)) registered.add(picture, signals)
  registered.settle()
  console.error(`${registered.pictures.length} pictures are registered`)

  for (const { name, pictures } of askedGroups(known)) {
    const file = join(askedFolder, `${name}.json`)
    if (!isStopped && !existsSync(file)) keep(file, JSON.stringify(await askedAbout(registered, pictures())))
  }
  report()
}

/** The queries, in groups. A finished group is cached. Photographs and rows alternate, so that an early end has some of both. */
function* askedGroups(known) {
  const origins = [...photosOf(args.photos, 'test', Number.POSITIVE_INFINITY), { stem: 'pages' }]
  const each = Math.ceil(known.length / origins.length)
  for (let batch = firstBatch; batch < batches; batch++) {
    for (const [i, origin] of origins.entries()) {
      if (i % parts !== part) continue
      yield { name: `${origin.stem}.${batch}`, pictures: () => askedPictures(origin, batch) }
      const from = i * each
      if (batch === 0 && from < known.length)
        yield { name: `rows.${from}`, pictures: () => askedKnown(known.slice(from, from + each)) }
    }
  }
}

/** `{ picture, signals }` of each registered picture of a photograph, or of pages. Pictures that the service refuses are left out. */
async function registeredOf(origin) {
  const file = join(registeredFolder, `${origin.stem}.bin`)
  if (existsSync(file)) return deserialize(readFileSync(file))
  const made = []
  for await (const { read, ...picture } of picturesOf(origin, 'registered', 0, pieces, confusing)) {
    const signals = hashed(await read(), 'register')
    if (signals !== undefined)
      made.push({ picture, signals: signals.map(({ hashes, ...rest }) => ({ ...rest, hashes: hashes.slice(0, 1) })) })
  }
  keep(file, serialize(made))
  return made
}

async function askedAbout(registered, pictures) {
  const tally = emptyTally()
  for await (const { picture, signals, isWide } of pictures) {
    if (signals === undefined) tally.refused++
    else {
      const isPlain = signals[0]?.quality < SIGNAL_TYPES.pdq.minQuality
      const matches = await registered.ask(signals, isWide ? REVIEW_BITS : undefined)
      counted(tally, { picture, isPlain, isWide, matches, pairs: registered.pairsWith(picture) })
    }
  }
  return tally
}

async function* askedPictures(origin, batch) {
  let number = 0
  for await (const { read, ...picture } of picturesOf(origin, 'asked', batch * BATCH, (batch + 1) * BATCH, 1, batch))
    yield { picture, signals: hashed(await read(), 'query'), isWide: batch === 0 && number++ % WIDE_OF === 0 }
}

function* askedKnown(known) {
  for (const [i, picture] of known.entries()) yield { picture, signals: askedRows(picture), isWide: i % WIDE_OF_ROWS === 0 }
}

async function* picturesOf(origin, side, from, to, drawn, batch = 0) {
  if (origin.stem === 'pages') {
    yield* pagesOf(`${side}-${batch}`, side === 'asked' ? BATCH : PAGES)
    return
  }
  yield* piecesOf(origin, side, from, to)
  yield* confusingOf(origin, side, batch * drawn, (batch + 1) * drawn)
}

function report() {
  const tallies = readdirSync(askedFolder).map((name) => JSON.parse(readFileSync(join(askedFolder, name), 'utf8')))
  console.log(JSON.stringify(ratesOf(sumOf(tallies)), undefined, 1))
}

/** Writes a file completely or not at all. */
function keep(file, content) {
  writeFileSync(`${file}.${process.pid}`, content)
  renameSync(`${file}.${process.pid}`, file)
}

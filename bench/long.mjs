// How often are long pictures found by their parts, do they find the photographs in them, and do unrelated chats match each other?
//
//   npm run bench long -- [--photos FOLDER] [--set a|b] [--kinds A,B] [--size N] [--length PX] [--chats N] [--seed N] [--json]
//
// Draws --size screenshots of each kind (chat, feed, comic, page; or those of --kinds), 1,080 pixels wide and --length pixels long, with photographs
// of the folder or drawn scenes. The worker's code registers all of them, and the service's matcher is queried with parts: phone screens and squares
// at any offset, by the share of the best visible photograph that they show; single photographs; the whole; a long part. Then each photograph is
// registered and the long picture is queried. Last, --chats chats without a common photograph are registered together, and each of them and three
// screens of it are queried: a match with another chat is false. --chats 0 leaves this out. A match for review does not count. Progress is on stderr.

import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { drawLong, KIND_NAMES, WIDTH_PX } from './long/draw.mjs'
import { photographs } from './lookalikes/photos.mjs'
import { hashed, Service } from './lookalikes/service.mjs'
import { commit } from './robustness/record.mjs'
import { randomOf } from './variants/random.mjs'

const { values } = parseArgs({
  options: {
    photos: { type: 'string' },
    set: { type: 'string', default: 'b' },
    kinds: { type: 'string', default: KIND_NAMES.join(',') },
    size: { type: 'string', default: '3' },
    length: { type: 'string', default: '20000' },
    chats: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const [size, lengthPx, chats] = [values.size, values.length, values.chats].map(Number)
const { set, seed } = values
const kinds = KIND_NAMES.filter((kind) => values.kinds.split(',').includes(kind))
if (kinds.length < values.kinds.split(',').length) {
  console.error(`--kinds: some of ${KIND_NAMES.join(', ')}`)
  process.exit(2)
}
const progress = (text) => process.stderr.write(`${text}\n`)
// The decoder blocks most loaders for the whole process; what is drawn here is SVG.
sharp.unblock({ operation: ['VipsForeignLoad'] })
const photos = photographs(values, 40)
const service = new Service()
const counts = {}
/** Number of parts of each kind to query, at any offset. */
const PARTS = 8
const PHOTOS_OF_EACH = 14
const CHAT_PX = 12_000

for (const kind of kinds) {
  for (let i = 0; i < size; i++) {
    progress(`${kind} ${i + 1} of ${size}`)
    const long = await drawn(kind, i, lengthPx)
    await measureParts(kind, long, randomOf(`parts ${seed} ${kind} ${i}`))
    await measureContained(kind, long)
  }
}
const chatPairs = await measureChats()
const conditions = { set, seed, kinds, size, lengthPx, photos: photos.length }
const figures = { commit: commit(), conditions, counts, chatPairs }
console.log(values.json ? JSON.stringify(figures) : table())

function drawn(kind, i, length, photoShare) {
  const random = randomOf(`long ${seed} ${set} ${kind} ${i}`)
  return drawLong(kind, random, photos, { first: i * PHOTOS_OF_EACH, lengthPx: length, photoShare })
}

/** Registers the long picture and queries its parts. */
async function measureParts(kind, { bytes, places }, random) {
  service.clear()
  await register('long', bytes)
  const ask = async (query, part) => note(query, kind, (await gradesOf(part)).get('long'))
  for (let i = 0; i < PARTS; i++) {
    for (const [name, height] of [
      ['screen', random.int(2180, 2400)],
      ['square', WIDTH_PX],
    ]) {
      const top = random.int(0, lengthPx - height)
      const part = await partOf(bytes, { left: 0, top, width: WIDTH_PX, height }, random.pick([640, 720, 1080]))
      await ask(`${name}, ${shownOf(places, top, top + height)}`, part)
    }
  }
  await ask('whole, smaller', await sharp(bytes).resize(540).jpeg({ quality: 70 }).toBuffer())
  const half = { left: 0, top: Math.round(lengthPx / 4), width: WIDTH_PX, height: Math.round(lengthPx / 2) }
  await ask('half of it', await partOf(bytes, half, 900))
  for (const place of places.filter(isSampled)) await ask('photograph', await partOf(bytes, place, place.width))
}

/** Registers the photographs and queries the long picture. */
async function measureContained(kind, { bytes, places }) {
  service.clear()
  const contained = places.filter(isSampled)
  for (const [i, place] of contained.entries()) await register(`${i}`, await partOf(bytes, place, place.width))
  const grades = await gradesOf(await sharp(bytes).resize(864).jpeg({ quality: 78 }).toBuffer())
  for (const i of contained.keys()) note('photograph registered, long picture asked', kind, grades.get(`${i}`))
}

async function measureChats() {
  service.clear()
  const drawnChats = []
  if (chats > 0) progress(`${chats} chats`)
  for (let i = 0; i < chats; i++) drawnChats.push(await drawn('chat', i, CHAT_PX, i % 3 === 0 ? 0.07 : undefined))
  for (const [i, { bytes }] of drawnChats.entries()) await register(`${i}`, bytes)
  const pairs = { asked: 0, false: 0 }
  for (const [i, { bytes, places }] of drawnChats.entries()) {
    progress(`asking about chat ${i + 1} of ${chats}`)
    const screens = [0.05, 0.4, 0.75].map((at) => ({
      left: 0,
      top: Math.round(at * CHAT_PX),
      width: WIDTH_PX,
      height: 2340,
    }))
    const names = new Set(places.map(({ name }) => name))
    const others = drawnChats.map((_, j) => j).filter((j) => !drawnChats[j].places.some(({ name }) => names.has(name)))
    for (const part of [bytes, ...(await Promise.all(screens.map((screen) => partOf(bytes, screen, WIDTH_PX))))]) {
      const grades = await gradesOf(part)
      pairs.asked += others.length
      pairs.false += others.filter((j) => j !== i && grades.has(`${j}`)).length
    }
  }
  return pairs
}

async function register(name, bytes) {
  const { image } = await hashed(bytes, 'register', false)
  if (image !== undefined) await service.register(name, image)
}

/** @returns grade by name of what is found; nothing for a query that is refused. */
async function gradesOf(bytes) {
  const { image } = await hashed(bytes, 'query', false)
  const [matches] = image === undefined ? [[]] : await service.ask([image], 'hashes')
  return new Map(matches.filter(({ grade }) => grade !== 'review').map(({ name, grade }) => [name, grade]))
}

function partOf(bytes, { left, top, width, height }, widthPx) {
  return sharp(bytes).extract({ left, top, width, height }).resize(widthPx).jpeg({ quality: 75 }).toBuffer()
}

/** The largest share of a photograph that the part shows. */
function shownOf(places, from, to) {
  const shares = places.map(({ top, height }) => (Math.min(to, top + height) - Math.max(from, top)) / height)
  const most = Math.max(0, ...shares)
  return most >= 0.97 ? 'a whole photograph' : most >= 0.6 ? 'most of one' : 'less'
}

function isSampled(_, i) {
  return i % 3 === 0
}

function note(query, kind, grade) {
  counts[query] ??= {}
  counts[query][kind] ??= { asked: 0, found: 0, sure: 0 }
  const count = counts[query][kind]
  count.asked++
  if (grade !== undefined) count.found++
  if (grade === 'strong' || grade === 'exact') count.sure++
}

function table() {
  const cell = (count) =>
    count === undefined ? '-' : `${count.found} of ${count.asked}${count.sure > 0 ? `, ${count.sure} sure` : ''}`
  const rows = Object.entries(counts).map(
    ([query, by]) => `| ${query} | ${kinds.map((kind) => cell(by[kind])).join(' | ')} |`,
  )
  const head = `| query | ${kinds.join(' | ')} |\n|${' --- |'.repeat(1 + kinds.length)}`
  return `${[head, ...rows].join('\n')}\n${chatPairs.false} of ${chatPairs.asked} pairs of unrelated chats match`
}

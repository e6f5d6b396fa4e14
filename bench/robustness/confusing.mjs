// Makes a folder of pictures to be confused by, for --distractors: what other photographs look like in the same apps, with the same stickers and
// the same captions; pieces of them; pages of text; plain ones.
//
//   node bench/robustness/confusing.mjs PHOTOS FOLDER [CACHE]
//
// Of the tuning split, also where a page shows others beside one, so that none of what is measured is in it. CACHE is one of edits, of seed 1.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { randomOf } from '../variants/random.mjs'
import { KINDS } from './confusing-kinds.mjs'
import { openEdits } from './edits.mjs'
import { photosOf } from './photos.mjs'

const SHOWING_OTHERS = ['ss_gallery', 'ss_gallery_handcrop', 'un_profile_grid']
const BESIDE = [1, 7, 13, 29]
const PIECES = 15
const LEAST_PIECE_SIDE = 0.3
const TEXT_PAGES = 120
const PLAIN = 80
const SYLLABLES = ['ba', 'ta', 'ko', 'ri', 'men', 'su', 'lang', 'di', 'per', 'na', 'gar', 'the', 'in', 'of', 'ment', 'ker']

const [folder, to, cache] = process.argv.slice(2)
if (folder === undefined || to === undefined) {
  console.error('usage: node bench/robustness/confusing.mjs PHOTOS FOLDER [CACHE]')
  process.exit(2)
}
mkdirSync(to, { recursive: true })
const layouts = new URL('../variants/unseen.mjs', import.meta.url).pathname
const edits = await openEdits({ layouts, only: KINDS, seed: '1', cache })
// Not from the cache, where they stand beside photographs of either split.
const shared = await openEdits({ layouts, only: SHOWING_OTHERS, seed: '1' })
const photos = photosOf(folder, 'tuning', Number.POSITIVE_INFINITY)
for (const [i, photo] of photos.entries()) {
  const others = BESIDE.map((step) => photos[(i + step) % photos.length].name).filter((name) => name !== photo.name)
  writeFileSync(join(to, photo.name), photo.read())
  for await (const { id, bytes } of edits.of(photo)) writeFileSync(join(to, `${photo.stem}.${id}.jpg`), bytes)
  for await (const { id, bytes } of shared.of({ ...photo, others }))
    writeFileSync(join(to, `${photo.stem}.${id}.jpg`), bytes)
  for (let i = 0; i < PIECES; i++) writeFileSync(join(to, `${photo.stem}.piece-${i}.jpg`), await piece(photo, i))
}
for (let page = 0; page < TEXT_PAGES; page++) await draw(`text-${page}`, textPage(page))
for (let i = 0; i < PLAIN; i++) await draw(`plain-${i}`, plain(i))

/** Of any place and shape, mirrored or not: a registered picture of its own, so that there are more pairs than photographs. */
async function piece({ stem, read }, i) {
  const random = randomOf(`piece ${stem} ${i}`)
  const { data, info } = await sharp(read()).rotate().toBuffer({ resolveWithObject: true })
  const side = (whole) => Math.round(whole * (LEAST_PIECE_SIDE + random.int(0, 500) / 1000))
  const [width, height] = [side(info.width), side(info.height)]
  const [left, top] = [random.int(0, info.width - width), random.int(0, info.height - height)]
  return sharp(data)
    .extract({ left, top, width, height })
    .flop(random.int(0, 1) === 1)
    .jpeg({ quality: 85 })
    .toBuffer()
}

async function draw(name, svg) {
  writeFileSync(
    join(to, `${name}.jpg`),
    await sharp(Buffer.from(svg)).flatten({ background: '#fff' }).jpeg({ quality: 85 }).toBuffer(),
  )
}

function textPage(page) {
  const random = randomOf(`text ${page}`)
  const [width, height] = [700 + random.int(0, 499), 900 + random.int(0, 699)]
  const size = 13 + random.int(0, 15)
  const family = random.pick(['serif', 'sans-serif', 'monospace'])
  const [ink, paper] = random.int(0, 3) === 0 ? ['#ddd', '#1a1a1a'] : ['#222', '#fff']
  const lines = []
  for (let y = 2 * size; y < height - size; y += 1.5 * size) {
    if (random.int(0, 6) === 0) continue
    let words = ''
    while (words.length * 0.52 * size < width - 3 * size) words += wordOf(random)
    lines.push(`<text x="${1.2 * size}" y="${y}">${words}</text>`)
  }
  return pageOf(width, height, paper, `<g font-family="${family}" font-size="${size}" fill="${ink}">${lines.join('')}</g>`)
}

function wordOf(random) {
  return `${Array.from({ length: 1 + random.int(0, 3) }, () => random.pick(SYLLABLES)).join('')} `
}

/** Shades, stripes, boxes: what has little to be found by. */
function plain(i) {
  const random = randomOf(`plain ${i}`)
  const colour = () => `hsl(${random.int(0, 359)} ${random.int(0, 79)}% ${20 + random.int(0, 59)}%)`
  const boxes = Array.from({ length: i % 5 }, () => {
    const [x, y] = [random.int(0, 699), random.int(0, 699)]
    return `<rect x="${x}" y="${y}" width="${60 + random.int(0, 399)}" height="${20 + random.int(0, 299)}" rx="${random.int(0, 29)}" fill="${colour()}"/>`
  })
  const shade = `<linearGradient id="s" x2="${random.int(0, 1)}" y2="1"><stop stop-color="${colour()}"/><stop offset="1" stop-color="${colour()}"/></linearGradient>`
  return pageOf(800, 900, 'url(#s)', boxes.join(''), shade)
}

function pageOf(width, height, paper, body, defs = '') {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>${defs}</defs><rect width="100%" height="100%" fill="${paper}"/>${body}</svg>`
}

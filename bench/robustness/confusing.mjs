// Makes a folder of confusing pictures for --distractors: other photographs in the same apps, with the same stickers and the same captions; pieces of
// them; pages of text; plain pictures.
//
//   node bench/robustness/confusing.mjs PHOTOS FOLDER [CACHE]
//
// Uses photographs of the tuning split only, also where a page shows several, so that no measured photograph is in them. CACHE is one of edits, of seed 1.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { randomOf } from '../variants/random.mjs'
import { KINDS } from './confusing-kinds.mjs'
import { openEdits } from './edits.mjs'
import { plain, textPage } from './pages.mjs'
import { photosOf } from './photos.mjs'

const SHOWING_OTHERS = ['ss_gallery', 'ss_gallery_handcrop', 'un_profile_grid']
const BESIDE = [1, 7, 13, 29]
const PIECES = 15
const MIN_PIECE_SIDE = 0.3
const TEXT_PAGES = 120
const PLAIN = 80

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
for (let i = 0; i < PLAIN; i++) await draw(`plain-${i}`, plain(i, i % 5))

/** Of any place and shape, mirrored or not: a registered picture of its own, so that there are more pairs than photographs. */
async function piece({ stem, read }, i) {
  const random = randomOf(`piece ${stem} ${i}`)
  const { data, info } = await sharp(read()).rotate().toBuffer({ resolveWithObject: true })
  const side = (whole) => Math.round(whole * (MIN_PIECE_SIDE + random.int(0, 500) / 1000))
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

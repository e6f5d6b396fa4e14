// What tells a picture that was bent to the PDQ of a registered one from a copy of it? For each photograph: saved and turned copies whose whole has the
// same PDQ, and another photograph that was bent to it. Counts which keep half of their pieces (`piecesSurplusBits`), as `exact` requires.
//
//   node bench/archive/bent.mjs --photos FOLDER [--split test] [--limit 40]
//
// The status is 1 if a bent picture keeps them.

import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { agreementOf } from '../../dist/packages/core/src/matching/agreement.js'
import { distance } from '../../dist/packages/hash/src/hash256.js'
import { orientationsOf } from '../../dist/packages/hash/src/transforms.js'
import { bentTo } from '../../dist/test/attack/bent.js'
import { hashImage } from '../../dist/workers/media/hashes-of-file.js'
import { photosOf } from '../robustness/photos.mjs'
import { wholeNumber } from '../service.mjs'

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string' },
    split: { type: 'string', default: 'test' },
    limit: { type: 'string', default: '40' },
  },
})
if (args.photos === undefined) throw new Error('--photos names a folder of photographs')
const SIZE = { width: 900, height: 900, fit: 'inside', withoutEnlargement: true }
const EDITS = {
  ...Object.fromEntries([90, 75, 50, 30].map((quality) => [`jpeg ${quality}`, (image) => image.jpeg({ quality })])),
  webp: (image) => image.webp({ quality: 60 }),
  brighter: (image) => image.modulate({ brightness: 1.05 }).jpeg({ quality: 85 }),
  ...Object.fromEntries([90, 180, 270].map((angle) => [`turned ${angle}`, (image) => image.rotate(angle).png()])),
  mirrored: (image) => image.flop().png(),
}

const rowsOf = ({ signals }, wanted) =>
  signals.filter(({ type }) => type === wanted).map(({ view, hashes: [hash] }) => ({ view, hash }))

/** In the orientation in which the wholes are nearest. */
function compared({ signals }, registered) {
  const { hashes } = signals.find(({ type, view }) => type === 'pdq' && view === 'whole')
  const [{ hash: own }] = rowsOf(registered, 'pdq')
  const bits = hashes.map((hash) => distance(hash, own))
  const wholeBits = Math.min(...bits)
  const orientation = orientationsOf(bits.length)[bits.indexOf(wholeBits)]
  const rows = { pdq: rowsOf(registered, 'pdq'), area: rowsOf(registered, 'pdq-area') }
  const { piecesSurplusBits = Number.POSITIVE_INFINITY } = agreementOf(signals, rows, orientation) ?? {}
  return { isEqual: wholeBits === 0, keeps: piecesSurplusBits >= 0 }
}

function count(counted, { isEqual, keeps }) {
  counted.asked++
  if (isEqual) counted.equal++
  if (isEqual && keeps) counted.kept++
}

const photos = []
for (const photo of photosOf(args.photos, args.split, wholeNumber(args, 'limit'))) {
  const bytes = await sharp(photo.read()).rotate().resize(SIZE).png().toBuffer()
  photos.push({ bytes, registered: await hashImage(Buffer.from(bytes), 'register') })
}
const copies = Object.fromEntries(Object.keys(EDITS).map((name) => [name, { asked: 0, equal: 0, kept: 0 }]))
for (const { bytes, registered } of photos) {
  for (const [name, edit] of Object.entries(EDITS)) {
    count(copies[name], compared(await hashImage(await edit(sharp(bytes)).toBuffer(), 'query'), registered))
  }
}
const bent = { asked: 0, equal: 0, kept: 0 }
for (const [i, { bytes }] of photos.entries()) {
  const { registered } = photos[(i + 1) % photos.length]
  const cover = sharp(bytes).resize(640, 480, { fit: 'inside' }).removeAlpha().raw()
  const { data, info } = await cover.toBuffer({ resolveWithObject: true })
  const { picture } = bentTo({ data, width: info.width, height: info.height }, rowsOf(registered, 'pdq')[0].hash)
  const { data: pixels, width, height } = picture
  const png = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
  count(bent, compared(await hashImage(png, 'query'), registered))
}
console.log(JSON.stringify({ photographs: photos.length, copies, bent }, undefined, 2))
if (bent.equal === 0) throw new Error('no picture could be bent')
if (bent.kept > 0) process.exitCode = 1

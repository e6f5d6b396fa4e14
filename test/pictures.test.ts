// The pictures that the other tests rely on are what they claim to be.

import sharp from 'sharp'
import t from 'tap'
import { canary, findCanary } from './helpers/canary.js'
import { bombPng, longGif, svg, tooLarge, tooPlain, unreadable } from './helpers/hostile-pictures.js'
import {
  CHUNK_BYTES,
  cutHalfWay,
  endingOnChunkBorder,
  imagePart,
  images,
  multipart,
  streamed,
  withoutFinalBoundary,
} from './helpers/multipart.js'
import { everyFormat, oddButGood, orientations, orientedJpeg, type Picture, paddedJpeg, scene } from './helpers/pictures.js'

const PIXEL_LIMIT = 50_000_000

t.test('a seed gives the same picture in every format, form and orientation, and another seed another one', async (t) => {
  const upright = await thumbnail(await scene(1))
  const rotated = await Promise.all(orientations.map((orientation) => orientedJpeg(1, orientation)))
  const formats = (await everyFormat(1)).filter(({ name }) => !/\.(bmp|jxl)$/.test(name)) // sharp reads all others
  const same = [...formats, ...(await oddButGood(1)), ...rotated, await paddedJpeg(1, 1_000_000)]

  for (const picture of same) t.ok(meanDifference(await thumbnail(picture), upright) < 8, picture.name)
  t.ok(meanDifference(await thumbnail(await scene(2)), upright) > 24)
})

t.test('a picture has the same bytes each time, and each caller has its own copy', async (t) => {
  const first = await scene(3)
  const sent = Buffer.from(first.bytes)
  first.bytes.fill(0)

  t.strictSame((await scene(3)).bytes, sent)
})

t.test('unreadable files are refused by the decoder, and a drawing only by the list of decoders', async (t) => {
  const drawing = await svg()
  for (const picture of await unreadable()) {
    if (picture.name === drawing.name) continue
    await t.rejects(pixelsOf(picture), picture.name)
  }
  await t.resolves(pixelsOf(drawing), drawing.name)
})

t.test('the bomb is small and declares 3,600 megapixels', async (t) => {
  const { bytes } = await bombPng()

  t.ok(bytes.length < 4_000_000)
  t.match(await sharp(bytes, { limitInputPixels: false }).metadata(), { width: 60_000, height: 60_000 })
})

t.test('the bomb is a valid PNG', async (t) => {
  const { bytes } = await bombPng({ width: 1500, height: 1501 })

  t.equal((await sharp(bytes).toColourspace('b-w').raw().toBuffer()).length, 1500 * 1501)
})

t.test('the long GIF has 10,000 frames, and its first is the picture', async (t) => {
  const picture = await longGif()

  t.equal((await sharp(picture.bytes, { pages: -1, limitInputPixels: false }).metadata()).pages, 10_000)
  t.ok(meanDifference(await thumbnail(picture), await thumbnail(await scene(80))) < 8)
})

t.test('the plain and the large pictures decode', async (t) => {
  for (const picture of await tooPlain()) await t.resolves(pixelsOf(picture), picture.name)
  const large = await tooLarge({ mark: 'mark' })
  t.equal(large.bytes.length, 30 * 1024 * 1024)
  await t.resolves(pixelsOf(large))
})

t.test('the canary is found in every file that carries it, in pixels, and in every encoding', async (t) => {
  const { accepted, refused, needles, pattern } = await canary(7)
  const bare = new Set(['empty.jpg', 'header.jpg'])

  for (const { name, bytes } of [...accepted, ...refused]) {
    t.equal(name.slice(0, pattern.length), pattern.toString())
    if (!bare.has(name.slice(pattern.length + 1))) t.not(findCanary(bytes, needles).length, 0, name)
  }
  for (const picture of accepted.filter(({ contentType }) => contentType !== 'image/jpeg')) {
    const rgb = await pixelsOf(picture)
    t.strictSame(findCanary(rgb, needles), ['rgb pixels'], picture.name)
    t.strictSame(findCanary(await sharp(picture.bytes).ensureAlpha().raw().toBuffer(), needles), ['rgba pixels'])
    t.not(findCanary(Buffer.from(JSON.stringify({ rgb })), needles).length, 0)
    for (const shift of [0, 1, 2]) t.not(findCanary(Buffer.from(rgb.subarray(shift).toString('base64')), needles).length, 0)
  }
  for (const written of [pattern.toString('hex'), JSON.stringify(pattern), String(pattern)]) {
    t.not(findCanary(Buffer.from(`before ${written} behind`), needles).length, 0)
  }
  for (const before of ['', 'x', 'xy']) {
    t.not(findCanary(Buffer.from(Buffer.from(`${before}${pattern}z`).toString('base64')), needles).length, 0)
  }
  t.strictSame(findCanary(await pixelsOf(await scene(7)), needles), [])
})

t.test('a multipart body ends, breaks and is split as its function’s name says', async (t) => {
  const picture = await scene(4)
  const whole = images([picture])
  const bordered = endingOnChunkBorder(picture)
  const pieces: Buffer[] = []
  for await (const piece of streamed([imagePart(picture)]).payload) pieces.push(piece)

  t.ok(whole.payload.includes(picture.bytes))
  t.equal(bordered.payload.indexOf('\r\n------tabir', 64) % CHUNK_BYTES, 0)
  t.strictSame(Buffer.concat(pieces), whole.payload)
  t.equal(cutHalfWay(whole).payload.length, whole.payload.length >> 1)
  t.strictSame(Buffer.concat([withoutFinalBoundary([imagePart(picture)]).payload, multipart([]).payload]), whole.payload)
})

/** The visible picture, in 32 × 32 greys. */
function thumbnail({ bytes }: Picture): Promise<Buffer> {
  const seen = sharp(bytes).autoOrient().flatten({ background: '#fff' })
  return seen.resize(32, 32, { fit: 'fill' }).toColourspace('b-w').raw().toBuffer()
}

function meanDifference(a: Buffer, b: Buffer): number {
  return a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length
}

async function pixelsOf({ bytes }: Picture): Promise<Buffer> {
  return sharp(bytes, { limitInputPixels: PIXEL_LIMIT }).raw().toBuffer()
}

// Files that show more than one picture: on a light and a dark background, with and without a clean aperture.

import sharp, { type Sharp } from 'sharp'
import t from 'tap'
import { distance } from '../../../packages/hash/src/hash256.js'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import { eachFrame } from '../../../workers/media/decode.js'
import type { DecodedPicture } from '../../../workers/media/decoded-picture.js'
import { hashImage } from '../../../workers/media/hashes-of-file.js'
import { withAperture, withGamma } from '../../helpers/marked-pictures.js'
import { fromPixels, scene, scenePixels } from '../../helpers/pictures.js'

const framesOf = (bytes: Buffer, maxFrames?: number): Promise<DecodedPicture[]> =>
  eachFrame(
    bytes,
    { sizeFor: hashedSize, purpose: 'query', ...(maxFrames !== undefined && { maxFrames }) },
    ({ pixels }) => ({
      ...pixels,
      data: Buffer.from(pixels.data),
    }),
  )

const SIZE = { width: 320, height: 240 }

/** The scene in a circle, transparent around it. */
function sticker(): Sharp {
  const { data, width, height } = scenePixels(3, SIZE)
  const rgba = Buffer.alloc(4 * width * height)
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.copy(rgba, 4 * pixel, 3 * pixel, 3 * pixel + 3)
    const [x, y] = [(2 * (pixel % width)) / width - 1, (2 * Math.floor(pixel / width)) / height - 1]
    rgba[4 * pixel + 3] = x ** 2 + y ** 2 < 0.8 ? 255 : 0
  }
  return sharp(rgba, { raw: { width, height, channels: 4 } })
}

/** White shapes on a transparent background. */
async function whiteDrawing(): Promise<Buffer> {
  const { data, width, height } = scenePixels(5, SIZE)
  const rgba = Buffer.alloc(4 * width * height, 255)
  for (let pixel = 0; pixel < width * height; pixel++) rgba[4 * pixel + 3] = data[3 * pixel] ?? 0
  return sharp(rgba, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer()
}

t.test('a transparent picture is shown on white, then on black', async (t) => {
  for (const bytes of [
    await sticker().png().toBuffer(),
    await sticker().webp({ lossless: true, exact: true, effort: 0 }).toBuffer(),
    withGamma(await sticker().png().toBuffer(), 0.3),
  ]) {
    const [white, black, ...others] = await framesOf(bytes)
    t.same([...(white?.data.subarray(0, 3) ?? [])], [255, 255, 255])
    t.same([...(black?.data.subarray(0, 3) ?? [])], [0, 0, 0])
    const middle = 3 * (120 * SIZE.width + 160)
    t.same([...(white?.data.subarray(middle, middle + 3) ?? [])], [...(black?.data.subarray(middle, middle + 3) ?? [])])
    t.equal(others.length, 0)
    t.equal((await framesOf(bytes, 1)).length, 1)
  }
})

t.test('half-transparent pixels are rounded as in browsers', async (t) => {
  const data = Buffer.alloc(4 * SIZE.width * SIZE.height).map((_, at) => [101, 102, 103, 128][at % 4] ?? 0)
  const bytes = await sharp(data, { raw: { ...SIZE, channels: 4 } })
    .png()
    .toBuffer()
  const [white, black] = await framesOf(bytes)
  const levels = (background: number) => [101, 102, 103].map((level) => Math.round((level * 128 + background * 127) / 255))
  t.same([...(white?.data.subarray(0, 3) ?? [])], levels(255))
  t.same([...(black?.data.subarray(0, 3) ?? [])], levels(0))
})

t.test('a large transparent picture is decoded once for both backgrounds', async (t) => {
  const background = { r: 90, g: 90, b: 90, alpha: 0.4 }
  const png = await sharp({ create: { width: 3000, height: 3000, channels: 4, background } })
    .toColourspace('rgb16')
    .png({ progressive: true, compressionLevel: 1 })
    .toBuffer()
  const [white, black, ...others] = await framesOf(png)
  t.equal(white?.width, black?.width)
  const expected = [90 * 0.4 + 255 * 0.6, 90 * 0.4].map(Math.round)
  for (const [k, picture] of [white, black].entries()) {
    t.ok(Math.abs((picture?.data[0] ?? -99) - (expected[k] ?? 0)) <= 3, `${picture?.data[0]}`)
  }
  t.equal(others.length, 0)
})

t.test('a GIF frame smaller than its canvas is transparent around it', async (t) => {
  const gif = await fromPixels(scenePixels(3, SIZE)).gif({ effort: 1 }).toBuffer()
  const [alone] = await framesOf(gif)
  const frameAt = gif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0, 0x40, 0x01, 0xf0, 0x00]))
  const framed = Buffer.from(gif)
  framed.writeUInt16LE(400, 6)
  framed.writeUInt16LE(300, 8)
  framed.writeUInt16LE(50, frameAt + 1)
  framed.writeUInt16LE(30, frameAt + 3)

  for (const [k, picture] of (await framesOf(framed)).entries()) {
    t.match(picture, { width: 400, height: 300 })
    const level = k === 0 ? 255 : 0
    t.same(
      [0, 3 * (29 * 400 + 50), 3 * (30 * 400 + 49), picture.data.length - 1].map((at) => picture.data[at]),
      Array(4).fill(level),
    )
    const row = 3 * (400 * (30 + 100) + 50)
    t.ok(picture.data.subarray(row, row + 960).equals(alone?.data.subarray(960 * 100, 960 * 101) ?? Buffer.alloc(0)))
  }
  t.equal((await framesOf(framed)).length, 2)
})

t.test('a picture whose alpha hides nothing is shown once', async (t) => {
  const opaque = await fromPixels(scenePixels(3, SIZE)).ensureAlpha(1).png().toBuffer()

  t.ok((await sharp(opaque).metadata()).hasAlpha)
  t.equal((await framesOf(opaque)).length, 1)
  t.equal((await framesOf((await scene(3)).bytes)).length, 1)
})

t.test('a sticker is found by its look in a chat, on white and on black', async (t) => {
  const { signals } = await hashImage(await sticker().webp({ quality: 90 }).toBuffer(), 'register')

  for (const background of ['#fff', '#000']) {
    const shown = await sticker().flatten({ background }).jpeg({ quality: 85 }).toBuffer()
    const asked = (await hashImage(shown, 'query')).signals[0]?.hashes[0]
    const bits = signals.map(({ type, hashes: [hash] }) => (type === 'pdq' && hash && asked ? distance(hash, asked) : 256))
    t.ok(Math.min(...bits) <= 10, `${background}: ${Math.min(...bits)} bits`)
  }
})

t.test('white shapes on a transparent background have their quality on black', async (t) => {
  const { quality, signals, mainFrame } = await hashImage(await whiteDrawing(), 'register')

  t.ok(quality >= 50, `quality ${quality}`)
  t.equal(mainFrame, 1)
  t.ok(signals.length > 1)
})

t.test('a picture with a clean aperture is shown without and with it', async (t) => {
  const { bytes } = await scene(2, { format: 'avif', ...SIZE })
  const cut = withAperture(bytes, 64, 32)

  t.match(await sharp(cut).metadata(), { width: 64, height: 32 })
  const [whole, part, ...others] = await framesOf(cut)
  t.match(whole, SIZE)
  t.match(part, { width: 64, height: 32 })
  t.equal(others.length, 0)
  t.same((await hashImage(cut, 'query')).signals[0], (await hashImage(bytes, 'query')).signals[0])
})

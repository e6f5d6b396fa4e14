import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { distance } from '../../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../../packages/hash/src/pdq-kernel.js'
import { MAX_PIXELS, MAX_SIDE_PX } from '../../../packages/hash/src/pixels.js'
import { FULL_RESOLUTION_PIXELS, hashedSize } from '../../../packages/hash/src/reduced-side.js'
import { isProblemCode } from '../../../src/domain/problem.js'
import { decode, eachFrame } from '../../../workers/media/decode.js'
import { checkDecoderFloors } from '../../../workers/media/libvips.js'
import { bombPng, longGif, onePixel, ppm, svg, tooLarge, unreadable } from '../../helpers/hostile-pictures.js'
import {
  everyFormat,
  fromPixels,
  oddButGood,
  orientations,
  orientedJpeg,
  type Pixels,
  palettePng,
  type Size,
  scene,
  scenePixels,
  trailingGarbageJpeg,
} from '../../helpers/pictures.js'

const { hash } = loadPdqKernelSync()
const codeOf = (bytes: Buffer): Promise<unknown> =>
  decode(bytes).then(
    () => 'decoded',
    (error) => error.code,
  )

t.test('decodes every allowed format, in every form that cameras and old programs write, to the same picture', async (t) => {
  const truth = hash({ ...scenePixels(1), channels: 3 }).hash

  for (const { name, bytes } of [...(await everyFormat(1)), ...(await oddButGood(1))]) {
    const picture = await decode(bytes)
    t.match(picture, { width: 640, height: 480, channels: 3 }, name)
    t.equal(picture.data.length, 640 * 480 * 3, name)
    // Pictures in inks are hashed as browsers show them, and as their profile says.
    const limits = { sizeFor: hashedSize, purpose: 'register' } as const
    const frames = await eachFrame(bytes, limits, ({ pixels }) => distance(hash(pixels).hash, truth))
    const bits = Math.min(...frames)
    t.ok(bits <= 31, `${name} lies ${bits} bits away`)
  }
})

t.test('turns a picture as its EXIF orientation says', async (t) => {
  const truth = hash({ ...scenePixels(1), channels: 3 }).hash

  for (const orientation of orientations) {
    const picture = await decode((await orientedJpeg(1, orientation)).bytes)
    t.match(picture, { width: 640, height: 480 }, `orientation ${orientation}`)
    t.ok(distance(hash(picture).hash, truth) <= 8, `orientation ${orientation}`)
  }
})

t.test('turns a picture that it shrinks, too', async (t) => {
  const { data, width, height } = await enlarged(1, { width: 2400, height: 1800 })
  const stored = await fromPixels({ data, width, height }).rotate(-90).raw().toBuffer({ resolveWithObject: true })
  const rotated = fromPixels({ data: stored.data, width: stored.info.width, height: stored.info.height })
  const picture = await decode(await rotated.withMetadata({ orientation: 6 }).jpeg({ quality: 90 }).toBuffer())

  const bits = distance(hash(picture).hash, hash({ data, width, height, channels: 3 }).hash)
  t.ok(bits <= 8, `${bits} bits`)
})

t.test('ignores a colour profile that changes nothing, as everyone else does who hashes pictures', async (t) => {
  const { bytes } = await scene(1)
  const tagged = await sharp(bytes).withIccProfile('srgb').png().toBuffer()

  t.ok((await sharp(tagged).metadata()).icc)
  t.ok((await decode(tagged)).data.equals((await decode(bytes)).data))
})

t.test('applies a colour profile that changes what is seen, to large pictures as to small ones', async (t) => {
  for (const size of [
    { width: 640, height: 480 },
    { width: 1700, height: 1200 },
  ]) {
    const bytes = await fromPixels(await enlarged(1, size))
      .withIccProfile('p3')
      .png({ compressionLevel: 1 })
      .toBuffer()
    const { data, width, height } = await decode(bytes)
    const shown = await sharp(bytes).resize(width, height, { fit: 'fill', kernel: 'linear' }).raw().toBuffer()
    const ignored = await sharp(bytes, { ignoreIcc: true })
      .resize(width, height, { fit: 'fill', kernel: 'linear' })
      .raw()
      .toBuffer()

    t.ok(meanDifference(data, shown) < 0.2, `off by ${meanDifference(data, shown)}`)
    t.ok(meanDifference(ignored, shown) > 2, 'a profile that matters')
  }
})

t.test('shows what is transparent on white', async (t) => {
  const create = { width: 20, height: 20, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const
  const { data } = await decode(await sharp({ create }).png().toBuffer())

  t.ok(data.every((byte) => byte === 255))
})

t.test('takes the frame of an animation that is shown longest, however many there are', async (t) => {
  const frames = await Promise.all(['#f00', '#0f0', '#00f'].map((background) => solid(background)))
  const animation = sharp(frames, { join: { animated: true } })

  for (const bytes of [
    await animation
      .clone()
      .gif({ delay: [50, 400, 50] })
      .toBuffer(),
    await animation
      .clone()
      .webp({ lossless: true, delay: [50, 400, 50] })
      .toBuffer(),
  ]) {
    const { data, ...size } = await decode(bytes)
    t.same(size, { width: 32, height: 24, channels: 3, aspect: 4 / 3 })
    t.same([...data.subarray(0, 3)], [0, 255, 0])
  }
  t.match(await decode((await longGif()).bytes), { channels: 3 })
})

t.test('leaves a picture of up to one and a half megapixels as it is, to the last pixel', async (t) => {
  const { data, width, height } = await enlarged(1, { width: 1500, height: 1000 })
  const bytes = await fromPixels({ data, width, height }).png().toBuffer()

  const picture = await decode(bytes)

  t.equal(width * height, FULL_RESOLUTION_PIXELS)
  t.match(picture, { width, height })
  t.ok(picture.data.equals(data))
})

t.test('shrinks a larger picture, and the hash stays within 8 bits of that of all its pixels', async (t) => {
  for (const size of [
    { width: 1700, height: 1200 },
    { width: 4000, height: 3000 },
  ]) {
    const whole = await enlarged(1, size)
    const { hash: truth } = hash({ ...whole, channels: 3 })
    for (const encoded of [fromPixels(whole).jpeg({ quality: 95 }), fromPixels(whole).png({ compressionLevel: 1 })]) {
      const picture = await decode(await encoded.toBuffer())
      t.ok(Math.max(picture.width, picture.height) <= 650)
      const bits = distance(hash(picture).hash, truth)
      t.ok(bits <= 8, `${size.width} × ${size.height}: ${bits} bits`)
    }
  }
})

// A phone of 50 megapixels or more.
t.test('reduces a JPEG of more pixels than the hashing kernel takes', async (t) => {
  const [width, height] = [8160, 6144]
  t.ok(width * height > MAX_PIXELS)
  const grey = () => fromPixels(scenePixels(1)).greyscale()
  const { hash: truth } = hash(await decode(await grey().png().toBuffer()))
  const picture = await decode(
    await grey().resize(width, height, { fit: 'fill', kernel: 'nearest' }).jpeg({ quality: 50, mozjpeg: false }).toBuffer(),
  )
  t.ok(Math.max(picture.width, picture.height) <= 650)
  t.ok(distance(hash(picture).hash, truth) <= 12)
})

t.test('never enlarges, not even the short side of a long strip', async (t) => {
  const strip = await sharp({ create: { width: 16_000, height: 100, channels: 3, background: '#777' } })
    .png()
    .toBuffer()

  t.equal((await decode(strip)).height, 100)
  t.match(await decode((await onePixel()).bytes), { width: 1, height: 1 })
})

t.test('refuses what is no picture, and what is broken, by a code alone', async (t) => {
  for (const { name, bytes } of await unreadable({ mark: 'MARK' })) {
    await t.rejects(decode(bytes), { name: 'Problem' }, name)
    const error = await decode(bytes).catch((error) => error)
    t.ok(isProblemCode(error.message), `${name}: ${error.message}`)
    t.equal(error.cause, undefined, name)
  }
})

// By their first bytes such files never get so far; this is what a file meets that gets past them.
t.test('has no decoder but the allowed ones, and none that opens a file by its name', async (t) => {
  for (const { name, bytes } of [await svg(), await ppm()])
    await t.rejects(sharp(bytes).metadata(), { message: /unsupported image format/ }, name)
  const folder = t.testdir(Object.fromEntries((await everyFormat(1)).map(({ name, bytes }) => [name, bytes])))
  for (const name of readdirSync(folder)) await t.rejects(sharp(join(folder, name)).metadata(), name)
})

t.test('tells apart the wrong format, damage and size', async (t) => {
  const { bytes: jpeg } = await scene(1)
  const avif = Buffer.from('0000001c66747970617669660000000061766966', 'hex')

  t.equal(await codeOf((await svg()).bytes), 'media-unsupported')
  t.equal(await codeOf(Buffer.from('not a picture')), 'media-unsupported')
  t.equal(await codeOf(Buffer.from('%PDF-1.7\n')), 'media-unsupported')
  t.equal(await codeOf(Buffer.alloc(0)), 'media-unsupported')
  t.equal(await codeOf(avif), 'image-undecodable')
  t.equal(await codeOf(jpeg.subarray(0, jpeg.length / 2)), 'image-undecodable')
  t.equal(await codeOf(jpeg.subarray(0, 20)), 'image-undecodable')
  t.equal(await codeOf((await bombPng()).bytes), 'image-too-many-pixels')
  const strip = { width: MAX_SIDE_PX + 1, height: 1, channels: 3, background: '#888' } as const
  t.equal(
    await codeOf(await sharp({ create: strip }).png().toBuffer()),
    'image-too-many-pixels',
    'few, and on one side too many',
  )
})

t.test('refuses a file of each format that ends too early', async (t) => {
  for (const { name, bytes } of await everyFormat(1)) {
    t.equal(await codeOf(bytes.subarray(0, Math.floor(bytes.length * 0.6))), 'image-undecodable', name)
  }
})

t.test('hashes what viewers draw in spite of a flaw', async (t) => {
  t.equal(await codeOf((await trailingGarbageJpeg(1)).bytes), 'decoded')
  t.equal(await codeOf((await tooLarge()).bytes), 'decoded', 'thirty megabytes of nothing after the picture')
  t.equal(await codeOf((await palettePng(1)).bytes), 'decoded')
})

t.test('gives up its pixels to the caller alone: nothing stays in a cache', async (t) => {
  await decode((await scene(1)).bytes)

  t.match(sharp.cache(), { memory: { current: 0, max: 0 }, files: { max: 0 }, items: { max: 0 } })
  t.equal(sharp.concurrency(), 1)
})

t.test('refuses to start on decoders with known holes, and says which', async (t) => {
  t.doesNotThrow(() => checkDecoderFloors())
  t.throws(() => checkDecoderFloors({ ...sharp.versions, webp: '1.3.1' }), /webp 1\.3\.1, needs 1\.3\.2: CVE-2023-4863/)
  t.throws(() => checkDecoderFloors({ ...sharp.versions, tiff: '4.10.0', heif: '1.9.0' }), /heif 1\.9\.0, needs/)
  t.doesNotThrow(() => checkDecoderFloors({ ...sharp.versions, tiff: '4.10.0' }))
  t.throws(() => checkDecoderFloors({ vips: '8.18.7' }), /webp \(unknown\)/)
})

/** A scene as a large camera would take it: cheaper to enlarge than to draw. */
async function enlarged(seed: number, { width, height }: Size): Promise<Pixels> {
  const data = await fromPixels(scenePixels(seed)).resize({ width, height, fit: 'fill' }).raw().toBuffer()
  return { data, width, height }
}

function meanDifference(a: Buffer, b: Buffer): number {
  return a.reduce((sum, byte, k) => sum + Math.abs(byte - (b[k] ?? 0)), 0) / a.length
}

function solid(background: string): Promise<Buffer> {
  return sharp({ create: { width: 32, height: 24, channels: 3, background } })
    .png()
    .toBuffer()
}

t.test('the pixels of a frame are overwritten once they were used, also when that failed', async (t) => {
  const { bytes } = await scene(4)
  const limits = { sizeFor: hashedSize, purpose: 'register' } as const
  const [used] = await eachFrame(bytes, limits, ({ pixels }) => {
    t.ok(pixels.data.some((byte) => byte !== 0))
    return pixels.data
  })
  t.ok(used?.every((byte) => byte === 0))
  let kept: Buffer | undefined
  const failing = eachFrame(bytes, limits, ({ pixels }) => {
    kept = pixels.data
    throw new Error('of the caller')
  })
  await t.rejects(failing, { message: 'of the caller' })
  t.ok(kept?.every((byte) => byte === 0))
})

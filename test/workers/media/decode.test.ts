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

t.test('every allowed format decodes to the same picture, in every form that cameras and old programs write', async (t) => {
  const truth = hash({ ...scenePixels(1), channels: 3 }).hash

  for (const { name, bytes } of [...(await everyFormat(1)), ...(await oddButGood(1))]) {
    const picture = await decode(bytes)
    t.match(picture, { width: 640, height: 480, channels: 3 }, name)
    t.equal(picture.data.length, 640 * 480 * 3, name)
    // CMYK pictures are hashed as browsers show them, and by their profile.
    const limits = { sizeFor: hashedSize, purpose: 'register' } as const
    const frames = await eachFrame(bytes, limits, ({ pixels }) => distance(hash(pixels).hash, truth))
    const bits = Math.min(...frames)
    t.ok(bits <= 31, `${name} lies ${bits} bits away`)
  }
})

t.test('a picture is rotated by its EXIF orientation', async (t) => {
  const truth = hash({ ...scenePixels(1), channels: 3 }).hash

  for (const orientation of orientations) {
    const picture = await decode((await orientedJpeg(1, orientation)).bytes)
    t.match(picture, { width: 640, height: 480 }, `orientation ${orientation}`)
    t.ok(distance(hash(picture).hash, truth) <= 8, `orientation ${orientation}`)
  }
})

t.test('a reduced picture is rotated too', async (t) => {
  const { data, width, height } = await enlarged(1, { width: 2400, height: 1800 })
  const stored = await fromPixels({ data, width, height }).rotate(-90).raw().toBuffer({ resolveWithObject: true })
  const rotated = fromPixels({ data: stored.data, width: stored.info.width, height: stored.info.height })
  const picture = await decode(await rotated.withMetadata({ orientation: 6 }).jpeg({ quality: 90 }).toBuffer())

  const bits = distance(hash(picture).hash, hash({ data, width, height, channels: 3 }).hash)
  t.ok(bits <= 8, `${bits} bits`)
})

t.test('a colour profile that changes nothing is ignored, as other hashers do', async (t) => {
  const { bytes } = await scene(1)
  const tagged = await sharp(bytes).withIccProfile('srgb').png().toBuffer()

  t.ok((await sharp(tagged).metadata()).icc)
  t.ok((await decode(tagged)).data.equals((await decode(bytes)).data))
})

t.test('a colour profile that changes the look is applied, to large and small pictures', async (t) => {
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

t.test('a transparent picture is shown on white', async (t) => {
  const create = { width: 20, height: 20, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const
  const { data } = await decode(await sharp({ create }).png().toBuffer())

  t.ok(data.every((byte) => byte === 255))
})

t.test('the longest frame of an animation is taken, however many there are', async (t) => {
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

t.test('a picture of up to 1.5 megapixels is kept unchanged, to the last pixel', async (t) => {
  const { data, width, height } = await enlarged(1, { width: 1500, height: 1000 })
  const bytes = await fromPixels({ data, width, height }).png().toBuffer()

  const picture = await decode(bytes)

  t.equal(width * height, FULL_RESOLUTION_PIXELS)
  t.match(picture, { width, height })
  t.ok(picture.data.equals(data))
})

t.test('a larger picture is reduced, and its hash stays within 8 bits of the full one', async (t) => {
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

// As from a phone with 50 megapixels or more.
t.test('a JPEG with more pixels than the hashing kernel takes is reduced', async (t) => {
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

t.test('no picture is enlarged, not even the short side of a long strip', async (t) => {
  const strip = await sharp({ create: { width: 16_000, height: 100, channels: 3, background: '#777' } })
    .png()
    .toBuffer()

  t.equal((await decode(strip)).height, 100)
  t.match(await decode((await onePixel()).bytes), { width: 1, height: 1 })
})

t.test('a malformed or broken picture is refused with a bare problem code', async (t) => {
  for (const { name, bytes } of await unreadable({ mark: 'MARK' })) {
    await t.rejects(decode(bytes), { name: 'Problem' }, name)
    const error = await decode(bytes).catch((error) => error)
    t.ok(isProblemCode(error.message), `${name}: ${error.message}`)
    t.equal(error.cause, undefined, name)
  }
})

// Such files never pass the check of their first bytes; this is what a file meets that does.
t.test('only the allowed decoders exist, and none opens a file by name', async (t) => {
  for (const { name, bytes } of [await svg(), await ppm()])
    await t.rejects(sharp(bytes).metadata(), { message: /unsupported image format/ }, name)
  const folder = t.testdir(Object.fromEntries((await everyFormat(1)).map(({ name, bytes }) => [name, bytes])))
  for (const name of readdirSync(folder)) await t.rejects(sharp(join(folder, name)).metadata(), name)
})

t.test('wrong format, damage and excessive size have different codes', async (t) => {
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
    'few pixels, but too many on one side',
  )
})

t.test('a truncated file of each format is refused', async (t) => {
  for (const { name, bytes } of await everyFormat(1)) {
    t.equal(await codeOf(bytes.subarray(0, Math.floor(bytes.length * 0.6))), 'image-undecodable', name)
  }
})

t.test('a flawed picture that viewers show is hashed', async (t) => {
  t.equal(await codeOf((await trailingGarbageJpeg(1)).bytes), 'decoded')
  t.equal(await codeOf((await tooLarge()).bytes), 'decoded', 'thirty megabytes of filler after the picture')
  t.equal(await codeOf((await palettePng(1)).bytes), 'decoded')
})

t.test('decoded pixels stay in no cache', async (t) => {
  await decode((await scene(1)).bytes)

  t.match(sharp.cache(), { memory: { current: 0, max: 0 }, files: { max: 0 }, items: { max: 0 } })
  t.equal(sharp.concurrency(), 1)
})

t.test('decoders with known vulnerabilities stop the start, and the message names them', async (t) => {
  t.doesNotThrow(() => checkDecoderFloors())
  t.throws(() => checkDecoderFloors({ ...sharp.versions, webp: '1.3.1' }), /webp 1\.3\.1, needs 1\.3\.2: CVE-2023-4863/)
  t.throws(() => checkDecoderFloors({ ...sharp.versions, tiff: '4.10.0', heif: '1.9.0' }), /heif 1\.9\.0, needs/)
  t.doesNotThrow(() => checkDecoderFloors({ ...sharp.versions, tiff: '4.10.0' }))
  t.throws(() => checkDecoderFloors({ vips: '8.18.7' }), /webp \(unknown\)/)
})

/** A scene at the size of a large camera: cheaper to enlarge than to draw. */
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

t.test('the pixels of a frame are overwritten after use, even after a failure', async (t) => {
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

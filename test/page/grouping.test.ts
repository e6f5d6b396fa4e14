// A browser decodes a picture at full size, and the service's decoder reduces it while decoding: the result has to be the
// same.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import t from 'tap'
import { distance } from '../../packages/hash/src/hash256.js'
import { type ImageSignal, loadImageHasherSync, MAX_AREA_SIGNALS } from '../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { hashedSize } from '../../packages/hash/src/reduced-side.js'
import { decodedSize } from '../../page/hashing/grouping.js'
import { reduced } from '../../page/hashing/reduce.js'
import { formatOf } from '../../src/domain/media/media-formats.js'
import { decode } from '../../workers/media/decode.js'
import type { DecodedPicture } from '../../workers/media/decoded-picture.js'
import { scene } from '../helpers/pictures.js'

const photographs = resolve(import.meta.dirname, '../../../demo/pictures')
const MAX_BITS = 8

function photograph(name: string, width: number, height: number): Sharp {
  return sharp(readFileSync(resolve(photographs, name))).resize(width, height, { fit: 'fill', kernel: 'cubic' })
}

/** As the page reduces what a browser decodes, which is what libvips decodes at full size, on white. */
async function onDevice(file: Buffer): Promise<Pixels> {
  const format = formatOf(file) ?? 'bmp'
  const { data, info } = await sharp(file).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3] ?? 255
    for (let k = at; k < at + 3; k++) data[k] = Math.round(((data[k] ?? 0) * alpha + 255 * (255 - alpha)) / 255)
  }
  const size = hashedSize(info)
  const rowBytes = 4 * info.width
  return reduced(
    info,
    decodedSize(format, info, size),
    size,
    64,
    (top, count) => new Uint8ClampedArray(data.subarray(rowBytes * top, rowBytes * (top + count))),
  )
}

function levelsBetween(a: Pixels, b: Pixels): { readonly mean: number; readonly most: number } {
  let [sum, most] = [0, 0]
  for (let k = 0; k < a.data.length; k++) {
    const levels = Math.abs((a.data[k] ?? 0) - (b.data[k] ?? Number.NaN))
    sum += levels
    most = Math.max(most, levels)
  }
  return { mean: sum / a.data.length, most }
}

t.test('the pixels of device and server differ by few levels, for any format and shape', async (t) => {
  const files: readonly (readonly [string, Buffer, most: number])[] = [
    ['a quarter', await photograph('cat.jpg', 4032, 3024).jpeg().toBuffer(), 3],
    ['half', await photograph('cat.jpg', 1603, 1201).jpeg().toBuffer(), 3],
    ['half, where a quarter would hardly be reduced', await photograph('cat.jpg', 2300, 2300).jpeg().toBuffer(), 3],
    ['much longer than high', await photograph('cat.jpg', 3100, 700).jpeg().toBuffer(), 3],
    ['png', await photograph('cat.jpg', 2016, 1512).png({ compressionLevel: 1 }).toBuffer(), 3],
    ['sharp edges of many colours', (await scene(3, { width: 1600, height: 1200 })).bytes, 12],
  ]
  for (const [name, file, maxLevels] of files) {
    const { mean, most } = levelsBetween(await onDevice(file), await decode(file))
    t.ok(mean < 1 && most <= maxLevels, `${name}: ${mean.toFixed(3)} levels, at most ${most}`)
  }
})

const hasher = loadImageHasherSync()
const signalsOf = (pixels: Pixels, aspect: number) => hasher.hash(pixels, 'register', aspect).signals

t.test('a large picture that is decoded at full size has identical hashes on both sides', async (t) => {
  for (const name of ['cat.jpg', 'coffee.jpg']) {
    const picture = () => photograph(name, 1800, 1350)
    const transparent = picture().composite([{ input: await hole(1800, 1350), blend: 'dest-out' }])
    const files = [
      await picture().png({ compressionLevel: 1 }).toBuffer(),
      await picture().webp({ effort: 0 }).toBuffer(),
      await transparent.png({ compressionLevel: 1 }).toBuffer(),
    ]
    for (const [k, file] of files.entries()) {
      const server: DecodedPicture = await decode(file)
      t.same(signalsOf(await onDevice(file), server.aspect), signalsOf(server, server.aspect), `${name}, ${k}`)
    }
  }
})

/** Lines that become less opaque downwards. */
function hole(width: number, height: number): Promise<Buffer> {
  const data = Buffer.alloc(4 * width * height)
  for (let pixel = 0; pixel < width * height; pixel++) data[4 * pixel + 3] = Math.floor((120 * pixel) / (width * height))
  return sharp(data, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 1 })
    .toBuffer()
}

// As in a browser that decodes a JPEG at full size only. Parts that may be a picture in the picture are left out: where there
// is none, single levels decide which of several rectangles looks most like one. An additional one replaces the last view
// where there are too many.
t.test('every view at a fixed place of a large picture has the same hash on both sides', async (t) => {
  const apart = ({ type, hashes: [own] }: ImageSignal, others: readonly ImageSignal[]) =>
    Math.min(
      ...others.flatMap(({ type: its, hashes: [other] }) =>
        its === type && own !== undefined && other !== undefined ? [distance(own, other)] : [],
      ),
    )
  for (const name of ['cat.jpg', 'coffee.jpg']) {
    const file = await photograph(name, 4000, 3000).jpeg({ quality: 92 }).toBuffer()
    const server: DecodedPicture = await decode(file)
    const [theirs, ours] = [signalsOf(server, server.aspect), signalsOf(await onDevice(file), server.aspect)]
    for (const [side, signals, others] of [
      ['server', theirs, ours],
      ['device', ours, theirs],
    ] as const)
      for (const signal of placed(signals, others)) {
        const bits = apart(signal, others)
        t.ok(bits <= MAX_BITS, `${name}: ${signal.view} of the ${side}: ${bits} bits`)
      }
  }
})

function placed(signals: readonly ImageSignal[], others: readonly ImageSignal[]): ImageSignal[] {
  const isAtPart = ({ view }: ImageSignal) => view === 'deframed'
  const areas = others.filter(({ type }) => type === 'pdq-area')
  const more = areas.filter(isAtPart).length - signals.filter(isAtPart).length
  const displaced = areas.length === MAX_AREA_SIGNALS ? Math.max(0, more) : 0
  return signals.slice(0, signals.length - displaced).filter((signal) => !isAtPart(signal))
}

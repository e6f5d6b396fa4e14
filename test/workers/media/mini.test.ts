// Pictures in the short form of HEIF: one `mini` box.

import sharp from 'sharp'
import t from 'tap'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import { boxesIn } from '../../../src/domain/media/heif/heif-boxes.js'
import { usualHeif } from '../../../src/domain/media/heif/usual-heif.js'
import { imageEnd } from '../../../src/domain/media/image-end.js'
import { pictureCost, UNKNOWN_COST } from '../../../src/domain/media/picture-cost.js'
import { Problem } from '../../../src/domain/problem.js'
import { eachFrame } from '../../../workers/media/decode.js'
import { heic } from '../../helpers/heic.js'
import { withNclx } from '../../helpers/marked-pictures.js'
import { type MiniOptions, miniOf } from '../../helpers/mini-files.js'
import { fromPixels, orientations, scenePixels } from '../../helpers/pictures.js'

const SIZE = { width: 96, height: 64 }
const AVIF = { effort: 0, quality: 80 } as const

async function framesOf(file: Buffer) {
  const limits = { sizeFor: hashedSize, purpose: 'register' } as const
  return eachFrame(Buffer.from(file), limits, ({ pixels: { data, width, height } }) => ({
    width,
    height,
    data: data.toString('hex'),
  }))
}

const codeOf = (file: Buffer): Promise<unknown> =>
  framesOf(file).then(
    () => 'decoded',
    (error: unknown) => (error instanceof Problem ? error.code : error),
  )

const plain = () => fromPixels(scenePixels(1, SIZE)).avif(AVIF).toBuffer()

/** Its left half is transparent in stripes, its right half by and by. */
async function transparent(): Promise<Buffer> {
  const rgba = await fromPixels(scenePixels(1, SIZE)).ensureAlpha().raw().toBuffer()
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++) {
      rgba[4 * (y * SIZE.width + x) + 3] = x < SIZE.width / 2 ? 255 * (y % 32 < 16 ? 1 : 0) : 2 * x
    }
  }
  return sharp(rgba, { raw: { ...SIZE, channels: 4 } })
    .avif(AVIF)
    .toBuffer()
}

t.test('a picture in a mini box has the pixels of the usual file', async (t) => {
  const scene = () => fromPixels(scenePixels(1, SIZE))
  const files: Readonly<Record<string, Buffer>> = {
    'with all its colours': await plain(),
    'with half of its colours': await scene()
      .avif({ ...AVIF, chromaSubsampling: '4:2:0' })
      .toBuffer(),
    'with 10 bits': await scene()
      .avif({ ...AVIF, bitdepth: 10 })
      .toBuffer(),
    'with a profile': await scene().withIccProfile('p3').avif(AVIF).toBuffer(),
    transparent: await transparent(),
    HEIC: heic('two'),
    'transparent HEIC': heic('alpha'),
    'HEIC with a profile': heic('display-p3'),
  }
  for (const [name, file] of Object.entries(files)) {
    const usual = await framesOf(file)
    t.same(await framesOf(miniOf(file)), usual, name)
    t.equal(usual.length, name.startsWith('transparent') ? 2 : 1, name)
  }
})

t.test('a picture in a mini box is turned, and so is its transparency', async (t) => {
  for (const file of [await plain(), await transparent()]) {
    const upright = (await framesOf(file)).map(({ data, ...size }) => ({ ...size, data: Buffer.from(data, 'hex') }))
    for (const orientation of orientations) {
      const turned = await Promise.all(upright.map((frame) => turnedBy(frame, orientation)))
      t.same(await framesOf(miniOf(file, { orientation })), turned, `orientation ${orientation}`)
    }
  }
})

async function turnedBy({ data, width, height }: { data: Buffer; width: number; height: number }, orientation: number) {
  const tiff = await sharp(data, { raw: { width, height, channels: 3 } })
    .withMetadata({ orientation })
    .tiff({ compression: 'none' })
    .toBuffer()
  const shown = await sharp(tiff).autoOrient().raw().toBuffer({ resolveWithObject: true })
  return { width: shown.info.width, height: shown.info.height, data: shown.data.toString('hex') }
}

t.test('code points of colours in a mini box are applied', async (t) => {
  const file = await fromPixels(scenePixels(1, SIZE)).avif({ effort: 0, lossless: true }).toBuffer()
  const told = await framesOf(withNclx(file, 9, 16))
  t.same(await framesOf(miniOf(file, { colours: [9, 16, 0] })), told)
  t.notSame(await framesOf(miniOf(file, { colours: [1, 13, 0] })), told)
})

t.test('what a mini box has besides the picture changes nothing', async (t) => {
  const file = await plain()
  const pixels = await framesOf(file)
  const grey = await framesOf(miniOf(await transparent(), { isAlphaAlone: true }))
  const kinds: Readonly<Record<string, MiniOptions>> = {
    EXIF: { exif: Buffer.alloc(99, 1) },
    'a gain map': { gainMap: Buffer.alloc(50, 7) },
    'a gain map as another writer has it': { gainMap: Buffer.alloc(50, 7), isOfOtherWriter: true },
    'its codec, written out': { namesCodec: true },
    'the brand among the others': { brands: 'abcdavifmif3' },
  }
  for (const [name, options] of Object.entries(kinds)) t.same(await framesOf(miniOf(file, options)), pixels, name)
  t.same(await framesOf(Buffer.concat([miniOf(file), Buffer.alloc(999, 0x41)])), pixels, 'bytes behind it')
  for (const isOfOtherWriter of [false, true]) {
    const options = { isAlphaAlone: true, colours: [1, 13, 2], isOfOtherWriter } as const
    t.same(await framesOf(miniOf(await transparent(), options)), grey, `grey, other writer: ${isOfOtherWriter}`)
  }
})

t.test('colours that are multiplied by transparency are shown as they were before', async (t) => {
  const straight = await fromPixels(scenePixels(1, SIZE)).ensureAlpha().raw().toBuffer()
  for (let at = 0; at < straight.length; at += 4) straight[at + 3] = 100 + ((at / 4) % SIZE.width)
  const multiplied = straight.map((value, at) =>
    at % 4 === 3 ? value : Math.round((value * (straight[at | 3] ?? 0)) / 255),
  )
  const [before, after] = await Promise.all(
    [straight, multiplied].map((data) =>
      sharp(data, { raw: { ...SIZE, channels: 4 } })
        .avif({ effort: 0, lossless: true })
        .toBuffer(),
    ),
  )
  for (const colours of [
    [1, 13, 0],
    [12, 13, 0],
  ] as const) {
    const truth = await framesOf(miniOf(before ?? Buffer.alloc(0), { colours }))
    const shown = await framesOf(miniOf(after ?? Buffer.alloc(0), { colours, isPremultiplied: true }))
    t.equal(shown.length, 2)
    for (const [k, { data }] of shown.entries()) {
      const wanted = Buffer.from(truth[k]?.data ?? '', 'hex')
      const off = Buffer.from(data, 'hex').reduce((sum, level, at) => sum + Math.abs(level - (wanted[at] ?? 0)), 0)
      t.ok(off < wanted.length, `${colours}, background ${k}: off by ${off / wanted.length} levels`)
    }
  }
})

t.test('a picture in the colours of what is fully transparent is shown on black, as browsers show it', async (t) => {
  const pixels = await fromPixels(scenePixels(1, SIZE)).ensureAlpha(0).raw().toBuffer()
  const file = await sharp(pixels, { raw: { ...SIZE, channels: 4 } })
    .avif({ effort: 0, lossless: true })
    .toBuffer()
  const shown = await framesOf(miniOf(file, { colours: [1, 13, 0], isPremultiplied: true }))
  const opaque = await fromPixels(scenePixels(1, SIZE)).removeAlpha().raw().toBuffer()
  t.equal(shown.length, 2, 'white on white, and the picture on black')
  const off = Buffer.from(shown[1]?.data ?? '', 'hex').reduce(
    (sum, level, at) => sum + Math.abs(level - (opaque[at] ?? 0)),
    0,
  )
  t.ok(off < opaque.length, `off by ${off / opaque.length} levels`)
})

t.test('a mini box costs what its picture costs, and ends where the picture ends', async (t) => {
  for (const file of [await plain(), await transparent(), heic('two')]) {
    const mini = miniOf(file)
    const { timeMs, memoryMb } = pictureCost(file)
    t.ok(timeMs > 0 && memoryMb > 0)
    t.same(pictureCost(mini), pictureCost(usualHeif(mini) ?? file))
    t.equal(imageEnd([mini, Buffer.alloc(5000, 0x41)]), mini.length)
  }
  const large = miniOf(await plain(), { sides: [30_000, 30_000] })
  t.equal(await codeOf(large), 'image-too-many-pixels', 'is refused before it is decoded')
})

t.test('a mini box that is cut off anywhere, or declares more than it has, is damaged', async (t) => {
  const file = miniOf(await transparent(), { exif: Buffer.from('abc'), gainMap: Buffer.alloc(9) })
  const contentAt = boxesIn(file, 0, file.length).find(({ type }) => type === 'mini')?.from ?? 0
  for (let length = 0; length < file.length; length++) {
    const cut = file.subarray(0, length)
    t.equal(usualHeif(cut), undefined)
    t.equal(pictureCost(cut), UNKNOWN_COST)
    if (length % 97 === 0 || length < contentAt + 90)
      t.equal(await codeOf(cut), length < 12 ? 'media-unsupported' : 'image-undecodable', `${length} bytes`)
  }
  // All bits of its header, one after the other: sizes of up to 28 bits among them.
  for (let bit = 8 * contentAt; bit < 8 * (contentAt + 90); bit++) {
    const changed = Buffer.from(file)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
    const usual = usualHeif(changed)
    t.ok(usual === undefined || usual.length < 2 * file.length + 1000, 'is never larger than what it was made of')
  }
})

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import sharp from 'sharp'
import t from 'tap'
import { distance, parseHash } from '../../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../../packages/hash/src/pdq-kernel.js'
import { MAX_PIXELS, MAX_SIDE_PX } from '../../../packages/hash/src/pixels.js'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import { associationsIn, metaBoxesIn, propertiesIn } from '../../../src/domain/media/heif/heif-boxes.js'
import { box, heifFileOf, u32 } from '../../../src/domain/media/heif/heif-file.js'
import { createHeifReader, type HeifLimits } from '../../../src/domain/media/heif/heif-picture.js'
import { placesOf } from '../../../src/domain/media/heif/item-data.js'
import type { LibHeifFactory } from '../../../src/domain/media/heif/libheif-instance.js'
import { isTooCostly, pictureCost } from '../../../src/domain/media/picture-cost.js'
import { Problem } from '../../../src/domain/problem.js'
import { flattened } from '../../../workers/media/colour/alpha.js'
import { type ColourSignal, signalOf } from '../../../workers/media/colour/colour-signal.js'
import { toSrgb } from '../../../workers/media/colour/to-srgb.js'
import { decode, eachFrame } from '../../../workers/media/decode.js'
import type { DecodedPicture } from '../../../workers/media/decoded-picture.js'
import { hashImage } from '../../../workers/media/hashes-of-file.js'
import { checkHeifDecoder } from '../../../workers/media/libheif.js'
import { croppedTo, HEIC_FILES, heic, placeOf, withDeclaredSize, withPrimary } from '../../helpers/heic.js'
import { withNclx } from '../../helpers/marked-pictures.js'
import { scene, scenePixels } from '../../helpers/pictures.js'

const { hash } = loadPdqKernelSync()
const SIDES = { width: 640, height: 480 }
/** The photograph of `turned`, from its source JPEG. */
const PHOTOGRAPH = '6a398fc4786e1179d6211fb8b19761ee8c7797307691d08f42b17ad0c55a817e'

const sceneHash = (seed: number) => hash({ ...scenePixels(seed), channels: 3 }).hash
const bitsFrom = (picture: DecodedPicture, truth: Parameters<typeof distance>[0]) => distance(hash(picture).hash, truth)
const meanDifference = (a: Buffer, b: Buffer) => a.reduce((sum, byte, k) => sum + Math.abs(byte - (b[k] ?? 0)), 0) / a.length
const codeOf = (bytes: Buffer): Promise<unknown> =>
  decode(bytes).then(
    () => 'decoded',
    (error: unknown) => (error instanceof Problem ? error.code : error),
  )

const require = createRequire(import.meta.url)
const factory: LibHeifFactory = require('libheif-js/libheif-wasm/libheif.js')
const compiled = new WebAssembly.Module(readFileSync(require.resolve('libheif-js/libheif-wasm/libheif.wasm')))
const LIMITS: HeifLimits = { maxPixels: MAX_PIXELS, maxSidePx: MAX_SIDE_PX, maxMemoryBytes: 128 << 20 }

t.test('8-bit, 10-bit and tiled HEIC give the same picture', async (t) => {
  for (const name of ['two', '10-bit', 'tiles'] as const) {
    const picture = await decode(heic(name))
    t.match(picture, { ...SIDES, channels: 3 }, name)
    t.ok(bitsFrom(picture, sceneHash(1)) <= 10, `${name}: ${bitsFrom(picture, sceneHash(1))} bits`)
  }
})

t.test('irot and imir orient a picture, and its EXIF does not rotate it again', async (t) => {
  const picture = await decode(heic('turned'))
  const truth = parseHash(PHOTOGRAPH)
  t.match(picture, { width: 840, height: 700 })
  t.ok(truth !== undefined && bitsFrom(picture, truth) <= 10)
})

t.test('a colour profile of a HEIC is applied', async (t) => {
  const file = heic('display-p3')
  const ignored = Buffer.from(file)
  ignored.write('free', placeOf(file, 'colr') - 4, 'latin1')
  const truth = scenePixels(1).data // its pixels in sRGB were converted to Display P3
  const off = async (bytes: Buffer) => meanDifference((await decode(bytes)).data, truth)
  const [shown, unread] = [await off(file), await off(ignored)]
  t.ok(shown < 3, `off by ${shown} levels`)
  t.ok(unread > shown + 2, `a profile that matters: without it off by ${unread} levels`)
})

t.test('the primary image is taken, not the first', async (t) => {
  const second = await decode(withPrimary(heic('two'), 2))
  t.ok(bitsFrom(second, sceneHash(2)) <= 10)
  t.ok(bitsFrom(second, sceneHash(1)) > 60)
  t.equal(await codeOf(withPrimary(heic('two'), 77)), 'image-undecodable')
})

t.test('transparent parts of a HEIC are shown on white', async (t) => {
  const { data, width } = await decode(heic('alpha'))
  t.ok(data.subarray(0, width * 3 * 230).every((byte) => byte > 250))
  t.ok(data.subarray(width * 3 * 260).some((byte) => byte < 200))
})

t.test('a transparent or cropped HEIC has a second frame', async (t) => {
  const frames = async (file: Buffer) => {
    const limits = { sizeFor: hashedSize, purpose: 'register' } as const
    return eachFrame(file, limits, ({ pixels }) => ({ ...pixels, first: pixels.data[0], hash: hash(pixels).hash }))
  }
  const [onWhite, onBlack, ...more] = await frames(heic('alpha'))
  t.ok((onWhite?.first ?? 0) > 250 && (onBlack?.first ?? 255) < 5)
  t.same(more, [])
  const [whole, part] = await frames(croppedTo(heic('two'), { width: 600, height: 440 }))
  t.match(whole, SIDES)
  t.match(part, { width: 600, height: 440 })
  const [hidden, small, ...none] = await frames(croppedTo(heic('two'), { width: 32, height: 32 }))
  t.match(small, { width: 32, height: 32 })
  t.ok(hidden !== undefined && distance(hidden.hash, sceneHash(1)) <= 10, 'an aperture of 32 × 32 pixels hides nothing')
  t.same(none, [])
  t.equal((await frames(heic('two'))).length, 1)
})

t.test('an aperture shows its part of the picture, which is then rotated and mirrored', async (t) => {
  const [width, height, left, top] = [200, 120, 40, 70]
  const { data, ...size } = await decode(heic('two'))
  const raw = { raw: { width: size.width, height: size.height, channels: 3 as const } }
  const expected = await sharp(data, raw).extract({ left, top, width, height }).raw().toBuffer()
  // Offsets of its centre from that of the picture, in halves of a pixel.
  const offsets = [2 * left + width - size.width, 2 * top + height - size.height]
  const aperture = box(
    'clap',
    ...[width, 1, height, 1, ...offsets.flatMap((offset) => [offset, 2])].map((n) => u32(n >>> 0)),
  )
  for (let quarters = 0; quarters < 4; quarters++) {
    for (const axis of [undefined, 0, 1]) {
      const mirror = axis === undefined ? [] : [box('imir', Buffer.from([axis]))]
      const file = withProperties([aperture, box('irot', Buffer.from([quarters])), ...mirror])
      const frames = await eachFrame(file, { sizeFor: hashedSize, purpose: 'register' }, ({ pixels }) =>
        Buffer.from(pixels.data),
      )
      const rotated = await sharp(expected, { raw: { width, height, channels: 3 } })
        .rotate(-90 * quarters)
        .raw()
        .toBuffer({ resolveWithObject: true })
      const turned = sharp(rotated.data, { raw: rotated.info as { width: number; height: number; channels: 3 } })
      const shown = axis === undefined ? turned : axis === 0 ? turned.flip() : turned.flop()
      t.ok(frames[1]?.equals(await shown.raw().toBuffer()), `${quarters} quarter turns, axis ${axis}`)
    }
  }
})

/** The first picture of `two`, with properties after its own. */
function withProperties(further: readonly Buffer[]): Buffer {
  const file = heic('two')
  const meta = metaBoxesIn(file)
  const own = associationsIn(file, meta).filter(({ item }) => item === 1)
  const [place] = placesOf(file, meta, () => {})
  return heifFileOf('heic', [
    {
      kind: 'hvc1',
      properties: [
        ...propertiesIn(file, meta)
          .filter(({ index, type }) => type !== 'pixi' && own.some((name) => name.index === index))
          .map(({ from, to }) => file.subarray(from - 8, to)),
        ...further,
      ],
      data: (place?.ranges ?? []).map(([from, to]) => file.subarray(from, to)),
    },
  ])
}

t.test('a truncated HEIC is damaged, and a grid without all its tiles is read for queries only', async (t) => {
  for (const name of HEIC_FILES) {
    const file = heic(name)
    for (let part = 0; part < 20; part++) {
      const cut = file.subarray(0, Math.floor((file.length * part) / 20))
      const code = await codeOf(cut)
      const isFirstOfTwo = name === 'two' && code === 'decoded' && part > 8
      t.ok(isFirstOfTwo || code === (part === 0 ? 'media-unsupported' : 'image-undecodable'), `${name}: ${part}/20: ${code}`)
    }
  }
  const grid = heic('tiles')
  const cut = grid.subarray(0, Math.floor(grid.length * 0.8))
  t.ok((await hashImage(cut, 'query')).quality > 0)
  await t.rejects(hashImage(cut, 'register'), { code: 'image-undecodable' })
})

t.test('another codec in HEIF, or a file without a picture, is not supported', async (t) => {
  const { bytes: avif } = await scene(1, { format: 'avif' })
  const inHeif = Buffer.from(avif.toString('latin1').replaceAll(/avi[fs]/g, 'mif1'), 'latin1')
  t.equal(await codeOf(inHeif), 'media-unsupported', 'AV1')
  t.equal(
    await codeOf(Buffer.from('00000018667479706d703432000000006d70343269736f6d', 'hex')),
    'media-unsupported',
    'a video',
  )
  t.equal(await codeOf(Buffer.from('0000000866747970', 'hex')), 'media-unsupported')
  const both = heic('two')
  both.write('avif', 20, 'latin1')
  t.equal(await codeOf(both), 'decoded', 'HEVC in a file that also has the brand of AVIF')
  t.equal(await codeOf(heic('two').subarray(0, 24)), 'image-undecodable', 'it has the brand of HEIC and nothing else')
})

t.test('the declared size and cost are checked before decoding', async (t) => {
  const file = heic('two')
  t.equal(await codeOf(withDeclaredSize(file, { width: 40_000, height: 40_000 })), 'image-too-many-pixels')
  t.equal(await codeOf(withDeclaredSize(file, { width: 70_000, height: 1 })), 'image-too-many-pixels')

  const cost = pictureCost(file)
  t.ok(cost.timeMs > 50 && cost.timeMs < 150 && cost.memoryMb < 10)
  // The size that decides is in the sequence parameter set: `ispe` may declare less.
  t.same(pictureCost(withDeclaredSize(file, { width: 1, height: 1 })), cost)
  const deep = pictureCost(heic('10-bit'))
  t.ok(deep.memoryMb > cost.memoryMb, '10 bits cost more')
  t.ok(pictureCost(heic('alpha')).memoryMb > cost.memoryMb, 'alpha costs more')
  const large = withDeclaredSize(file, { width: 7000, height: 7000 })
  t.ok(isTooCostly(pictureCost(large), 10_000))
  t.notOk(isTooCostly(pictureCost(large), 5_000_000), 'a photograph of a phone with 49 megapixels')
})

t.test('the decoder’s memory is limited and not kept', async (t) => {
  const reader = createHeifReader(factory, compiled)
  const size = () => reader.read(heic('two'), LIMITS, ({ width, height }) => ({ width, height }))
  const long = Buffer.concat([heic('two'), Buffer.alloc(20 << 20)])
  await t.rejects(
    reader.read(long, { ...LIMITS, maxMemoryBytes: 18 << 20 }, () => 0),
    { code: 'image-too-many-pixels' },
  )
  t.same(await reader.read(long, LIMITS, ({ width }) => width), SIDES.width)
  t.same(await size(), SIDES, 'the next picture is read')
  await t.rejects(
    reader.read(heic('two'), { ...LIMITS, maxPixels: 1000 }, () => 0),
    { code: 'image-too-many-pixels' },
  )
  await t.rejects(
    reader.read(heic('two').subarray(0, 9000), LIMITS, () => 0),
    { code: 'image-undecodable' },
  )
  t.same(await size(), SIDES)
})

t.test('all memory of the decoder is overwritten, even after an error', async (t) => {
  const reader = createHeifReader(factory, compiled)
  const file = heic('two')
  const needle = file.subarray(20_000, 20_032)
  let memory: Uint8Array = new Uint8Array()
  let row = Buffer.alloc(0)
  const look = ({ data, width }: { readonly data: Uint8Array; readonly width: number }) => {
    memory = new Uint8Array(data.buffer)
    row = Buffer.from(data.subarray(width * 3 * 100, width * 3 * 101))
  }
  const has = (bytes: Buffer) => Buffer.from(memory.buffer).includes(bytes)
  await reader.read(file, LIMITS, (picture) => {
    look(picture)
    t.ok(has(row) && has(needle), 'the search finds a value that is present')
  })
  t.notOk(has(row) || has(needle))
  const failing = reader.read(file, LIMITS, (picture) => {
    look(picture)
    throw new Error('of the caller')
  })
  await t.rejects(failing, { message: 'of the caller' })
  t.notOk(has(row) || has(needle))
})

t.test('transfer and primaries of nclx are applied, with and without alpha', async (t) => {
  for (const name of ['10-bit', 'alpha'] as const) {
    const plain = await decode(heic(name))
    const marked = await decode(withNclx(heic(name), 9, 8))
    const opaque = Buffer.from(Array.from({ length: 4 * plain.width * plain.height }, () => 255))
    for (let pixel = 0; pixel < plain.width * plain.height; pixel++)
      plain.data.copy(opaque, 4 * pixel, 3 * pixel, 3 * pixel + 3)
    const expected = flattened(toSrgb(opaque, signal()), 255)
    t.ok(meanDifference(plain.data, marked.data) > 20, name)
    // Half-transparent pixels are converted before they are laid on the background.
    if (name === '10-bit') t.ok(marked.data.equals(expected))
    else t.ok(meanDifference(marked.data, expected) < 2, `${meanDifference(marked.data, expected)}`)
  }
})

function signal(): ColourSignal {
  const found = signalOf(9, 8, 'heif')
  if (found === 'srgb') throw new Error('another one')
  return found
}

t.test('the installed decoder package is new enough', async (t) => {
  t.doesNotThrow(() => checkHeifDecoder())
  t.throws(() => checkHeifDecoder(() => '1.19.8'), /libheif-js 1\.19\.8 is too old, needs 1\.23\.2: .*TABIR_HEIC=off/)
  t.throws(() => checkHeifDecoder(() => undefined), /libheif-js.* is not installed: .*TABIR_HEIC=off/)
  t.ok(
    (await sharp(Buffer.from(heic('two')), { failOn: 'error' })
      .toBuffer()
      .catch(() => undefined)) === undefined,
    'libvips does not read HEVC',
  )
})

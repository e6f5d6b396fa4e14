// How browsers show files that specify their colours. Expected levels were rendered by Chromium 156.

import sharp, { type Sharp } from 'sharp'
import t from 'tap'
import { distance } from '../../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../../packages/hash/src/pdq-kernel.js'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import { decode, eachFrame } from '../../../workers/media/decode.js'
import { withCicp, withGamma, withNclx, withPngChunks, withTransferInData } from '../../helpers/marked-pictures.js'
import { fromPixels, scenePixels } from '../../helpers/pictures.js'

const { hash } = loadPdqKernelSync()
const LEVELS = [0, 16, 64, 128, 192, 240, 255]
const SIDE_PX = 16

/** Grey squares of these levels side by side. */
function squares(): Sharp {
  const width = SIDE_PX * LEVELS.length
  const data = Buffer.alloc(3 * width * SIDE_PX)
  for (let k = 0; k < data.length; k++) data[k] = LEVELS[Math.floor((Math.floor(k / 3) % width) / SIDE_PX)] ?? 0
  return fromPixels({ data, width, height: SIDE_PX })
}

async function shownLevels(file: Buffer): Promise<number[]> {
  const { data, width } = await decode(file)
  return LEVELS.map((_, k) => data[3 * (width * (SIDE_PX / 2) + SIDE_PX * k + SIDE_PX / 2)] ?? 0)
}

const near = (levels: readonly number[], expected: readonly number[], tolerance: number) =>
  expected.every((level, k) => Math.abs(level - (levels[k] ?? 0)) <= tolerance)

const CURVES = [
  { transfer: 1, png: [0, 4, 54, 121, 189, 239, 255], avif: LEVELS },
  { transfer: 4, png: [0, 7, 62, 129, 193, 240, 255] },
  { transfer: 5, png: [0, 1, 40, 106, 179, 237, 255] },
  { transfer: 7, png: [0, 34, 81, 141, 199, 242, 255] },
  { transfer: 8, png: [0, 71, 137, 188, 225, 248, 255] },
  { transfer: 13, png: LEVELS },
  { transfer: 16, png: [0, 1, 30, 132, 255, 255, 255] },
  { transfer: 17, png: [0, 3, 48, 118, 191, 247, 255] },
  { transfer: 18, png: [0, 3, 43, 99, 189, 243, 255] },
  { transfer: 200, png: LEVELS },
]

t.test('the transfer function given by code points is applied, in PNG and AVIF', async (t) => {
  const png = await squares().png().toBuffer()
  const avif = await squares().avif({ lossless: true, effort: 0 }).toBuffer()

  for (const { transfer, png: expected, avif: expectedOfAvif = expected } of CURVES) {
    const levels = await shownLevels(withCicp(png, 1, transfer))
    t.ok(near(levels, expected, 3), `PNG, transfer ${transfer}: ${levels}`)
    const levelsOfAvif = await shownLevels(withNclx(avif, 1, transfer))
    t.ok(near(levelsOfAvif, expectedOfAvif, 3), `AVIF, transfer ${transfer}: ${levelsOfAvif}`)
  }
})

t.test('an AVIF without the property uses the code points in its data', async (t) => {
  const avif = await squares().avif({ quality: 95, effort: 0 }).toBuffer()

  t.ok(near(await shownLevels(withTransferInData(avif, 13)), LEVELS, 3))
  const levels = await shownLevels(withTransferInData(avif, 4))
  t.ok(near(levels, [0, 7, 62, 129, 193, 240, 255], 4), `${levels}`)
  t.notOk(near(levels, LEVELS, 4))
})

t.test('primaries are applied, with light beyond white too', async (t) => {
  const shown = async (color: [number, number, number], primaries: number, transfer: number) => {
    const [r, g, b] = color
    const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: { r, g, b } } })
      .png()
      .toBuffer()
    return [...(await decode(withCicp(png, primaries, transfer))).data.subarray(0, 3)]
  }

  t.ok(near(await shown([200, 40, 40], 9, 13), [249, 0, 27], 1))
  t.ok(near(await shown([40, 200, 40], 12, 13), [0, 204, 0], 1))
  t.ok(near(await shown([40, 40, 200], 8, 13), [36, 27, 207], 1))
  t.ok(near(await shown([60, 100, 180], 1, 16), [18, 58, 249], 3))
  t.ok(near(await shown([200, 120, 120], 9, 18), [229, 76, 95], 3))
})

t.test('gAMA and cHRM of PNG are applied, and the usual gamma changes nothing', async (t) => {
  const png = await squares().png().toBuffer()
  const chrm = (points: readonly number[]) => {
    const content = Buffer.alloc(32)
    points.forEach((point, k) => {
      content.writeUInt32BE(point, 4 * k)
    })
    return { type: 'cHRM', content }
  }

  t.ok(near(await shownLevels(withGamma(png, 0.25)), [0, 0, 13, 71, 154, 229, 255], 1))
  t.ok(near(await shownLevels(withGamma(png, 1)), [0, 71, 137, 188, 225, 248, 255], 1))
  t.same(await shownLevels(withGamma(png, 0.45455)), LEVELS)
  t.same(await shownLevels(withGamma(png, 0)), LEVELS)
  const srgb = chrm([31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6000])
  t.same(await shownLevels(withPngChunks(withGamma(png, 0.45455), [srgb])), LEVELS)
  const point = chrm(Array.from({ length: 8 }, (_, k) => (k % 2 === 0 ? 31_270 : 32_900)))
  t.same(await shownLevels(withPngChunks(withGamma(png, 0.45455), [point])), LEVELS, 'primaries without an area')
})

t.test('code points take precedence over sRGB and gAMA, and a chunk with a wrong checksum is ignored', async (t) => {
  const png = await squares().png().toBuffer()
  const linear = withGamma(png, 1)

  t.same(await shownLevels(withCicp(linear, 1, 13)), LEVELS)
  t.same(await shownLevels(withPngChunks(linear, [{ type: 'sRGB', content: Buffer.alloc(1) }])), LEVELS)
  t.notSame(await shownLevels(withCicp(linear, 2, 2)), LEVELS, 'unspecified')
  const damaged = Buffer.from(linear)
  const at = damaged.indexOf('gAMA') + 8
  damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
  t.same(await shownLevels(damaged), LEVELS)
})

t.test('a picture whose values are nearly black is found', async (t) => {
  const { data, width, height } = scenePixels(1)
  const truth = hash({ data, width, height, channels: 3 }).hash
  const gamma = 1.8
  const deep = new Uint16Array(data.length).map((_, k) => Math.round(65_535 * lightOf(data[k] ?? 0) ** gamma))
  const dark = await sharp(deep, { raw: { width, height, channels: 3 } })
    .toColourspace('rgb16')
    .png()
    .toBuffer()

  t.ok(distance(hash(await decode(dark)).hash, truth) > 31)
  const limits = { sizeFor: hashedSize, purpose: 'query' } as const
  const found = await eachFrame(withGamma(dark, gamma), limits, ({ pixels }) => distance(hash(pixels).hash, truth))
  t.equal(found.length, 2, 'once as browsers show it, in few levels, and once as stored')
  t.ok((found[0] ?? 256) <= 31)
  t.ok((found[1] ?? 256) <= 8)
})

t.test('CMYK is shown as in browsers, and also by its profile', async (t) => {
  const shares = [
    { background: { r: 0, g: 255, b: 255 }, name: 'cyan' },
    { background: { r: 128, g: 40, b: 90 }, name: 'another' },
  ]
  for (const { background, name } of shares) {
    const inCmyk = () =>
      sharp({ create: { width: 16, height: 16, channels: 3, background } })
        .toColourspace('cmyk')
        .jpeg({ quality: 100 })
    const jpeg = await inCmyk().toBuffer()
    const expected = await lightLeftBy(jpeg)
    t.same([...(await decode(jpeg)).data.subarray(0, 3)], expected, name)
    const profiled = await inCmyk().withIccProfile('cmyk').toBuffer()
    const limits = { sizeFor: hashedSize, purpose: 'query' } as const
    const shown = await eachFrame(profiled, limits, ({ pixels }) => [...pixels.data.subarray(0, 3)])
    t.equal(shown.length, 2)
    t.same(shown[0], await lightLeftBy(profiled), name)
    const { r, g, b } = background
    t.ok(near(shown[1] ?? [], [r, g, b], name === 'cyan' ? 190 : 20), `${name}, by its profile: ${shown[1]}`)
    t.notSame(shown[0], shown[1])
  }
})

async function lightLeftBy(jpeg: Buffer): Promise<number[]> {
  const inks = await sharp(jpeg).pipelineColourspace('cmyk').toColourspace('cmyk').raw().toBuffer()
  const [c = 0, m = 0, y = 0, k = 0] = inks
  return [c, m, y].map((ink) => Math.floor(((255 - ink) * (255 - k)) / 255))
}

function lightOf(level: number): number {
  const code = level / 255
  return code <= 0.04045 ? code / 12.92 : ((code + 0.055) / 1.055) ** 2.4
}

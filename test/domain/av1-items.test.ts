// An AV1 item may hold any number of frames. Browsers show the first, so it is the picture, and the others cost nothing.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { avifAnimation } from '../../src/domain/media/animations/avif.js'
import { av1Frames } from '../../src/domain/media/heif/av1-items.js'
import { withoutAperture } from '../../src/domain/media/heif/heif-aperture.js'
import { associationsIn, metaBoxesIn, propertiesIn } from '../../src/domain/media/heif/heif-boxes.js'
import { box, fullBox, heifFileOf, u16, u32 } from '../../src/domain/media/heif/heif-file.js'
import { heifPixels } from '../../src/domain/media/heif/heif-pixels.js'
import { placesOf } from '../../src/domain/media/heif/item-data.js'
import { isTooCostly, pictureCost } from '../../src/domain/media/picture-cost.js'
import { stillAvif } from '../../workers/media/animations/still-avif.js'
import { decode } from '../../workers/media/decode.js'
import { avifSequenceOf, flatPicture } from '../helpers/animations.js'
import { launchChromium, withoutBrowser } from '../helpers/chromium.js'
import { scene } from '../helpers/pictures.js'

const SIZE = { width: 64, height: 48 }
const LEVELS = [250, 128, 10]

/** One item with independent frames of these levels of grey. */
async function itemOf(levels: readonly number[]): Promise<Buffer> {
  const frames = levels.map((level) => ({ picture: flatPicture(SIZE, [level, level, level, 255]), delayMs: 100 }))
  const sequence = await avifSequenceOf(SIZE, frames)
  const animation = avifAnimation(sequence)
  if (animation === undefined) throw new Error('no sequence')
  const joined = animation.frames.map((frame) => ({ ...frame, start: 0 }))
  return stillAvif(sequence, { ...animation, frames: joined }, levels.length - 1)
}

const levelOf = async (file: Buffer) => (await decode(file)).data[0]

t.test('of many AV1 frames the first is the picture, however many follow', async (t) => {
  t.equal(await levelOf(await itemOf([250])), 250)
  const many = await itemOf(LEVELS)
  const before = Buffer.from(many)
  t.equal(await levelOf(many), 250)
  t.ok(many.equals(before), 'the file itself is unchanged')
  t.equal(await levelOf(await itemOf([10, 250])), 10)
  const hundreds = await itemOf([90, ...Array<number>(400).fill(10)])
  t.equal(av1Frames(hundreds).decoded, 1)
  t.equal(await levelOf(hundreds), 90)
  const ends = await Promise.all(
    [1, 2, 3].map((left) => decode(many.subarray(0, many.length - left)).catch(({ code }: { code: string }) => ({ code }))),
  )
  for (const end of ends) t.ok('code' in end ? end.code === 'image-undecodable' : end.data[0] === 250, 'a truncated file')
})

t.test('Chromium shows the same frame', { skip: withoutBrowser }, async (t) => {
  const browser = await launchChromium()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const shownLevel = (file: Buffer) =>
    page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/avif' }))
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
      context?.drawImage(bitmap, 0, 0)
      return context?.getImageData(5, 5, 1, 1).data[0]
    }, file.toString('base64'))
  t.equal(await shownLevel(await itemOf(LEVELS)), 250)
  for (const { name, file, level } of layered()) t.equal(await shownLevel(file), level, name)
})

t.test('the highest layer is the picture, unless a property selects another', async (t) => {
  for (const { name, file, level } of layered()) t.equal(await levelOf(file), level, name)
  const untold = withProperty(LAYERS, 'a1op', [40])
  t.equal(av1Frames(untold).decoded, 2, 'a list of layers that does not exist')
})

t.test('an item that shares its data with the picture, and shows a lower layer of it, changes nothing', async (t) => {
  const meta = metaBoxesIn(LAYERS)
  const properties = propertiesIn(LAYERS, meta)
    .filter(({ type }) => type === 'av1C' || type === 'ispe')
    .map(({ from, to }) => LAYERS.subarray(from - 8, to))
  const [place] = placesOf(LAYERS, meta, () => {})
  const data = (place?.ranges ?? []).map(([from, to]) => LAYERS.subarray(from, to))
  const lower = { kind: 'av01', properties: [...properties, box('lsel', u16(0))], data: [] }
  const file = heifFileOf('avif', [{ kind: 'av01', properties, data }, lower])
  const places = file.indexOf('iloc') + 4 + 4 + 2 + 2
  file.copyWithin(places + 14 + 6, places + 6, places + 14) // offset and length of the first item
  t.equal(await levelOf(file), 10)
  t.same(av1Frames(file).patches, [])
  file.writeUInt16BE(2, file.indexOf('pitm') + 8)
  t.equal(await levelOf(file), 250, 'the same data, if that item is the picture')
})

/** Made with avifenc --layered: white, and black above it. */
const LAYERS = readFileSync(resolve(import.meta.dirname, '../../../test/data/layers.avif'))

function layered() {
  return [
    { name: 'layers', file: LAYERS, level: 10 },
    { name: 'layer 0', file: withProperty(LAYERS, 'lsel', [0, 0]), level: 250 },
    { name: 'layer 1', file: withProperty(LAYERS, 'lsel', [0, 1]), level: 10 },
    { name: 'all of them', file: withProperty(LAYERS, 'lsel', [255, 255]), level: 10 },
    { name: 'the first list of layers', file: withProperty(LAYERS, 'a1op', [0]), level: 10 },
    { name: 'the second list', file: withProperty(LAYERS, 'a1op', [1]), level: 250 },
  ]
}

/** A copy with an essential property in place of the pixel depths, which no decoder needs. */
function withProperty(file: Buffer, type: string, content: readonly number[]): Buffer {
  const copy = Buffer.from(file)
  const meta = metaBoxesIn(copy)
  const replaced = propertiesIn(copy, meta).find((property) => property.type === 'pixi')
  if (replaced === undefined) throw new Error('no pixi')
  copy.write(type, replaced.from - 4, 'latin1')
  copy.fill(0, replaced.from, replaced.to)
  copy.set(content, replaced.from)
  for (const { index, at } of associationsIn(copy, meta)) if (index === replaced.index) copy[at] = (copy[at] ?? 0) | 0x80
  return copy
}

t.test('hidden frames that are decoded for the shown one are counted', async (t) => {
  const { bytes: plain } = await scene(1, { format: 'avif' })
  t.same(av1Frames(plain), { decoded: 1, patches: [] })
  t.same(av1Frames(await hidden(3)), { decoded: 4, patches: [] })
  const costs = await Promise.all([0, 3, 10_000].map(async (frames) => pictureCost(await hidden(frames))))
  t.ok((costs[1]?.timeMs ?? 0) > (costs[0]?.timeMs ?? 0))
  t.ok(isTooCostly(costs[2] ?? { timeMs: 0, memoryMb: 0 }, 30_000), '10,000 of them')
  await t.rejects(decode(await hidden(10_000)), { code: 'image-too-many-pixels' })
  const small = await itemOf([90])
  const endless = withUnits(small, Buffer.alloc(40_000, Buffer.from([0x7a, 0])))
  t.ok(isTooCostly(pictureCost(endless), endless.length), 'endless units')
})

t.test('boxes that declare more than they hold cost no more than they hold', async (t) => {
  const declaring = Buffer.concat([u16(1), u16(65_535), u16(1)])
  const boxes = Array.from({ length: 4000 }, () => box('dimg', declaring))
  const described = [fullBox('ispe', 0, u32(10), u32(10))]
  const file = heifFileOf('avif', [{ kind: 'av01', properties: described, data: [Buffer.alloc(150_000)] }], boxes)
  t.equal(heifPixels(file)?.largest, 100)
  t.same(av1Frames(file), { decoded: 0, patches: [] })
  await t.rejects(decode(file), { code: /image-undecodable|image-too-many-pixels/ })
  const items = fullBox('iloc', 0, Buffer.from([0x44, 0]), u16(65_535), Buffer.alloc(6 * 65_535))
  const many = Buffer.concat([box('ftyp', Buffer.from('avif')), box('meta', u32(0), items)])
  t.ok(isTooCostly(pictureCost(many), many.length), 'items without data')
})

/** Measured: 9 and 15 ms. Looking for each name in all properties took seconds. */
const MAX_NAMES_CPU_US = 3_000_000

t.test('many properties and many names of them cost no more than both alone', async (t) => {
  for (const type of ['lsel', 'clap']) {
    const properties = Array.from({ length: 2000 }, () => box(type, u16(1)))
    const file = withNames(properties, 25_000)
    const before = process.cpuUsage()
    av1Frames(file)
    withoutAperture(file)
    t.ok(process.cpuUsage(before).user < MAX_NAMES_CPU_US, type)
  }
})

/** A file without data. Each name says that item 1 has a property which does not exist. */
function withNames(properties: readonly Buffer[], count: number): Buffer {
  const names = Buffer.concat([u16(1), Buffer.from([250]), Buffer.alloc(500, Buffer.from([0x0f, 0xff]))])
  const ofItems = box('ipma', u32(1), u32(count / 250), ...Array<Buffer>(count / 250).fill(names))
  const meta = box('meta', u32(0), fullBox('pitm', 0, u16(1)), box('iprp', box('ipco', ...properties), ofItems))
  return Buffer.concat([box('ftyp', Buffer.from('avif')), meta])
}

t.test('a higher layer of the same picture is decoded with it, and a lower one is the next picture', async (t) => {
  const layer = (number: number) => [0x1e, number << 3, 1, 0]
  const small = await itemOf([90])
  const both = av1Frames(withUnits(small, Buffer.from([...layer(0), ...layer(1)])))
  t.equal(both.decoded, 2)
  t.ok(both.patches.length > 0)
  t.equal(av1Frames(withUnits(small, Buffer.from([...layer(1), ...layer(0)]))).decoded, 1)
})

/** With hidden frames before the first: their headers, without any tile. */
async function hidden(frames: number): Promise<Buffer> {
  const file = withUnits(await itemOf([90]), Buffer.alloc(3 * frames, Buffer.from([0x1a, 1, 0])))
  const at = file.lastIndexOf('mdat') + 4
  const sequence = at + ((file[at] ?? 0) >> 3 === 1 ? 2 : 4)
  file[sequence] = (file[sequence] ?? 0) & ~0b1000 // not a header of stills, which would show every frame
  return file
}

/** With units after the sequence header of its item, which is in `mdat`. */
function withUnits(file: Buffer, units: Buffer): Buffer {
  const item = file.lastIndexOf('mdat') + 4
  let at = item
  while ((file[at] ?? 0) >> 3 !== 1) at += 2 + (file[at + 1] ?? 0)
  at += 2 + (file[at + 1] ?? 0)
  const iloc = file.indexOf('iloc') + 4
  const copy = Buffer.concat([file.subarray(0, at), units, file.subarray(at)])
  const lengthAt = iloc + 4 + 2 + 2 + 2 + 2 + 2 + 4
  copy.writeUInt32BE(copy.readUInt32BE(lengthAt) + units.length, lengthAt)
  copy.writeUInt32BE(copy.readUInt32BE(item - 8) + units.length, item - 8)
  return copy
}

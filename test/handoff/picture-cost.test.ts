import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { isTooCostly, pictureCost } from '../../src/handoff/picture-cost.js'
import { scenePixels } from '../helpers/pictures.js'

const BOMB = readFileSync(fileURLToPath(new URL('../../../test/data/flat-50-megapixels.avif', import.meta.url)))
const MEGABYTE = 1_000_000

/** A photograph in each format, whose header says afterwards that it is larger. */
async function photographs() {
  const { data, width, height } = scenePixels(31, { width: 320, height: 240 })
  const picture = () => sharp(data, { raw: { width, height, channels: 3 } })
  return {
    png: await picture().png().toBuffer(),
    'interlaced png': await picture().png({ progressive: true }).toBuffer(),
    jpeg: await picture().jpeg().toBuffer(),
    'progressive jpeg': await picture().jpeg({ progressive: true }).toBuffer(),
    webp: await picture().webp().toBuffer(),
    'lossless webp': await picture().webp({ lossless: true }).toBuffer(),
    gif: await picture().gif().toBuffer(),
    tiff: await picture().tiff({ compression: 'none' }).toBuffer(),
    avif: await picture().avif({ effort: 0 }).toBuffer(),
  }
}

t.test('the size of a picture is read from the header of each format', async (t) => {
  for (const [name, file] of Object.entries(await photographs())) {
    const { timeMs } = pictureCost(file)
    t.ok(timeMs > 50 && timeMs < 60, `${name}: ${timeMs} ms for 0.08 megapixels`)
    t.notOk(isTooCostly(pictureCost(file), file.length), name)
    t.same(pictureCost(file.subarray(0, 1024)).timeMs > 50, true, `${name}: and from its beginning`)
  }
})

t.test(
  'a few bytes that declare what takes seconds and a gigabyte are too costly; a photograph of that size is not',
  async (t) => {
    const cost = pictureCost(BOMB)
    t.ok(cost.memoryMb > 900 && cost.timeMs > 1000)
    t.ok(isTooCostly(cost, BOMB.length))
    t.notOk(isTooCostly(cost, MEGABYTE / 5), '50 megapixels in 200 kB show something')

    const deep = Buffer.from(BOMB)
    deep.writeUInt8(deep.readUInt8(deep.indexOf('av1C') + 6) | 0x40, deep.indexOf('av1C') + 6)
    t.ok(isTooCostly(pictureCost(deep), MEGABYTE), 'at twice the depth it takes twice the memory, more than there may be')

    const { 'progressive jpeg': jpeg, png } = await photographs()
    const large = Buffer.from(jpeg)
    large.writeUInt32BE(0x1b9e_1b9e, large.indexOf(Buffer.from('ffc2', 'hex')) + 5)
    t.notOk(isTooCostly(pictureCost(large), 10 * MEGABYTE), 'ten scans of 50 megapixels')
    const scan = Buffer.from('ffda0008010100003f00', 'hex')
    t.ok(isTooCostly(pictureCost(Buffer.concat([large, ...Array(200).fill(scan)])), 10 * MEGABYTE), 'and not 200')
    const huge = Buffer.from(png)
    huge.writeUInt32BE(0x7fff_ffff, 16)
    t.ok(isTooCostly(pictureCost(huge), 20 * MEGABYTE))
  },
)

t.test('whatever stands in a header, a cost comes of it', async (t) => {
  const files = Object.values(await photographs())
  const known = fc.constantFrom(...files, BOMB)
  const bent = fc.tuple(known, fc.nat(400), fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([file, at, bytes]) => {
    const copy = Buffer.from(file)
    copy.set(bytes.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length - bytes.length))
    return copy
  })
  fc.assert(
    fc.property(
      fc.oneof(
        bent,
        fc.uint8Array({ maxLength: 64 }).map(Buffer.from),
        bent.map((file) => file.subarray(0, 40)),
      ),
      (file) => {
        const { timeMs, memoryMb } = pictureCost(file)
        return timeMs >= 50 && memoryMb >= 0 && Number.isFinite(timeMs + memoryMb)
      },
    ),
    { numRuns: 2000 },
  )
  t.pass()
})

import t from 'tap'
import { metaBoxesIn, propertiesIn } from '../../src/domain/media/heif/heif-boxes.js'
import { box, fullBox, heifFileOf, u16, u32 } from '../../src/domain/media/heif/heif-file.js'
import { isTooCostly, pictureCost } from '../../src/domain/media/picture-cost.js'
import { heic } from '../helpers/heic.js'

const MEGABYTE = 1_000_000

t.test('coded data of AVIF and HEIC costs time, besides pixels, as often as it is decoded', (t) => {
  const described = [fullBox('ispe', 0, u32(4000), u32(3000))]
  const noise = (kind: string, megabytes: number, references: readonly Buffer[] = []) => {
    const shown = references.length === 0 ? [] : [{ kind: 'grid', properties: described, data: [Buffer.alloc(8)] }]
    const data = Buffer.alloc(megabytes * MEGABYTE)
    return heifFileOf(
      kind === 'av01' ? 'avif' : 'heic',
      [...shown, { kind, properties: described, data: [data] }],
      references,
    )
  }
  const timeOf = (file: Buffer) => pictureCost(file).timeMs
  for (const [kind, ms] of [
    ['av01', 8 * 150],
    ['hvc1', 6.2 * 200 + 1.8 * 60], // less for those beyond 0.6 bytes a pixel
  ] as const) {
    const [little, much] = [noise(kind, 1), noise(kind, 9)]
    t.equal(Math.round(timeOf(much) - timeOf(little)), ms, kind)
    t.equal(pictureCost(much.subarray(0, 4096), much.length).timeMs, timeOf(much), 'told by the beginning of the file')
    t.notOk(isTooCostly(pictureCost(much), much.length), 'a photograph of 12 megapixels and 9 MB')
  }
  const four = box('dimg', u16(1), u16(4), ...Array<Buffer>(4).fill(u16(2)))
  const eight = box('dimg', u16(1), u16(8), ...Array<Buffer>(8).fill(u16(2)))
  const tiles = 4 * ((12 * 40 * MEGABYTE) / MEGABYTE + 2 * 150)
  t.equal(Math.round(timeOf(noise('av01', 2, [eight])) - timeOf(noise('av01', 2, [four]))), tiles, 'four more tiles')
  t.end()
})

t.test('a HEIC of 33 megapixels and 10 bits may have as few bytes as a dark photograph has', async (t) => {
  const file = heic('10-bit')
  const config = propertiesIn(file, metaBoxesIn(file)).find(({ type }) => type === 'hvcC')
  const properties = [file.subarray((config?.from ?? 0) - 8, config?.to), fullBox('ispe', 0, u32(7008), u32(4672))]
  const fileOf = (bytes: number) => {
    const data = [u32(bytes - 4), Buffer.alloc(bytes - 4)] // one unit
    return heifFileOf('heic', [{ kind: 'hvc1', properties, data }])
  }
  for (const [bytes, isRefused] of [
    [135_000, false],
    [60_000, true],
  ] as const)
    t.equal(isTooCostly(pictureCost(fileOf(bytes)), bytes), isRefused, `${bytes} bytes`)
  t.end()
})

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { isTooCostly, pictureCost } from '../../src/domain/media/picture-cost.js'
import { usualBmp } from '../helpers/bmp-files.js'
import { scenePixels } from '../helpers/pictures.js'
import { runs } from '../helpers/runs.js'

const BOMB = readFileSync(fileURLToPath(new URL('../../../test/data/flat-50-megapixels.avif', import.meta.url)))
const MEGABYTE = 1_000_000

/** A photograph in each format, whose header is enlarged afterwards. */
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
    bmp: usualBmp({ data, width, height }),
  }
}

t.test('the size of a picture is read from the header of each format', async (t) => {
  for (const [name, file] of Object.entries(await photographs())) {
    const { timeMs } = pictureCost(file)
    t.ok(timeMs > 50 && timeMs < 60, `${name}: ${timeMs} ms for 0.08 megapixels`)
    t.notOk(isTooCostly(pictureCost(file), file.length), name)
    t.same(pictureCost(file.subarray(0, 1024)).timeMs > 50, true, `${name}: from its beginning as well`)
  }
})

t.test('a long picture costs a second decoding and its windows, which do not make it too costly', async (t) => {
  for (const [width, height, isLong] of [
    [300, 2400, true],
    [2400, 300, true],
    [900, 800, false],
  ] as const) {
    const picture = sharp({ create: { width, height, channels: 3, background: '#456' } })
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff'] as const) {
      const file = await picture.clone().toFormat(format).toBuffer()
      const { timeMs, windowsMs } = pictureCost(file)
      t.equal(windowsMs === undefined ? undefined : Math.round(windowsMs - timeMs), isLong ? 350 : undefined, format)
      t.notOk(isTooCostly({ timeMs, memoryMb: 0, ...(isLong && { windowsMs: 5000 }) }, file.length))
    }
  }
})

t.test('a few bytes that declare 50 megapixels are too costly, and a photograph of that size is not', async (t) => {
  const cost = pictureCost(BOMB)
  t.ok(cost.memoryMb > 900 && cost.timeMs > 1000)
  t.ok(isTooCostly(cost, BOMB.length))
  t.notOk(isTooCostly(cost, MEGABYTE / 5), '50 megapixels in 200 kB show something')

  const deep = Buffer.from(BOMB)
  deep.writeUInt8(deep.readUInt8(deep.indexOf('av1C') + 6) | 0x40, deep.indexOf('av1C') + 6)
  t.ok(isTooCostly(pictureCost(deep), MEGABYTE), 'twice the depth takes twice the memory, more than allowed')

  const { 'progressive jpeg': jpeg, png } = await photographs()
  const large = Buffer.from(jpeg)
  large.writeUInt32BE(0x1b9e_1b9e, large.indexOf(Buffer.from('ffc2', 'hex')) + 5)
  t.notOk(isTooCostly(pictureCost(large), 10 * MEGABYTE), 'ten scans of 50 megapixels')
  const scan = Buffer.from('ffda0008010100003f00', 'hex')
  const withScans = (...scans: readonly Buffer[]) => Buffer.concat([large.subarray(0, -2), ...scans])
  t.ok(isTooCostly(pictureCost(withScans(...Array(200).fill(scan))), 10 * MEGABYTE), '200 scans')
  const end = Buffer.from('ffd9', 'hex')
  const behind = withScans(end, ...Array(200).fill(scan))
  t.notOk(isTooCostly(pictureCost(behind), 10 * MEGABYTE), 'bytes after the end of the image do not count')
  const inComment = Buffer.concat([large.subarray(0, 2), commentOf(scan, 200), large.subarray(2)])
  t.same(pictureCost(inComment), pictureCost(large), 'bytes in a comment do not count')
  const huge = Buffer.from(png)
  huge.writeUInt32BE(0x7fff_ffff, 16)
  t.ok(isTooCostly(pictureCost(huge), 20 * MEGABYTE))
})

function commentOf(bytes: Buffer, times: number): Buffer {
  const comment = Buffer.alloc(4 + bytes.length * times, bytes)
  comment.writeUInt16BE(0xfffe)
  comment.writeUInt16BE(comment.length - 2, 2)
  bytes.copy(comment, 4)
  return comment
}

/** A JPEG whose header declares another size. */
function jpegOf(jpeg: Buffer, width: number, height: number, marker = 0xc0): Buffer {
  const made = Buffer.from(jpeg)
  const at = made.indexOf(Buffer.from([0xff, marker, 0x00, 0x11]))
  made.writeUInt16BE(height, at + 5)
  made.writeUInt16BE(width, at + 7)
  return made
}

/** Writes another size into the header of a picture of each format: the largest possible, or some gigapixels. */
const ENLARGED: Readonly<Record<string, (file: Buffer) => void>> = {
  png: (file) => file.fill(Buffer.from([0, 0, 0xea, 0x60]), 16, 24),
  'interlaced png': (file) => file.fill(Buffer.from([0, 0, 0xea, 0x60]), 16, 24),
  jpeg: (file) =>
    file.fill(0xfe, file.indexOf(Buffer.from('ffc0', 'hex')) + 5, file.indexOf(Buffer.from('ffc0', 'hex')) + 9),
  'progressive jpeg': (file) =>
    file.fill(0xfe, file.indexOf(Buffer.from('ffc2', 'hex')) + 5, file.indexOf(Buffer.from('ffc2', 'hex')) + 9),
  webp: (file) => file.fill(Buffer.from([0xff, 0x3f]), 26, 30),
  'lossless webp': (file) => file.fill(Buffer.from([0xff, 0xff, 0xff, 0x0f]), 21, 25),
  gif: (file) => file.fill(0xff, 6, 10),
  avif: (file) => file.fill(Buffer.from([0, 0, 0xea, 0x60]), file.indexOf('ispe') + 8, file.indexOf('ispe') + 16),
  bmp: (file) => file.fill(Buffer.from([0x60, 0xea, 0, 0]), 18, 26),
}

t.test('a declared size of gigapixels is too costly in every format', async (t) => {
  for (const [name, file] of Object.entries(await photographs())) {
    const enlarge = ENLARGED[name]
    if (enlarge === undefined) continue // TIFF is below
    enlarge(file)
    t.ok(isTooCostly(pictureCost(file), 20 * MEGABYTE), name)
  }
})

t.test('a one-scan JPEG may have 250 megapixels, and one held as coefficients 120', async (t) => {
  const { jpeg, 'progressive jpeg': progressive } = await photographs()
  const costly = (file: Buffer) => isTooCostly(pictureCost(file), 4 * MEGABYTE)
  t.notOk(costly(jpegOf(jpeg, 16_320, 12_240)), 'a photograph of a 200-megapixel phone')
  t.notOk(costly(jpegOf(jpeg, 20_000, 12_500)))
  t.ok(costly(jpegOf(jpeg, 20_000, 12_501)))
  t.notOk(costly(jpegOf(progressive, 12_000, 10_000, 0xc2)))
  t.ok(costly(jpegOf(progressive, 12_001, 10_000, 0xc2)))
  const inScans = jpegOf(jpeg, 12_001, 10_000)
  inScans.writeUInt8(1, inScans.indexOf(Buffer.from('ffda', 'hex')) + 4)
  t.ok(costly(inScans), 'a scan of one component: more follow, and all are held')
  t.ok(pictureCost(inScans).memoryMb > 300)
})

t.test('a small file may cost at most 1.5 s and 500 MB, whatever it declares', (t) => {
  for (const kb of [1, 20, 60]) {
    t.ok(isTooCostly({ timeMs: 1500, memoryMb: 0 }, kb * 1000), `${kb} kB`)
    t.ok(isTooCostly({ timeMs: 0, memoryMb: 500 }, kb * 1000), `${kb} kB`)
  }
  t.notOk(isTooCostly({ timeMs: 540, memoryMb: 245 }, 1000), '12 megapixels of AVIF')
  t.end()
})

t.test('any header gives a finite cost', async (t) => {
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
    { numRuns: runs(200) },
  )
  t.pass()
})

// A few hundred bytes each, which took from one second to the whole time limit of a worker and were charged as a small
// photograph.
t.test('a misleading header does not hide the cost of decoding', async (t) => {
  const side = 2048
  const tile = await flatAvif(side)
  const honest = gridOf(tile, side, { tiles: 4, shown: 2 * side })
  t.notOk(isTooCostly(pictureCost(honest), MEGABYTE), 'a grid that shows all of its tiles')
  const tiles = gridOf(tile, side, { tiles: 64, shown: side })
  t.ok(tiles.length < 1000 && isTooCostly(pictureCost(tiles), MEGABYTE), 'one tile, 64 times, of which one is shown')
  const behind = Buffer.concat([
    BOMB.subarray(0, 28),
    Buffer.alloc(8 * 5000, Buffer.from('0000000866726565', 'hex')),
    BOMB.subarray(28),
  ])
  t.ok(isTooCostly(pictureCost(behind), behind.length), '5,000 empty boxes before the size')

  const { 'progressive jpeg': jpeg } = await photographs()
  const { timeMs } = pictureCost(jpeg)
  const firstEnd = 4 + jpeg.readUInt16BE(4) // a file that does not begin as a JPEG is refused without a look at its size
  for (const [name, hex] of [
    ['TEM', 'ff01'],
    ['RST', 'ffd3'],
    ['bytes between segments', '1234'],
  ] as const) {
    const bent = Buffer.concat([jpeg.subarray(0, firstEnd), Buffer.from(hex, 'hex'), jpeg.subarray(firstEnd)])
    t.equal(pictureCost(bent).timeMs, timeMs, name)
  }

  const size = [tiffEntry(256, 7000), tiffEntry(257, 7000), tiffEntry(277, 4)]
  const most = pictureCost(tiffOf(size)).timeMs
  t.ok(most > 500)
  t.equal(pictureCost(tiffOf([...size, tiffEntry(256, 1), tiffEntry(257, 1)])).timeMs, most, 'a size given twice')
  t.equal(
    pictureCost(
      bigTiffOf([
        [256, 7000],
        [257, 7000],
        [277, 4],
      ]),
    ).timeMs,
    most,
    'BigTIFF',
  )
  const far = tiffOf([tiffEntry(256, 64, 16), tiffEntry(257, 64, 16), tiffEntry(277, 4)])
  far.writeBigUInt64LE(7000n, 64)
  t.equal(pictureCost(far).timeMs, most, 'eight bytes stored elsewhere')
})

const u16 = (value: number) => Buffer.from([value >> 8, value & 255])
const u32 = (value: number) => Buffer.concat([u16(value >>> 16), u16(value & 65_535)])
const box = (type: string, ...parts: readonly Uint8Array[]) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body])
}

function flatAvif(side: number): Promise<Buffer> {
  return sharp({ create: { width: side, height: side, channels: 3, background: '#808080' } })
    .avif({ effort: 0 })
    .toBuffer()
}

/** A square grid that repeats one tile; `shown` is the declared side. Decoders accept it. */
function gridOf(avif: Buffer, side: number, { tiles, shown }: { readonly tiles: number; readonly shown: number }): Buffer {
  const inAvif = (type: string) => {
    const at = avif.indexOf(type, 0, 'latin1') - 4
    return avif.subarray(at, at + avif.readUInt32BE(at))
  }
  const pixels = inAvif('mdat').subarray(8)
  const lines = Math.sqrt(tiles)
  const grid = Buffer.concat([Buffer.from([0, 0, lines - 1, lines - 1]), u16(shown), u16(shown)])
  const areas = [side, shown].map((each) => box('ispe', u32(0), u32(each), u32(each)))
  const associations = [u32(0), u32(2), u16(1), Buffer.from([2, 1, 0x83]), u16(2), Buffer.from([1, 2])]
  const infos = ['av01', 'grid'].map((kind, i) =>
    box('infe', u32(2 << 24), u16(i + 1), u16(0), Buffer.from(`${kind}\0`, 'latin1')),
  )
  const file = (dataAt: number) => {
    const place = (item: number, at: number, length: number) => [u16(item), u16(0), u16(0), u16(1), u32(at), u32(length)]
    const places = [...place(1, dataAt, pixels.length), ...place(2, dataAt + pixels.length, grid.length)]
    return Buffer.concat([
      box('ftyp', Buffer.from('avif\0\0\0\0avifmif1miaf', 'latin1')),
      box(
        'meta',
        u32(0),
        box('hdlr', u32(0), u32(0), Buffer.from('pict', 'latin1'), Buffer.alloc(13)),
        box('pitm', u32(0), u16(2)),
        box('iloc', u32(1 << 24), Buffer.from([0x44, 0]), u16(2), ...places),
        box('iinf', u32(0), u16(2), ...infos),
        box('iref', u32(0), box('dimg', u16(2), u16(tiles), ...Array.from({ length: tiles }, () => u16(1)))),
        box('iprp', box('ipco', ...areas, inAvif('av1C')), box('ipma', ...associations)),
      ),
      box('mdat', pixels, grid),
    ])
  }
  return file(file(0).length - pixels.length - grid.length)
}

function tiffEntry(tag: number, value: number, type = 4): Buffer {
  const entry = Buffer.alloc(12)
  entry.writeUInt16LE(tag, 0)
  entry.writeUInt16LE(type, 2)
  entry.writeUInt32LE(1, 4)
  entry.writeUInt32LE(value, 8)
  return entry
}

function tiffOf(entries: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from('49492a0008000000', 'hex'),
    Buffer.from([entries.length, 0]),
    ...entries,
    Buffer.alloc(64),
  ])
}

function bigTiffOf(values: readonly (readonly [number, number])[]): Buffer {
  const head = Buffer.from('49492b00080000001000000000000000', 'hex')
  const count = Buffer.from([values.length, 0, 0, 0, 0, 0, 0, 0])
  const entries = values.map(([tag, value]) => {
    const entry = Buffer.alloc(20)
    entry.writeUInt16LE(tag, 0)
    entry.writeUInt16LE(4, 2)
    entry.writeUInt32LE(1, 4)
    entry.writeUInt32LE(value, 12)
    return entry
  })
  return Buffer.concat([head, count, ...entries, Buffer.alloc(64)])
}

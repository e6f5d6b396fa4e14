import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { imageEnd } from '../../src/domain/media/image-end.js'
import { withLongHead } from '../helpers/hostile-pictures.js'
import { everyFormat, type Picture, scene, scenePixels } from '../helpers/pictures.js'
import { runs } from '../helpers/runs.js'

const MIB = 1 << 20

/** A photograph of every format, and unusual files of some. */
async function pictures(): Promise<Picture[]> {
  const { data, width, height } = scenePixels(7, { width: 96, height: 64 })
  const picture = () => sharp(data, { raw: { width, height, channels: 3 } })
  const unusual = {
    'progressive.jpg': picture().jpeg({ progressive: true }),
    'interlaced.png': picture().png({ progressive: true }),
    'lossless.webp': picture().webp({ lossless: true }),
    'exif.webp': picture().withMetadata({ orientation: 6 }).webp(),
    'tiled.tif': picture().tiff({ tile: true, tileWidth: 32, tileHeight: 32, compression: 'jpeg' }),
    'big-endian.tif': picture().tiff({ compression: 'deflate', predictor: 'none' }),
    'big.tif': picture().tiff({ bigtiff: true }),
  }
  const made = Object.entries(unusual).map(async ([name, each]) => ({
    name,
    contentType: 'image/x',
    bytes: await each.toBuffer(),
  }))
  return [
    ...(await everyFormat(7)).filter(({ name }) => !name.endsWith('.jxl')), // its length is written nowhere
    { name: 'plain.bmp', contentType: 'image/bmp', bytes: bmp() },
    ...(await Promise.all(made)),
  ]
}

/** 3 × 2 pixels of 24 bits: rows are padded to whole words. */
function bmp(): Buffer {
  const file = Buffer.alloc(54 + 2 * 12, 0x40)
  file.write('BM', 0, 'latin1')
  file.writeUInt32LE(54, 10)
  file.writeUInt32LE(40, 14)
  file.writeInt32LE(3, 18)
  file.writeInt32LE(-2, 22)
  file.writeUInt16LE(24, 28)
  file.writeUInt32LE(0, 30)
  return file
}

const byteLists = fc.oneof(
  fc.constantFrom(0, 0xff, 0x5a).map((byte) => Buffer.alloc(200, byte)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom('ffd9', 'ffda000801', '4d4d002a', '00000008667265650000000866726565')
    .map((hex) => Buffer.from(hex, 'hex')),
)

function inPieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

t.test('the end of an image is found, whatever follows and however the file is split', async (t) => {
  for (const { name, bytes } of await pictures()) {
    t.equal(imageEnd([bytes]), bytes.length, name)
    fc.assert(
      fc.property(byteLists, fc.integer({ min: 1, max: 5000 }), (padding, size) => {
        const padded = Buffer.concat([bytes, padding])
        const end = imageEnd(inPieces(padded, size))
        // After an AVIF whole boxes count, as for a decoder: more may belong to the image.
        return name.endsWith('.avif') ? end !== undefined && end >= bytes.length : end === bytes.length
      }),
      { numRuns: runs(25) },
    )
  }
})

t.test('a truncated image has no known end', async (t) => {
  for (const { name, bytes } of await pictures()) {
    for (const part of [0.5, 0.8]) {
      const end = imageEnd([bytes.subarray(0, Math.floor(bytes.length * part))])
      t.equal(end, undefined, `${name} ${part}`)
    }
  }
  t.equal(imageEnd([]), undefined)
  t.equal(imageEnd([Buffer.from('%PDF-1.7')]), undefined)
})

t.test('the end of any file is found quickly and is never beyond the file', async (t) => {
  const files = (await pictures()).map(({ bytes }) => bytes)
  const bent = fc
    .tuple(fc.constantFrom(...files), fc.nat(600), fc.uint8Array({ minLength: 1, maxLength: 12 }))
    .map(([file, at, bytes]) => {
      const copy = Buffer.from(file)
      copy.set(bytes.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length - 1))
      return copy
    })
  fc.assert(
    fc.property(bent, fc.integer({ min: 1, max: 3000 }), (file, size) => {
      const end = imageEnd(inPieces(file, size))
      return end === undefined || (Number.isSafeInteger(end) && end > 0 && end <= file.length)
    }),
    { numRuns: runs(150) },
  )

  const gif = Buffer.concat([
    Buffer.from('474946383961010001000000002c00000000010001000002', 'hex'),
    Buffer.alloc(4 * MIB, 1),
  ])
  t.equal(imageEnd([gif]), undefined, 'millions of blocks of one byte')
  const stuffed = Buffer.concat([Buffer.from('ffd8', 'hex'), Buffer.alloc(4 * MIB, 0xff)])
  t.equal(imageEnd([stuffed]), undefined, 'millions of bytes that begin a marker')
  const boxes = Buffer.concat([
    Buffer.from('0000001c66747970617669660000000061766966', 'hex'),
    Buffer.alloc(8),
    Buffer.alloc(MIB, Buffer.from('0000000866726565', 'hex')),
  ])
  t.equal(imageEnd([boxes]), undefined, 'a hundred thousand empty boxes')
})

t.test('an end marker inside a picture is not taken for its end', async (t) => {
  const { bytes } = await scene(7)
  const within = withLongHead(bytes, bytes.length + 100)
  within.fill(Buffer.from('ffd9', 'hex'), 6, 100)
  t.equal(imageEnd([within]), within.length, 'in a comment, as in a thumbnail')
})

t.test('an image without its end marker ends before filler', async (t) => {
  const [jpeg, png, gif] = await Promise.all((['jpeg', 'png', 'gif'] as const).map((format) => scene(7, { format })))
  const open = (file: Buffer | undefined, without: number) => (file ?? Buffer.alloc(0)).subarray(0, -without)
  const filler = Buffer.alloc(100_000)
  t.equal(imageEnd([open(jpeg?.bytes, 2), filler]), (jpeg?.bytes.length ?? 0) - 2 + filler.length, 'the filler is kept')
  t.equal(imageEnd([open(jpeg?.bytes, 2), Buffer.alloc(1000)]), undefined, 'too few bytes to tell')
  t.equal(imageEnd([open(png?.bytes, 12), filler]), (png?.bytes.length ?? 0) - 12)
  t.equal(imageEnd([open(gif?.bytes, 1), filler]), (gif?.bytes.length ?? 0) - 1)
})

t.test('an endless text chunk after the pixels does not hide the end', async (t) => {
  const { bytes: png } = await scene(7, { format: 'png' })
  const text = Buffer.from('00ffffff74455874', 'hex')
  t.equal(imageEnd([png.subarray(0, -12), text, Buffer.alloc(1000, 0x41)]), png.length - 12)
  const { bytes: gif } = await scene(7, { format: 'gif' })
  const comment = Buffer.concat([Buffer.from('21fe', 'hex'), Buffer.alloc(1000, 255)])
  t.equal(imageEnd([gif.subarray(0, -1), comment]), gif.length - 1)
})

t.test('of two formats in one file the first bytes decide', async (t) => {
  const files = (await everyFormat(7)).filter(({ name }) => !name.endsWith('.jxl'))
  for (const one of files) {
    for (const other of files) {
      if (one.name.endsWith('.avif')) continue // boxes of both would follow each other
      t.equal(imageEnd([one.bytes, other.bytes]), one.bytes.length, `${one.name} and ${other.name}`)
    }
  }
})

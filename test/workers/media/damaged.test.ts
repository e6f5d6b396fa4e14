// Truncated files: a query reads as much as viewers show, a registration needs the whole picture.

import t from 'tap'
import { distance } from '../../../packages/hash/src/hash256.js'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import type { Purpose } from '../../../packages/hash/src/views.js'
import { createByteReader } from '../../../src/domain/media/byte-reader.js'
import { jpegMarkers, START_OF_SCAN } from '../../../src/domain/media/jpeg-markers.js'
import { eachFrame } from '../../../workers/media/decode.js'
import { hashImage } from '../../../workers/media/hashes-of-file.js'
import { pngChunk } from '../../helpers/animations.js'
import { withPngChunks } from '../../helpers/marked-pictures.js'
import { fromPixels, randomFrom, scenePixels, trailingGarbageJpeg } from '../../helpers/pictures.js'
import { restartJpeg } from '../../helpers/restart-jpeg.js'

const outcome = (bytes: Buffer, purpose: Purpose): Promise<unknown> =>
  eachFrame(bytes, { sizeFor: hashedSize, purpose }, () => undefined).then(
    () => 'decoded',
    (error) => error.code,
  )
const pixelsOf = async (bytes: Buffer) => (await eachFrame(bytes, limits, ({ pixels }) => Buffer.from(pixels.data)))[0]
const limits = { sizeFor: hashedSize, purpose: 'register' } as const
const cutTo = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(share * bytes.length))
const picture = () => fromPixels(scenePixels(7, { width: 320, height: 240 }))
const EOI = Buffer.from([0xff, 0xd9])

const random = randomFrom(7)
const BLOCKS = Array.from({ length: 40 * 30 }, () => Math.floor(256 * random()))

const FILES = {
  jpeg: await picture().jpeg({ quality: 90 }).toBuffer(),
  'JPEG with restart markers': restartJpeg(BLOCKS, 40, 40),
  png: await picture().png().toBuffer(),
  'interlaced PNG': await picture().png({ progressive: true }).toBuffer(),
  'PNG of a palette': await picture()
    .greyscale()
    .toColourspace('b-w')
    .png({ palette: true, progressive: true, effort: 1 })
    .toBuffer(),
  '16-bit PNG': await picture().toColourspace('rgb16').png({ progressive: true }).toBuffer(),
  gif: await picture().gif({ effort: 1 }).toBuffer(),
  'interlaced GIF': await picture().gif({ effort: 1, progressive: true }).toBuffer(),
  webp: await picture().webp({ effort: 0 }).toBuffer(),
  'lossless WebP': await picture().webp({ lossless: true, effort: 0 }).toBuffer(),
}

t.test('half a file is hashed for a query and refused for registration', async (t) => {
  for (const [name, bytes] of Object.entries(FILES)) {
    for (const share of [0.5, 0.75, 0.9]) {
      t.equal(await outcome(cutTo(bytes, share), 'register'), 'image-undecodable', `${name}, ${share}`)
      t.equal(await outcome(cutTo(bytes, share), 'query'), 'decoded', `${name}, ${share}`)
    }
  }
})

t.test('three quarters of a file match the whole', async (t) => {
  for (const name of ['jpeg', 'interlaced PNG'] as const) {
    const bytes = FILES[name]
    const whole = await hashImage(bytes, 'register')
    const { signals } = await hashImage(cutTo(bytes, 0.75), 'query')
    t.ok(nearest(signals, whole.signals) <= 31, `${name}: ${nearest(signals, whole.signals)} bits`)
  }
})

t.test('a file without its end marker is registered', async (t) => {
  for (const [name, missing] of [
    ['jpeg', 2],
    ['JPEG with restart markers', 2],
    ['png', 16],
    ['interlaced PNG', 16],
    ['16-bit PNG', 16],
    ['gif', 2],
    ['interlaced GIF', 2],
  ] as const) {
    const bytes = FILES[name]
    t.ok((await pixelsOf(bytes.subarray(0, -missing)))?.equals((await pixelsOf(bytes)) ?? Buffer.alloc(0)), name)
  }
})

t.test('a forged end does not make half a picture whole', async (t) => {
  const jpeg = FILES.jpeg
  const half = cutTo(jpeg, 0.6)
  const forged = {
    'an end marker': Buffer.concat([half, EOI]),
    'end markers and text': Buffer.concat([half, EOI, EOI, Buffer.from('the end')]),
    'a restart marker': Buffer.concat([half, Buffer.from([0xff, 0xd3]), EOI]),
    'half a marker': Buffer.concat([half, Buffer.from([0xff])]),
    zeros: Buffer.concat([half, Buffer.alloc(jpeg.length)]),
    'few zeros': Buffer.concat([half, Buffer.alloc(100)]),
    'a second picture': Buffer.concat([half, jpeg]),
  }
  for (const [name, bytes] of Object.entries(forged)) {
    t.equal(await outcome(bytes, 'register'), 'image-undecodable', name)
    t.equal(await outcome(bytes, 'query'), 'decoded', name)
  }
  const restarted = cutTo(FILES['JPEG with restart markers'], 0.6)
  for (const end of [
    [0xff, 0xd9],
    [0xff, 0xd5, 0xff, 0xd9],
    [0xff, 0xd0, 0xff, 0xd1, 0xff, 0xd2, 0xff, 0xd9],
  ]) {
    t.equal(await outcome(Buffer.concat([restarted, Buffer.from(end)]), 'register'), 'image-undecodable', `${end}`)
  }
  const gif = FILES.gif
  t.equal(
    await outcome(Buffer.concat([cutTo(gif, 0.6), Buffer.alloc(1000), Buffer.from(';')]), 'register'),
    'image-undecodable',
  )
})

t.test('a WebP whose data ends in zeros, as for plain rows, is whole', async (t) => {
  const plainBelow = picture().extend({ bottom: 4000, background: '#888' }).webp()
  const bytes = await plainBelow.toBuffer()
  t.equal(await outcome(bytes, 'register'), 'decoded')
})

t.test('data after a whole picture changes nothing', async (t) => {
  const after = [Buffer.alloc(5000), Buffer.from('text'), EOI, Buffer.alloc(3, 0xff)]
  for (const [name, bytes] of Object.entries(FILES)) {
    const pixels = (await pixelsOf(bytes)) ?? Buffer.alloc(0)
    for (const rest of after) t.ok((await pixelsOf(Buffer.concat([bytes, rest])))?.equals(pixels), name)
  }
  t.equal(await outcome((await trailingGarbageJpeg(1)).bytes, 'register'), 'decoded')
})

t.test('a gap in the data of a GIF hides nothing before it', async (t) => {
  for (const name of ['gif', 'interlaced GIF'] as const) {
    const at = Math.floor(0.75 * FILES[name].length)
    const gap = Buffer.concat([FILES[name].subarray(0, at), FILES[name].subarray(at + 10)])
    const whole = await hashImage(FILES[name], 'register')
    const { signals } = await hashImage(gap, 'query')
    t.ok(nearest(signals, whole.signals) <= 31, `${name}: ${nearest(signals, whole.signals)} bits`)
    t.equal(await outcome(gap, 'register'), 'image-undecodable')
  }
})

t.test('a truncated progressive picture is blurred but whole', async (t) => {
  const bytes = await picture().jpeg({ quality: 90, progressive: true }).toBuffer()
  const whole = await hashImage(bytes, 'register')

  const { signals } = await hashImage(cutTo(bytes, 0.5), 'query')
  t.ok(nearest(signals, whole.signals) <= 10)
})

t.test('what stops libjpeg after some scans hides nothing from a query', async (t) => {
  const bytes = await picture().jpeg({ quality: 90, progressive: true }).toBuffer()
  const whole = await hashImage(bytes, 'register')
  const scans = [...jpegMarkers(createByteReader([bytes]))].filter(({ code }) => code === START_OF_SCAN)
  const insert = (added: string, at: number) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(added, 'hex'), bytes.subarray(at)])
  const [third, last] = [scans[2]?.at ?? 0, scans.at(-1)?.at ?? 0]
  for (const [name, damaged] of [
    ['a table that is longer than the file', insert('ffc4fffe', bytes.length - EOI.length)],
    ['a table of an unknown kind', insert('ffc400060f00', last)],
    ['a marker of an unknown kind', insert('ff5a', last)],
    ['a table of an unknown kind before the third scan', insert('ffc400060f00', third)],
  ] as const) {
    const { signals } = await hashImage(damaged, 'query')
    t.ok(nearest(signals, whole.signals) <= 31, `${name}: ${nearest(signals, whole.signals)} bits`)
    t.equal(await outcome(damaged, 'register'), 'image-undecodable', name)
  }
})

t.test('more than a hundred flaws between restart markers hide nothing from a query', async (t) => {
  const bytes = restartJpeg(BLOCKS, 40, 2)
  const flawed = Buffer.from(bytes)
  const restarts = [...bytes.keys()].filter((at) => bytes[at] === 0xff && ((bytes[at + 1] ?? 0) & 0xf8) === 0xd0)
  for (const at of restarts.filter((_, k) => k % 4 === 0)) flawed.fill(0xfe, at + 3, at + 4)
  const { signals } = await hashImage(flawed, 'query')
  const whole = await hashImage(bytes, 'register')
  t.ok(nearest(signals, whole.signals) <= 31, `${restarts.length} intervals, ${nearest(signals, whole.signals)} bits`)
})

t.test('a PNG with a misnamed chunk is read without it', async (t) => {
  for (const name of ['png', 'interlaced PNG'] as const) {
    for (const type of ['teXt', 'a1CD']) {
      const odd = withPngChunks(FILES[name], [{ type, content: Buffer.alloc(4) }])
      t.ok((await pixelsOf(odd))?.equals((await pixelsOf(FILES[name])) ?? Buffer.alloc(0)), `${name}, ${type}`)
      t.equal(await outcome(odd, 'query'), 'decoded', `${name}, ${type}`)
      t.equal(await outcome(cutTo(odd, 0.5), 'register'), 'image-undecodable', `${name}, ${type}: half of it`)
    }
  }
})

t.test('a query reads the pixels of an interlaced PNG whose check sum is wrong', async (t) => {
  const bytes = FILES['interlaced PNG']
  const whole = await hashImage(bytes, 'register')
  const [first, end] = [bytes.indexOf('IDAT') - 4, bytes.lastIndexOf('IEND') - 4]
  const contents: Buffer[] = []
  for (let at = first; at < end; at += 12 + bytes.readUInt32BE(at)) {
    contents.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)))
  }
  const pixels = pngChunk('IDAT', ...contents)
  pixels.fill(0, pixels.length - 4)
  const wrong = Buffer.concat([bytes.subarray(0, first), pixels, bytes.subarray(end)])
  const { signals } = await hashImage(wrong, 'query')
  t.equal(nearest(signals, whole.signals), 0)
  t.equal(await outcome(wrong, 'register'), 'image-undecodable')
})

t.test('a file cut at any byte gives a picture or one code', async (t) => {
  for (const [name, bytes] of Object.entries(FILES)) {
    for (let length = 12; length < bytes.length; length += Math.ceil(bytes.length / 6)) {
      for (const purpose of ['register', 'query'] as const) {
        t.match(
          String(await outcome(bytes.subarray(0, length), purpose)),
          /^(decoded|image-undecodable)$/,
          `${name}, ${length}`,
        )
      }
    }
  }
})

function nearest(asked: Awaited<ReturnType<typeof hashImage>>['signals'], held: typeof asked): number {
  const bits = asked.flatMap(({ type, hashes }) =>
    held.flatMap(({ type: other, hashes: [hash] }) => {
      return type === other && hash !== undefined ? hashes.map((own) => distance(own, hash)) : []
    }),
  )
  return Math.min(...bits)
}

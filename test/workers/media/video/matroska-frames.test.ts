// The output of the decoder, cut anywhere, and what a compromised decoder could send.

import fc from 'fast-check'
import t from 'tap'
import { createFrameReader } from '../../../../workers/media/video/matroska-frames.js'
import { matroskaHeader, packetHead } from '../../../../workers/media/video/matroska-writer.js'

const FRAME_BYTES = 20
const header = matroskaHeader({ codec: 'vp8', width: 5, height: 4 })
const frameOf = (atMs: number, bytes = FRAME_BYTES) =>
  Buffer.concat([packetHead(atMs, undefined, bytes), Buffer.alloc(bytes, atMs % 251)])

function readerOf() {
  const frames: { atMs: number; first: number | undefined }[] = []
  const reader = createFrameReader(FRAME_BYTES, (atMs, [first]) => frames.push({ atMs, first }))
  return { reader, frames }
}

t.test('frames arrive whole, however the stream is cut', async () => {
  const times = fc.array(fc.nat({ max: 1_200_000 }), { maxLength: 5 })
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(times, sizes, (times, sizes) => {
      const stream = Buffer.concat([header, ...times.map((atMs) => frameOf(atMs))])
      const { reader, frames } = readerOf()
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        reader.take(stream.subarray(at, at + size))
        at += size
      }
      const expected = times.map((atMs) => ({ atMs, first: atMs % 251 }))
      return reader.isWhole && JSON.stringify(frames) === JSON.stringify(expected)
    }),
  )
})

t.test('a stream that ends within a frame is not whole', async (t) => {
  const { reader, frames } = readerOf()
  reader.take(Buffer.concat([header, frameOf(7).subarray(0, -1)]))
  t.equal(reader.isWhole, false)
  t.same(frames, [])
})

t.test('a frame of another length and a malformed stream are refused', async (t) => {
  const streams = {
    'a longer frame': Buffer.concat([header, frameOf(0, FRAME_BYTES + 1)]),
    'a shorter frame': Buffer.concat([header, frameOf(0, FRAME_BYTES - 1)]),
    'a long element': Buffer.concat([header, Buffer.from('ec080fffffff', 'hex'), Buffer.alloc(70_000)]),
    zeros: Buffer.alloc(20),
    'a time without bytes': Buffer.concat([header, Buffer.from('1f43b67580e780', 'hex'), frameOf(0).subarray(-27)]),
  }
  for (const [what, stream] of Object.entries(streams)) t.throws(() => readerOf().reader.take(stream), RangeError, what)
})

t.test('any bytes give frames or a refusal', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const { reader, frames } = readerOf()
      try {
        reader.take(Buffer.concat([header, bytes]))
      } catch (error) {
        return error instanceof RangeError
      }
      return frames.every(({ atMs }) => Number.isSafeInteger(atMs))
    }),
  )
})

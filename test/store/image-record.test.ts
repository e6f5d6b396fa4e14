import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { SIGNAL_TYPES } from '../../packages/core/src/matching/signal-types.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { decodeImage, encodeImage, RECORD } from '../../src/store/images/image-record.js'
import { anyImageOrVideo } from './sample-images.js'

t.test('a record decodes to the image that it was made from', async () => {
  fc.assert(
    fc.property(anyImageOrVideo, (given) => {
      assert.deepEqual(decodeImage(encodeImage(given)), given)
    }),
  )
})

t.test('a signal type of a newer version is omitted, and the other signals are read', async (t) => {
  const hash = hashFromBytes(new Uint8Array(32).fill(3))
  const known = { type: 'pdq', view: 'whole', quality: 90, hash } as const
  const bytes = encodeImage({
    bank: 'b',
    tier: 'verified',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals: [known, known],
  })
  bytes[bytes.length - 35] = 250 // the type of the last signal

  t.same(decodeImage(bytes).signals, [known])
})

const hash = hashFromBytes(new Uint8Array(32).fill(3))
const video = {
  bank: 'b',
  tier: 'verified',
  category: undefined,
  ref: undefined,
  createdAtMs: 1,
  video: { durationMs: 9_000, framesAtMs: [0, 4_000] },
} as const
const row = { type: 'pdq', view: 'whole', quality: 90, hash } as const

t.test('signals of a video are read in the order of its frames', async (t) => {
  const signals = [
    { ...row, frame: 1 },
    { ...row, frame: 0 },
    { ...row, type: 'sha256' },
  ] as const
  t.same(decodeImage(encodeImage({ ...video, signals })).signals, [signals[2], signals[1], signals[0]])
})

t.test('a version without videos reads all signals of a video', async (t) => {
  const bytes = encodeImage({ ...video, signals: [row, { ...row, frame: 0 }, { ...row, frame: 1 }] })
  for (let at = bytes.length - 6 * 35; at < bytes.length; at += 35) {
    if (bytes[at] !== SIGNAL_TYPES.pdq.code) bytes[at] = 250
  }
  t.same(decodeImage(bytes).signals, [row, row, row])
})

t.test('a record that no reader would accept is not written', async (t) => {
  t.throws(() => encodeImage({ ...video, signals: [{ ...row, frame: 2 }] }), RangeError)
  const { video: _, ...picture } = video
  t.throws(() => encodeImage({ ...picture, signals: [{ ...row, frame: 0 }] }), RangeError)
  t.throws(() => encodeImage({ ...picture, signals: new Array(RECORD.maxRows + 1).fill(row) }), RangeError)
})

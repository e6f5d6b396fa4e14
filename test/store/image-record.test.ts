import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { decodeImage, encodeImage } from '../../src/store/images/image-record.js'
import { anyImage } from './sample-images.js'

t.test('a record gives back the image it was made from', async () => {
  fc.assert(
    fc.property(anyImage, (given) => {
      assert.deepEqual(decodeImage(encodeImage(given)), given)
    }),
  )
})

t.test('a signal of a newer version is left out, the others are read', async (t) => {
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

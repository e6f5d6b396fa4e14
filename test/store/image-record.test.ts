import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { CATEGORY_NAMES, type RegisteredImage, TIER_NAMES } from '../../src/domain/signal.js'
import { SIGNAL_TYPE_NAMES } from '../../src/domain/signal-types.js'
import { hashFromBytes } from '../../src/hash/hash256.js'
import { decodeImage, encodeImage } from '../../src/store/image-record.js'

const signal = fc.record(
  {
    type: fc.constantFrom(...SIGNAL_TYPE_NAMES),
    view: fc.constant('whole' as const),
    quality: fc.integer({ min: 0, max: 100 }),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hashFromBytes(bytes)),
  },
  { noNullPrototype: true },
)

const image: fc.Arbitrary<RegisteredImage> = fc.record(
  {
    bank: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/),
    tier: fc.constantFrom(...TIER_NAMES),
    category: fc.option(fc.constantFrom(...CATEGORY_NAMES), { nil: undefined }),
    ref: fc.option(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' }), { nil: undefined }),
    createdAtMs: fc.integer({ min: 0, max: 2 ** 47 }),
    signals: fc.array(signal, { maxLength: 40 }),
  },
  { noNullPrototype: true },
)

t.test('a record gives back the image it was made from', async () => {
  fc.assert(
    fc.property(image, (given) => {
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

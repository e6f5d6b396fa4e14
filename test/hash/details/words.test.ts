import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { bitsBelow, wordsOf } from '../../../packages/hash/src/details/words.js'
import { distance, HASH_BYTES, hashFromBytes } from '../../../packages/hash/src/hash256.js'

const hash = fc.uint8Array({ minLength: HASH_BYTES, maxLength: HASH_BYTES }).map((bytes) => hashFromBytes(bytes))

t.test('bitsBelow gives the exact distance below the limit, and at least the limit otherwise', async () => {
  fc.assert(
    fc.property(
      fc.array(hash, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(255), { maxLength: 80 }),
      fc.nat(257),
      (hashes, flips, limitBits) => {
        const others = hashes.map((one) => {
          const bytes = Uint8Array.from(one)
          for (const bit of flips) bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
          return hashFromBytes(bytes)
        })
        const [ours, theirs] = [wordsOf(hashes), wordsOf(others)]
        for (const [i, one] of hashes.entries()) {
          for (const [k, other] of others.entries()) {
            const [bits, right] = [bitsBelow(limitBits, ours, i, theirs, k), distance(one, other)]
            if (right < limitBits) assert.equal(bits, right)
            else assert.ok(bits >= limitBits, `${bits} for ${right}, limit ${limitBits}`)
          }
        }
      },
    ),
  )
})

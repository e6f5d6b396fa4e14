// A hash and its text: exactly one form is valid.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { formatHash, HASH_PATTERN, hashFromBytes, parseHash } from '../../packages/hash/src/hash256.js'
import { runs } from '../helpers/runs.js'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hashFromBytes(bytes))

t.test('a hash is read as it was written, most significant digit first', async (t) => {
  fc.assert(fc.property(hash, (one) => assert.deepEqual(parseHash(formatHash(one)), one)))
  t.same(parseHash(`${'0'.repeat(62)}1f`)?.[0], 0x1f)
  t.same(parseHash(`a9${'0'.repeat(62)}`)?.[31], 0xa9)
})

t.test('a text other than 64 lowercase hex digits is rejected', async (t) => {
  const place = fc.nat(63)
  const odd = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 2 }),
    fc.constantFrom('A', 'F', 'G', 'g', '/', ':', '`', '\u0130', '\u0661'),
  )
  fc.assert(
    fc.property(hash, place, odd, (one, at, put) => {
      const text = formatHash(one)
      const changed = text.slice(0, at) + put + text.slice(at + put.length)
      assert.equal(parseHash(changed) !== undefined, HASH_PATTERN.test(changed))
    }),
    { numRuns: runs(300) },
  )
  for (const text of ['', '0'.repeat(63), '0'.repeat(65), `${'0'.repeat(64)}\n`]) t.equal(parseHash(text), undefined)
})

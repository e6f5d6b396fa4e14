import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { distance, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createBitPermutation } from '../../src/services/matching/details/bit-permutation.js'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hashFromBytes(bytes))
const permutation = createBitPermutation(Buffer.alloc(32, 1))
const another = createBitPermutation(Buffer.alloc(32, 2))

t.test('the permutation keeps distances', async () => {
  fc.assert(
    fc.property(hash, hash, (a, b) => assert.equal(distance(permutation.hash(a), permutation.hash(b)), distance(a, b))),
  )
})

t.test('the permutation moves nearly every bit, and each secret has its own', async (t) => {
  const zero = hashFromBytes(new Uint8Array(32))
  t.ok(distance(permutation.hash(zero), zero) > 90, 'about half of all bits are flipped')
  t.ok(distance(permutation.hash(zero), another.hash(zero)) > 90)
  const moved = new Set<string>()
  let kept = 0
  for (let bit = 0; bit < 256; bit++) {
    const one = hashFromBytes(Uint8Array.from({ length: 32 }, (_, i) => (i === bit >> 3 ? 1 << (bit & 7) : 0)))
    const [seen, plain] = [permutation.hash(one), permutation.hash(zero)]
    const to = Buffer.from(Uint8Array.from(seen, (byte, i) => byte ^ (plain[i] ?? 0)))
    moved.add(to.toString('hex'))
    if (Buffer.from(one).equals(to)) kept++
  }
  t.equal(moved.size, 256, 'each bit has its own place')
  t.ok(kept < 8, `${kept} of 256 stay`)
  t.same(createBitPermutation(Buffer.alloc(32, 1)).hash(zero), permutation.hash(zero), 'the same after a restart')
})

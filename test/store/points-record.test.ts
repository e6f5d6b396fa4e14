import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { decodePoints, encodePoints } from '../../src/store/images/points-record.js'

const side = fc.integer({ min: 1, max: 240 }).map((half) => 2 * half)
const place = fc.integer({ min: 0, max: 31 })
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hashFromBytes(bytes))
const plain = { noNullPrototype: true }
const point = fc.record({ column: place, row: place, hash }, plain)
const points = fc.record({ width: side, height: side, points: fc.array(point, { maxLength: 150 }) }, plain)

t.test('records of 0 to 150 points decode to what was encoded', async () => {
  fc.assert(fc.property(points, (given) => assert.deepEqual(decodePoints(encodePoints(given)), given)))
})

t.test('a sealed record of 150 points fits the 5,120 bytes of a size class in Redis', async (t) => {
  const all = Array.from({ length: 150 }, (_, i) => ({ column: i % 32, row: i % 7, hash: hashFromBytes(randomBytes(32)) }))
  const SEAL_BYTES = 64 // nonce, tag, key hint and overhead of Redis
  t.ok(encodePoints({ width: 480, height: 360, points: all }).length + SEAL_BYTES <= 5_120)
  t.throws(() => encodePoints({ width: 2, height: 2, points: [...all, ...all] }), RangeError)
})

t.test('a record of an older version is read', async (t) => {
  const hashes = [randomBytes(32), randomBytes(32)]
  const old = Buffer.concat([Buffer.of(1, 240, 180), ...hashes.map((each, i) => Buffer.concat([Buffer.of(31, i), each]))])
  t.same(decodePoints(old), {
    width: 480,
    height: 360,
    points: hashes.map((each, i) => ({ column: 31, row: i, hash: hashFromBytes(each) })),
  })
})

t.test('other bytes are refused as a record of points', async (t) => {
  const whole = encodePoints({
    width: 10,
    height: 10,
    points: [{ column: 1, row: 2, hash: hashFromBytes(randomBytes(32)) }],
  })
  for (const bytes of [
    whole.subarray(0, -1),
    Buffer.concat([whole, Buffer.of(0)]),
    Buffer.of(1, 2, 3, 4),
    Buffer.of(3, 1, 1, 0),
  ])
    t.throws(() => decodePoints(bytes), { name: 'RangeError' })
})

// Rows that come and go in an index: removing, loading, filling up, clearing.

import { isDeepStrictEqual } from 'node:util'
import { t } from 'tap'
import { linear } from '../../packages/core/src/search/linear.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { compactAll, indexOf } from './indexes.js'
import { assertSameHits, columnsOf, seeded, sorted, spread, zeros } from './rows.js'

t.test('image numbers and views keep their value up to the largest', async (t) => {
  const index = indexOf([
    { image: 0xffffffff, view: 255, hash: zeros },
    { image: 0x80000000, view: 128, hash: zeros },
    { image: 0, view: 0, hash: zeros },
  ])

  t.same(sorted(index.within([zeros], 0)), [
    { image: 0, view: 0, transform: 0, distanceBits: 0 },
    { image: 0x80000000, view: 128, transform: 0, distanceBits: 0 },
    { image: 0xffffffff, view: 255, transform: 0, distanceBits: 0 },
  ])
  index.remove(0xffffffff)
  t.same(
    sorted(index.within([zeros], 0)).map(({ image }) => image),
    [0, 0x80000000],
  )
})

t.test('a removed image is not found by any of its views', async (t) => {
  const index = indexOf([
    { image: 1, view: 0, hash: seeded(1) },
    { image: 2, view: 0, hash: seeded(1) },
    { image: 1, view: 1, hash: seeded(2) },
  ])

  index.remove(1)

  t.same(index.within([seeded(1), seeded(2)], 31), [{ image: 2, view: 0, transform: 0, distanceBits: 0 }])
  t.equal(index.liveRows, 1)
  t.equal(index.rows, 3)
})

t.test('removing an unknown or a removed image changes nothing', async (t) => {
  const index = indexOf([
    { image: 1, view: 0, hash: seeded(1) },
    { image: 2, view: 0, hash: seeded(1) },
  ])

  index.remove(9)
  index.remove(1)
  index.remove(1)

  t.equal(index.liveRows, 1)
  index.insert(9, 0, seeded(1))
  t.equal(index.liveRows, 2)
  t.same(
    sorted(index.within([seeded(1)], 0)).map(({ image }) => image),
    [2, 9],
  )
})

t.test('the number of a removed image is refused until the index is cleared, even after compaction', async (t) => {
  const index = indexOf([{ image: 1, view: 0, hash: seeded(1) }])
  index.remove(1)

  t.throws(() => index.insert(1, 0, seeded(1)), RangeError)
  compactAll(index)
  t.throws(() => index.insert(1, 0, seeded(1)), RangeError)
  t.throws(() => index.load(columnsOf([{ image: 1, view: 0, hash: seeded(1) }])), RangeError)
  t.same(index.within([seeded(1)], 256), [])
  t.equal(index.rows, 0)

  index.clear()
  index.insert(1, 0, seeded(1))
  t.equal(index.within([seeded(1)], 0).length, 1)
})

t.test('an index refuses arguments out of range and stays unchanged', async (t) => {
  const index = indexOf([{ image: 1, view: 0, hash: zeros }])

  for (const image of [-1, 2 ** 32, 0.5, Number.NaN]) {
    t.throws(() => index.insert(image, 0, zeros), RangeError)
    t.throws(() => index.remove(image), RangeError)
  }
  for (const view of [-1, 256, 0.5]) t.throws(() => index.insert(1, view, zeros), RangeError)
  for (const thresholdBits of [-1, 257, 0.5]) t.throws(() => index.within([zeros], thresholdBits), RangeError)
  t.throws(() => index.within(new Array<Hash256>(65).fill(zeros), 31), RangeError)
  for (const thresholdBits of [-1, 257, 0.5]) t.throws(() => index.search([zeros], thresholdBits), RangeError)
  t.throws(() => index.search(new Array<Hash256>(65).fill(zeros), 31), RangeError)
  for (const steps of [-1, 0, 0.5]) t.throws(() => index.compact(steps), RangeError)
  for (const columns of [
    { images: Uint32Array.of(2, 3), views: Uint8Array.of(0), hashes: new Uint8Array(64) },
    { images: Uint32Array.of(2), views: Uint8Array.of(0, 1), hashes: new Uint8Array(32) },
    { images: Uint32Array.of(2, 3), views: Uint8Array.of(0, 1), hashes: new Uint8Array(63) },
    { images: Uint32Array.of(2, 3), views: Uint8Array.of(0, 1), hashes: new Uint8Array(96) },
  ])
    t.throws(() => index.load(columns), RangeError)

  t.same(index.within([zeros], 256), [{ image: 1, view: 0, transform: 0, distanceBits: 0 }])
  t.equal(index.rows, 1)
})

t.test('a full index refuses a row and keeps its rows, until one is compacted away', async (t) => {
  const index = new SignalIndex(10_000)
  for (let row = 0; row < 10_000; row++) index.insert(row, 0, seeded(row))

  t.throws(() => index.insert(10_000, 0, seeded(1)), { name: 'RangeError', message: 'the index is full' })
  index.remove(5_000)
  t.throws(() => index.insert(10_000, 0, seeded(1)), RangeError)

  t.equal(index.liveRows, 9_999)
  t.same(index.within([seeded(9_999)], 0), [{ image: 9_999, view: 0, transform: 0, distanceBits: 0 }])

  compactAll(index)
  t.throws(() => index.load(columnsOf([10_000, 10_001].map((image) => ({ image, view: 0, hash: zeros })))), RangeError)
  index.insert(10_000, 0, seeded(10_000))
  t.throws(() => index.insert(10_001, 0, seeded(1)), RangeError)
  t.equal(index.rows, 10_000)
  t.equal(index.within([seeded(10_000), seeded(9_999)], 0).length, 2)
})

t.test('loaded rows are found at once, like those inserted before and after', async (t) => {
  const rows = Array.from({ length: 300 }, (_, i) => ({ image: i % 100, view: i % 256, hash: spread(seeded(1), i % 40, i) }))
  const index = new SignalIndex()
  for (const { image, view, hash } of rows.slice(0, 100)) index.insert(image, view, hash)
  index.load(columnsOf(rows.slice(100, 150)))
  index.load(columnsOf([]))
  index.load(columnsOf(rows.slice(150, 200)))
  for (const { image, view, hash } of rows.slice(200)) index.insert(image, view, hash)

  t.equal(index.liveRows, 300)
  t.equal(index.rows, 300)
  assertSameHits(index.within([seeded(1)], 31), linear(rows, [seeded(1)], 31))
  index.remove(7)
  t.equal(index.liveRows, 297)
  const live = rows.filter(({ image }) => image !== 7)
  for (let calls = 0; calls < 3; calls++) {
    assertSameHits(index.within([seeded(1)], 31), linear(live, [seeded(1)], 31))
    compactAll(index)
  }
  t.equal(index.rows, 297)
})

t.test('a refused load leaves the index unchanged', async (t) => {
  const index = indexOf([{ image: 1, view: 0, hash: zeros }])
  index.remove(1)

  const columns = columnsOf([0, 1, 2].map((image) => ({ image, view: 0, hash: zeros })))
  t.throws(() => index.load(columns), { name: 'RangeError', message: /removed/ })

  t.equal(index.rows, 1)
  t.equal(index.liveRows, 0)
  t.same(index.within([zeros], 256), [])
})

t.test('a cleared index is empty and frees its memory', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 50_000; row++) index.insert(row, 0, zeros)
  index.remove(0)

  index.clear()

  t.equal(index.rows, 0)
  t.equal(index.liveRows, 0)
  t.ok(index.bytes <= 65_536)
  t.same(index.within([zeros], 256), [])
})

t.test('the rows of an image are returned in the order of insertion, whatever is compacted or removed', async (t) => {
  const index = new SignalIndex()
  const rowsOf = (image: number) =>
    Array.from({ length: 1 + (image % 5) }, (_, i) => ({ view: i, hash: seeded(10 * image + i) }))
  const images = Array.from({ length: 3000 }, (_, image) => image)
  for (const image of images) {
    for (const { view, hash } of rowsOf(image)) index.insert(image, view, hash)
    if (image % 7 === 6) index.remove(image - 3)
    if (image % 500 === 499) index.compact(5000)
  }
  const expected = (image: number) => (image % 7 === 3 && image + 3 < images.length ? [] : rowsOf(image))
  const isRight = (image: number) => isDeepStrictEqual(index.rowsOf(image, 32), expected(image))
  t.same(
    images.filter((image) => !isRight(image)),
    [],
    'during compaction',
  )
  while (index.compact(100_000));
  t.same(
    images.filter((image) => !isRight(image)),
    [],
    'after compaction',
  )
  t.same(index.rowsOf(4, 2), rowsOf(4).slice(0, 2), 'no more than requested')
  t.same(index.rowsOf(9999, 32), [], 'of an unknown image')
})

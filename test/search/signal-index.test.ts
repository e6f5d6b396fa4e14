import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { t } from 'tap'
import { HASH_BITS, type Hash256 } from '../../packages/hash/src/hash256.js'
import { BANDS } from '../../src/search/engine.js'
import { linear } from '../../src/search/linear.js'
import { SignalIndex } from '../../src/search/signal-index.js'
import { MAX_HITS } from '../../src/search/together.js'
import { compactAll, indexOf } from './indexes.js'
import { drain } from './parts.js'
import { assertSameHits, columnsOf, packed, seeded, sorted, spread, zeros } from './rows.js'

const thresholds = fc.oneof(fc.constantFrom(0, 1, 31, 128, 255, 256), fc.integer({ min: 0, max: HASH_BITS }))

// Random hashes lie ~128 bits apart and prove nothing. The hard case is a row one bit either side of the threshold, whose
// differing bits are dealt evenly, so that no part gives it away early, or all in one part, so that another shows nothing.
const hardRows = fc
  .record({
    thresholdBits: thresholds,
    needles: fc.array(fc.nat(1_000).map(seeded), { minLength: 1, maxLength: 64, size: 'max' }),
    rows: fc.array(
      fc.record({
        needle: fc.nat(63),
        beyondBits: fc.integer({ min: -1, max: 1 }),
        deal: fc.constantFrom(spread, packed),
        offset: fc.nat(HASH_BITS - 1),
        copies: fc.integer({ min: 1, max: 3 }),
      }),
      { maxLength: 60, size: 'max' },
    ),
  })
  .map(({ thresholdBits, needles, rows }) => ({
    thresholdBits,
    needles,
    rows: rows.flatMap(({ needle, beyondBits, deal, offset, copies }, image) => {
      const near = needles[needle % needles.length] ?? zeros
      const bits = Math.min(HASH_BITS, Math.max(0, thresholdBits + beyondBits))
      return Array.from({ length: copies }, (_, view) => ({ image, view, hash: deal(near, bits, offset) }))
    }),
  }))

t.test('a search finds exactly what reading every row would', async () => {
  fc.assert(
    fc.property(hardRows, ({ thresholdBits, needles, rows }) => {
      const index = indexOf(rows)

      assert.deepEqual(sorted(index.within(needles, thresholdBits)), sorted(linear(rows, needles, thresholdBits)))
    }),
    { numRuns: 400 },
  )
})

t.test(
  'several sets of needles in one pass find what each alone would, also rows that are near to two of them',
  async () => {
    fc.assert(
      fc.property(
        hardRows,
        fc.array(fc.nat(63), { maxLength: 6 }),
        fc.boolean(),
        ({ thresholdBits, needles, rows }, cuts, twice) => {
          const index = indexOf(rows)
          // The same needle in two sets, and one a few bits from it: their rows are near to both.
          const asked = (twice ? needles.flatMap((needle) => [needle, needle, spread(needle, 2)]) : needles).slice(0, 64)
          const bounds = [0, ...cuts.map((cut) => Math.min(cut, asked.length)).sort((a, b) => a - b), asked.length]
          const sets = bounds.slice(1).map((end, i) => asked.slice(bounds[i], end))

          const answers = drain(index.searchEach(sets, thresholdBits))

          assert.deepEqual(
            answers.map((hits, i) => sorted(hits ?? index.within(sets[i] ?? [], thresholdBits))),
            sets.map((set) => sorted(linear(rows, set, thresholdBits))),
          )
          assert.ok(!answers.includes(undefined) || rows.length > MAX_HITS)
        },
      ),
      { numRuns: 400 },
    )
  },
)

t.test('single needles in one pass are each told of every row', async (t) => {
  const rows = Array.from({ length: 70_000 }, (_, image) => ({ image, view: 0, hash: seeded(image % 9973) }))
  const index = new SignalIndex()
  index.load(columnsOf(rows))
  compactAll(index)
  const sets = Array.from({ length: 64 }, (_, i) => [spread(seeded(i % 5), i % 3)])

  const answers = drain(index.searchEach(sets, 31))

  for (const [i, hits] of answers.entries()) assert.deepEqual(sorted(hits ?? []), sorted(linear(rows, sets[i] ?? [], 31)))
  t.equal(answers.flat().length, 64 * 8)
})

t.test('sets are told apart also where rows are read rather than probed for', async (t) => {
  // So many equal rows that reading all is cheaper for who is near them, and not for the last set.
  const rows = Array.from({ length: 100_000 }, (_, image) => ({
    image,
    view: 0,
    hash: image < 12_000 ? zeros : seeded(image),
  }))
  const loaded = new SignalIndex()
  loaded.load(columnsOf(rows))
  const settled = new SignalIndex()
  settled.load(columnsOf(rows))
  compactAll(settled)
  const sets = [[zeros], [spread(zeros, 2)], [spread(seeded(50_000), 3)]]

  for (const index of [loaded, settled]) {
    const answers = drain(index.searchEach(sets, 31))

    t.same(
      answers.map((hits) => hits?.length),
      [undefined, undefined, 1],
      'who is near to so many is left to a search of its own',
    )
    assert.deepEqual(
      sets.map((set) => sorted(index.within(set, 31))),
      sets.map((set) => sorted(linear(rows, set, 31))),
    )
  }
})

t.test('the threshold is inclusive, from 0 to all 256 bits', async (t) => {
  const needle = seeded(1)
  const rows = Array.from({ length: HASH_BITS + 1 }, (_, bits) => ({ image: bits, view: 0, hash: spread(needle, bits) }))
  const index = indexOf(rows)

  for (const thresholdBits of [0, 1, 31, 128, 255, 256]) {
    t.same(
      sorted(index.within([needle], thresholdBits)),
      Array.from({ length: thresholdBits + 1 }, (_, bits) => ({ image: bits, view: 0, transform: 0, distanceBits: bits })),
    )
  }
})

t.test('an empty index, or no needle, finds nothing', async (t) => {
  t.same(new SignalIndex().within([zeros], 256), [])
  t.same(indexOf([{ image: 1, view: 0, hash: zeros }]).within([], 256), [])
})

t.test('a row is found once, by its nearest needle, the first of equals', async (t) => {
  const row = seeded(1)
  const index = indexOf([{ image: 3, view: 9, hash: row }])
  const others = Array.from({ length: 61 }, (_, i) => spread(row, 30, i))

  const equals = [spread(row, 20), spread(row, 20, 5), spread(row, 20, 9)]
  t.same(index.within([...others, ...equals], 31), [{ image: 3, view: 9, transform: 61, distanceBits: 20 }])
  t.same(index.within([...equals, ...others], 31), [{ image: 3, view: 9, transform: 0, distanceBits: 20 }])
  t.same(index.within([...others, spread(row, 21), spread(row, 20), spread(row, 19)], 31), [
    { image: 3, view: 9, transform: 63, distanceBits: 19 },
  ])
})

t.test('no hit is lost when every row of a large index is one', async (t) => {
  const rows = 100_000
  const index = new SignalIndex()
  for (let row = 0; row < rows; row++) index.insert(row, row % 256, seeded(1))

  const hits = index.within([spread(seeded(1), 32), spread(seeded(1), 31)], 31)

  t.equal(hits.length, rows)
  t.equal(new Set(hits.map(({ image }) => image)).size, rows)
  t.ok(
    hits.every(({ image, view, transform, distanceBits }) => view === image % 256 && transform === 1 && distanceBits === 31),
  )
})

t.test('ordinals and views keep their value up to the last', async (t) => {
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

t.test('a removed image is not found again, whichever of its views comes near', async (t) => {
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

t.test('removing an unknown image, or one twice, changes nothing', async (t) => {
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

t.test('the number of a removed image is refused, before and after compaction, until all is cleared', async (t) => {
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

t.test('refuses arguments out of range, and is then as before', async (t) => {
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

t.test('a full index refuses a row and keeps those it has, until one is compacted away', async (t) => {
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

t.test('rows that are loaded are found at once, with those inserted before and after, and like them', async (t) => {
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

t.test('a load that is refused leaves the index as it was', async (t) => {
  const index = indexOf([{ image: 1, view: 0, hash: zeros }])
  index.remove(1)

  const columns = columnsOf([0, 1, 2].map((image) => ({ image, view: 0, hash: zeros })))
  t.throws(() => index.load(columns), { name: 'RangeError', message: /removed/ })

  t.equal(index.rows, 1)
  t.equal(index.liveRows, 0)
  t.same(index.within([zeros], 256), [])
})

t.test('the status names each part, and how needles are looked for in it', async (t) => {
  const index = new SignalIndex()
  t.same(index.status(31), [])

  index.load(columnsOf(Array.from({ length: 30_000 }, (_, row) => ({ image: row, view: 0, hash: seeded(row) }))))
  compactAll(index)
  index.remove(5)
  index.insert(30_000, 0, zeros)
  index.load(columnsOf([{ image: 30_001, view: 0, hash: zeros }]))

  const [segment, ...others] = index.status(31)
  t.match(segment, { kind: 'segment', rows: 30_000, deadRows: 1, probes: 16 * 17 })
  t.same(segment?.radii, new Array(BANDS).fill(1))
  t.ok((segment?.candidates ?? 0) > 60 && (segment?.candidates ?? 0) < 250)
  t.match(
    others.map(({ kind, rows, deadRows, radii, probes, candidates }) => [kind, rows, deadRows, radii, probes, candidates]),
    [
      ['head', 1, 0, undefined, 0, 1],
      ['raw', 1, 0, undefined, 0, 1],
    ],
  )
  t.match(index.status(5)[0]?.radii?.filter((radius) => radius === -1).length, 10)
  t.match(index.status(96)[0], { radii: undefined, probes: 0, candidates: 30_000 })
  t.equal(
    index.status(31).reduce((sum, { bytes }) => sum + bytes, 0),
    index.bytes - 30 * 4_096,
  )
})

t.test('a cleared index is empty and gives its memory back', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 50_000; row++) index.insert(row, 0, zeros)
  index.remove(0)

  index.clear()

  t.equal(index.rows, 0)
  t.equal(index.liveRows, 0)
  t.ok(index.bytes <= 65_536)
  t.same(index.within([zeros], 256), [])
})

t.test(
  'the rows of an image are given in the order in which they were added, whatever is compacted or removed',
  async (t) => {
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
      'while there is something to compact',
    )
    while (index.compact(100_000));
    t.same(
      images.filter((image) => !isRight(image)),
      [],
      'compacted',
    )
    t.same(index.rowsOf(4, 2), rowsOf(4).slice(0, 2), 'no more than asked for')
    t.same(index.rowsOf(9999, 32), [], 'of an unknown image')
  },
)

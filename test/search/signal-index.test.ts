import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { BANDS } from '../../packages/core/src/search/engine.js'
import { linear } from '../../packages/core/src/search/linear.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'
import { MAX_HITS } from '../../packages/core/src/search/together.js'
import { HASH_BITS } from '../../packages/hash/src/hash256.js'
import { runs } from '../helpers/runs.js'
import { compactAll, indexOf } from './indexes.js'
import { drain } from './parts.js'
import { columnsOf, packed, seeded, sorted, spread, zeros } from './rows.js'

const thresholds = fc.oneof(fc.constantFrom(0, 1, 31, 128, 255, 256), fc.integer({ min: 0, max: HASH_BITS }))

// Random hashes lie about 128 bits apart and prove nothing. The hard case is a row one bit either side of the threshold, with
// its differing bits spread evenly, so that no band shows it early, or all in one band, so that no other band shows it.
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

t.test('a search finds exactly what a linear scan finds', async () => {
  fc.assert(
    fc.property(hardRows, ({ thresholdBits, needles, rows }) => {
      const index = indexOf(rows)

      assert.deepEqual(sorted(index.within(needles, thresholdBits)), sorted(linear(rows, needles, thresholdBits)))
    }),
    { numRuns: runs(80) },
  )
})

t.test('several sets of needles in one pass each find what they find alone, rows near to two sets included', async () => {
  fc.assert(
    fc.property(
      hardRows,
      fc.array(fc.nat(63), { maxLength: 6 }),
      fc.boolean(),
      ({ thresholdBits, needles, rows }, cuts, twice) => {
        const index = indexOf(rows)
        // The same needle in two sets, and one a few bits away: their rows are near to both.
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
    { numRuns: runs(80) },
  )
})

t.test('single needles in one pass each get every row', async (t) => {
  const rows = Array.from({ length: 70_000 }, (_, image) => ({ image, view: 0, hash: seeded(image % 9973) }))
  const index = new SignalIndex()
  index.load(columnsOf(rows))
  compactAll(index)
  const sets = Array.from({ length: 64 }, (_, i) => [spread(seeded(i % 5), i % 3)])

  const answers = drain(index.searchEach(sets, 31))

  for (const [i, hits] of answers.entries()) assert.deepEqual(sorted(hits ?? []), sorted(linear(rows, sets[i] ?? [], 31)))
  t.equal(answers.flat().length, 64 * 8)
})

t.test('sets are told apart also where rows are scanned instead of probed', async (t) => {
  // So many equal rows that a scan is cheaper for needles near them, and not for the last set.
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
      'a needle near to so many rows is left to its own search',
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

t.test('the status lists each part and how it is searched', async (t) => {
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

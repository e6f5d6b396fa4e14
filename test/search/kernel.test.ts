import fc from 'fast-check'
import { t } from 'tap'
import { MAX_REACH, scratch } from '../../packages/core/src/search/engine.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { runs } from '../helpers/runs.js'
import { BAND_BITS, BANDS, dealt, flippedByBand, randomFrom, rowsOf } from './corpora.js'
import {
  assertSame,
  bandBits,
  counted,
  followed,
  hardRows,
  keyed,
  keysOf,
  probed,
  probedByBand,
  reached,
  reachesOf,
  within,
} from './kernel-probes.js'
import { headOf, padded, segmentOf } from './parts.js'
import { concatenated, seeded, zeros } from './rows.js'

const MAX_THRESHOLD_BITS = BANDS * MAX_REACH - 1

// Every way to deal reaches that sum to threshold + 1: evenly, to as few bands as possible, or at random.
const plans = fc
  .record({
    thresholdBits: fc.oneof(fc.constantFrom(0, 15, 30, 31, 32, 47, MAX_THRESHOLD_BITS), fc.nat(MAX_THRESHOLD_BITS)),
    deal: fc.constantFrom('even' as const, 'packed' as const, 'random' as const),
    seed: fc.nat(),
  })
  .map(({ thresholdBits, deal, seed }) => ({ thresholdBits, seed, reach: reachesOf(thresholdBits, deal, seed) }))

t.test('with any reaches that sum to threshold + 1, each needle finds exactly the rows within it, once', async () => {
  fc.assert(
    fc.property(plans, ({ thresholdBits, reach, seed }) => {
      const needles = [seeded(seed), seeded(seed + 1), seeded(seed)]
      const rows = rowsOf(needles.slice(0, 2).flatMap((needle) => hardRows(needle, reach, randomFrom(seed))))
      const all = padded(rows)
      const expected = keysOf(within(all, needles, thresholdBits))

      const { block } = segmentOf(all)
      assertSame(keysOf(probed(block, needles, reach, thresholdBits)), expected)
      assertSame(keysOf(probedByBand(block, needles, reach, thresholdBits)), expected)
      assertSame(keysOf(followed(headOf(all).block, needles, reach, thresholdBits)), expected)
    }),
    { numRuns: runs(15) },
  )
})

t.test('a plan for one threshold serves smaller ones', async () => {
  fc.assert(
    fc.property(plans, fc.nat(), ({ thresholdBits, reach, seed }, less) => {
      const smaller = thresholdBits - (less % (thresholdBits + 1))
      const needles = [seeded(seed), seeded(seed + 1)]
      const all = padded(
        rowsOf(needles.flatMap((needle) => hardRows(needle, reachesOf(smaller, 'even', seed), randomFrom(seed)))),
      )
      const expected = keysOf(within(all, needles, smaller))

      assertSame(keysOf(probed(segmentOf(all).block, needles, reach, smaller)), expected)
      assertSame(keysOf(followed(headOf(all).block, needles, reach, smaller)), expected)
    }),
    { numRuns: runs(10) },
  )
})

t.test('a row is read if it is under the reach of a band, and under the sums with the next one and two bands', async () => {
  fc.assert(
    fc.property(plans, fc.nat(), ({ reach, seed }, rotation) => {
      const needles = [seeded(seed), seeded(seed + 1)]
      // Rows that are hard for another plan, so that all sums occur here.
      const other = reach.map((_, band) => reach[(band + rotation) % BANDS] ?? 0)
      const rows = rowsOf(needles.flatMap((needle) => hardRows(needle, other, randomFrom(seed))))
      const all = padded(rows)
      const expected = keysOf(reached(all, needles, reach))

      assertSame(keysOf(probed(segmentOf(all).block, needles, reach, 256)), expected)
      assertSame(keysOf(followed(headOf(all).block, needles, reach, 256)), expected)
    }),
    { numRuns: runs(15) },
  )
})

t.test('buckets of every size are read exactly to their end, even if the next bytes look like a row', async (t) => {
  // Row numbers under 65,536 look like fragments that are zero or small, and these fragments are zero.
  const sizes = Array.from({ length: 34 }, (_, i) => i)
  const rows = rowsOf(sizes.flatMap((size) => new Array<Hash256>(size).fill(keyed(size * 257))))
  const needles = sizes.map((size) => keyed(size * 257))
  const reach = dealt(1, () => 0)

  const found = probed(segmentOf(padded(rows)).block, needles, reach, 256)

  t.same(keysOf(found.filter(({ row }) => row < rows.length)), keysOf(reached(rows, needles, reach)))
  t.ok(found.every(({ row }) => row < rows.length))
})

t.test('rows beyond number 65,536 are told apart, to the last', async (t) => {
  const rows = rowsOf(Array.from({ length: 140_000 }, (_, row) => counted(row)))
  const segment = segmentOf(rows)
  const asked = [0, 255, 256, 65_535, 65_536, 131_071, 131_072, 139_999]

  const found = probed(
    segment.block,
    asked.map(counted),
    dealt(1, () => 3),
    0,
  )

  t.same(
    found.map(({ row, needle, bits }) => [row, needle, bits]),
    asked.map((row, needle) => [row, needle, 0]),
  )
})

t.test('the last row is found where its number needs one more bit, and the third band is still tested', async (t) => {
  for (const count of [65_536, 65_537, 131_072, 131_073]) {
    const rows = rowsOf(Array.from({ length: count }, (_, row) => counted(row)))
    const { block } = segmentOf(rows)
    const asked = [0, 65_535, count - 1].map(counted)
    // As far in the third band as allowed, in any of its bits.
    const near = asked.map((hash, i) => flippedByBand(hash, [0, 0, 5, ...new Array<number>(13).fill(0)], randomFrom(i)))
    const reach = [2, 2, 2, ...new Array<number>(13).fill(0)]

    const found = probed(block, near, reach, 5)

    t.same(keysOf(found), [`0 0 5`, `65535 1 5`, `${count - 1} 2 5`].sort())
    t.same(
      probed(block, near, [2, 2, 1, ...new Array<number>(13).fill(0)], 5),
      [],
      'one bit less of reach, and they are not read',
    )
  }
})

t.test('the first and the last key of every band are found', async (t) => {
  const ones = flippedByBand(zeros, new Array<number>(BANDS).fill(BAND_BITS), randomFrom(1))
  const { block } = segmentOf(padded(rowsOf([zeros, ones, ones, zeros])))

  for (let band = 0; band < BANDS; band++) {
    const reach = dealt(MAX_REACH, () => band).map((bits) => bits)
    t.same(keysOf(probed(block, [ones, zeros], reach, MAX_REACH - 1)), ['0 1 0', '1 0 0', '2 0 0', '3 1 0'])
  }
})

t.test('candidates are counted by band and distance, and for a plan', async (t) => {
  const random = randomFrom(5)
  const rows = rowsOf(
    hardRows(
      zeros,
      dealt(60, (i) => i),
      random,
    ),
  )
  const { block } = segmentOf(padded(rows))
  const all = padded(rows)
  block.loadNeedles(concatenated([seeded(9), zeros]))
  const needleAt = scratch.needlesAt + 32

  let planned = 0
  const reach = Array.from({ length: BANDS }, (_, band) => band % (MAX_REACH + 1))
  for (const [band, radius] of reach.entries()) {
    for (let bits = 0; bits < MAX_REACH; bits++) {
      const expected = all.filter(({ hash }) => bandBits(hash, zeros, band) === bits).length
      t.equal(block.engine.countCandidates(needleAt, band, bits), expected)
      if (bits < radius) planned += expected
    }
  }
  block.engine.bytes.set(reach, scratch.planAt)
  t.equal(block.engine.countPlanned(needleAt), planned)
})

t.test('chains lead to every row of a full head, up to the requested number', async (t) => {
  const rows = rowsOf(Array.from({ length: 65_535 }, (_, row) => counted(row >>> 1)))
  const { block } = headOf(rows)
  const reach = dealt(1, () => 0)

  for (const row of [0, 2, 32_768, 65_534]) {
    t.same(
      keysOf(followed(block, [counted(row >>> 1)], reach, 0)),
      row === 65_534 ? [`${row} 0 0`] : [`${row} 0 0`, `${row + 1} 0 0`].sort(),
    )
    t.same(keysOf(followed(block, [counted(row >>> 1)], reach, 0, row + 1)), [`${row} 0 0`])
    t.same(keysOf(followed(block, [counted(row >>> 1)], reach, 0, row)), [])
  }
})

t.test('a key is found at any position of its bit in a word, and in any word', async (t) => {
  // One row for each key of the first band, and each needle reaches keys that differ from its own in two bits or less.
  const rows = rowsOf(Array.from({ length: 65_535 }, (_, key) => keyed(key)))
  const { block } = headOf(rows)
  const reach = dealt(3, () => 0)
  const needles = [0, 1, 63, 64, 0x7fff, 0x8000, 0xabcd, 0xfffe, 0xffff].map(keyed)

  assertSame(keysOf(followed(block, needles, reach, 2)), keysOf(within(rows, needles, 2)))
  t.pass()
})

t.test('sixty-four needles have room, each with its own hit', async (t) => {
  const needles = Array.from({ length: scratch.maxNeedles }, (_, i) => seeded(i))
  const rows = rowsOf(needles.toReversed())
  const reach = new Array<number>(BANDS).fill(3)

  const expected = keysOf(rows.map((_, row) => ({ row, needle: 63 - row, bits: 0 })))
  t.same(keysOf(probed(segmentOf(padded(rows)).block, needles, reach, 40)), expected)
  t.same(keysOf(followed(headOf(rows).block, needles, reach, 40)), expected)
})

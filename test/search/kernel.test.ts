import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { distance, type Hash256 } from '../../src/hash/hash256.js'
import { MAX_REACH, scratch } from '../../src/search/engine.js'
import type { Row } from '../../src/search/linear.js'
import { readHits } from '../../src/search/part.js'
import type { RowBlock } from '../../src/search/row-block.js'
import { BAND_BITS, BANDS, below, dealt, flippedByBand, type Random, randomFrom, rowsOf } from './corpora.js'
import { headOf, padded, segmentOf } from './parts.js'
import { concatenated, seeded, zeros } from './rows.js'

const MAX_THRESHOLD_BITS = BANDS * MAX_REACH - 1
/** What scratch memory has room for; see kernel/layout.ts. */
const MAX_HITS = 16_384
const MAX_SURVIVORS = 524_288

/** One row of a block, found by one needle. */
interface Found {
  readonly row: number
  readonly needle: number
  readonly bits: number
}

// Every way to deal reaches that sum to threshold + 1: evenly, to as few bands as can be, or anyhow.
const plans = fc
  .record({
    thresholdBits: fc.oneof(fc.constantFrom(0, 15, 30, 31, 32, 47, MAX_THRESHOLD_BITS), fc.nat(MAX_THRESHOLD_BITS)),
    deal: fc.constantFrom('even' as const, 'packed' as const, 'random' as const),
    seed: fc.nat(),
  })
  .map(({ thresholdBits, deal, seed }) => ({ thresholdBits, seed, reach: reachesOf(thresholdBits, deal, seed) }))

t.test(
  'whatever the reaches that sum to threshold + 1, what is within it is found once by each needle, and nothing else',
  async () => {
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
      { numRuns: 30 },
    )
  },
)

t.test(
  'a row is looked at if it differs by less than its reach in a band, and in that and the next by less than theirs',
  async () => {
    fc.assert(
      fc.property(plans, fc.nat(), ({ reach, seed }, rotation) => {
        const needles = [seeded(seed), seeded(seed + 1)]
        // Rows that are hard for another plan, so that here all sums occur.
        const other = reach.map((_, band) => reach[(band + rotation) % BANDS] ?? 0)
        const rows = rowsOf(needles.flatMap((needle) => hardRows(needle, other, randomFrom(seed))))
        const all = padded(rows)
        const expected = keysOf(reached(all, needles, reach))

        assertSame(keysOf(probed(segmentOf(all).block, needles, reach, 256)), expected)
        assertSame(keysOf(followed(headOf(all).block, needles, reach, 256)), expected)
      }),
      { numRuns: 30 },
    )
  },
)

t.test('buckets of every size are read to their end and no further, also where what follows looks like a row', async (t) => {
  // Row numbers under 65,536 look like fragments that are zero or small, and these fragments are zero.
  const sizes = Array.from({ length: 34 }, (_, i) => i)
  const rows = rowsOf(sizes.flatMap((size) => new Array<Hash256>(size).fill(keyed(size * 257))))
  const needles = sizes.map((size) => keyed(size * 257))
  const reach = dealt(1, () => 0)

  const found = probed(segmentOf(padded(rows)).block, needles, reach, 256)

  t.same(keysOf(found.filter(({ row }) => row < rows.length)), keysOf(reached(rows, needles, reach)))
  t.ok(found.every(({ row }) => row < rows.length))
})

t.test('rows are told apart beyond 65,536 of them, to the last', async (t) => {
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

t.test('the first and the last key of every band are found', async (t) => {
  const ones = flippedByBand(zeros, new Array<number>(BANDS).fill(BAND_BITS), randomFrom(1))
  const { block } = segmentOf(padded(rowsOf([zeros, ones, ones, zeros])))

  for (let band = 0; band < BANDS; band++) {
    const reach = dealt(MAX_REACH, () => band).map((bits) => bits)
    t.same(keysOf(probed(block, [ones, zeros], reach, MAX_REACH - 1)), ['0 1 0', '1 0 0', '2 0 0', '3 1 0'])
  }
})

t.test('a probe that fills the room for hits counts, one more hit and it does not', async (t) => {
  const reach = dealt(1, () => 5)
  const near = (rows: number) => segmentOf(padded(rowsOf(new Array<Hash256>(rows).fill(zeros)))).block

  for (const count of [MAX_HITS, MAX_HITS + 1]) {
    const block = near(count)
    t.equal(rawProbe(block, [zeros], reach, 0, BANDS, 0), count === MAX_HITS ? MAX_HITS : -1)
  }
  const half = near(MAX_HITS / 2)
  t.equal(rawProbe(half, [zeros, zeros], reach, 0, BANDS, 0), MAX_HITS)
  t.equal(rawProbe(half, [zeros, zeros, zeros], reach, 0, BANDS, 0), -1)
})

t.test('a probe that fills the room for candidates counts, one more candidate and it does not', async (t) => {
  // The same in bands 0 and 1, and far away in the others.
  const far = Array.from({ length: 64 }, (_, i) =>
    flippedByBand(zeros, [0, 0, ...new Array<number>(14).fill(8)], randomFrom(i)),
  )
  const rows = rowsOf(Array.from({ length: MAX_SURVIVORS }, (_, i) => far[i % far.length] ?? zeros))
  rows.push({ image: 0, view: 0, hash: flippedByBand(zeros, [1, 1, ...new Array<number>(14).fill(8)], randomFrom(1)) })
  const { block } = segmentOf(rows)
  const exact = dealt(1, () => 0)

  t.equal(rawProbe(block, [zeros], exact, 0, BANDS, 31), 0)
  t.equal(
    rawProbe(
      block,
      [zeros],
      dealt(2, () => 0),
      0,
      BANDS,
      31,
    ),
    -1,
  )
  t.equal(rawProbe(block, [seeded(1), zeros], exact, 0, BANDS, 31), 0)
  t.equal(rawProbe(block, [zeros, zeros], exact, 0, BANDS, 31), -1)
  t.equal(
    rawProbe(
      block,
      [zeros],
      dealt(2, (i) => i),
      0,
      BANDS,
      31,
    ),
    -1,
  )
  t.equal(
    rawProbe(
      block,
      [zeros],
      dealt(2, (i) => i),
      0,
      1,
      31,
    ),
    0,
  )
  t.equal(
    rawProbe(
      block,
      [zeros],
      dealt(2, (i) => i),
      1,
      BANDS,
      31,
    ),
    0,
  )
})

t.test('candidates are counted by band and distance, and under a plan', async (t) => {
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

t.test('chains are followed for as many visits as allowed, one more and nothing counts', async (t) => {
  const { block } = headOf(rowsOf([...new Array<Hash256>(100).fill(zeros), seeded(1)]))

  load(
    block,
    [seeded(1), zeros],
    dealt(1, () => 9),
  )
  t.equal(block.engine.follow(1, 101, 0, 100), 100)
  t.equal(block.engine.follow(1, 101, 0, 99), -1)
  load(
    block,
    [zeros],
    dealt(2, (i) => i),
  )
  t.equal(block.engine.follow(0, 101, 1, 200), 100)
  t.equal(block.engine.follow(0, 101, 1, 199), -1)
})

t.test('chains lead to every row of a full head, newer ones than asked for left out', async (t) => {
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

t.test('following chains fills the room for hits, one more hit and nothing counts', async (t) => {
  const { block } = headOf(rowsOf(new Array<Hash256>(MAX_HITS + 1).fill(zeros)))
  load(
    block,
    [zeros],
    dealt(1, () => 15),
  )

  t.equal(block.engine.follow(0, MAX_HITS, 0, 1_000_000), MAX_HITS)
  t.equal(block.engine.follow(0, MAX_HITS + 1, 0, 1_000_000), -1)
})

t.test('sixty-four needles have room, each with a hit of its own', async (t) => {
  const needles = Array.from({ length: scratch.maxNeedles }, (_, i) => seeded(i))
  const rows = rowsOf(needles.toReversed())
  const reach = new Array<number>(BANDS).fill(3)

  const expected = keysOf(rows.map((_, row) => ({ row, needle: 63 - row, bits: 0 })))
  t.same(keysOf(probed(segmentOf(padded(rows)).block, needles, reach, 40)), expected)
  t.same(keysOf(followed(headOf(rows).block, needles, reach, 40)), expected)
})

function reachesOf(thresholdBits: number, deal: 'even' | 'packed' | 'random', seed: number): number[] {
  const random = randomFrom(seed)
  const reach = new Array<number>(BANDS).fill(0)
  const first = below(random, BANDS)
  for (let left = thresholdBits + 1, i = 0; left > 0; i++) {
    const band =
      (deal === 'random' ? below(random, BANDS) : first + (deal === 'even' ? i : Math.floor(i / MAX_REACH))) % BANDS
    if ((reach[band] ?? 0) === MAX_REACH) continue
    reach[band] = (reach[band] ?? 0) + 1
    left--
  }
  return reach
}

/**
 * Rows that the reaches just hold or just do not: with x(j) the bits that differ in a band less its reach, Σ x from −2 to 1.
 * With Σ x = −1 there is one band alone from which going round the bands every sum is negative, wherever the −1 is.
 */
function hardRows(needle: Hash256, reach: readonly number[], random: Random): Hash256[] {
  const bitsOfRows: number[][] = [reach.slice()]
  for (let band = 0; band < BANDS; band++) {
    for (const change of [-1, 1, -2]) bitsOfRows.push(reach.map((bits, i) => (i === band ? bits + change : bits)))
    for (let i = 0; i < 20; i++) {
      const bits = reach.slice()
      bits[band] = (bits[band] ?? 0) - 1 + below(random, 2)
      moveBits(bits, random)
      bitsOfRows.push(bits)
    }
  }
  const sum = reach.reduce((a, b) => a + b, 0)
  for (let band = 0; band < BANDS; band++) {
    for (const bits of [sum - 2, sum - 1, sum]) {
      bitsOfRows.push(dealt(Math.max(0, bits), () => band))
      bitsOfRows.push(dealt(Math.max(0, bits), (i) => band + i))
      bitsOfRows.push(dealt(Math.max(0, bits), (i) => band + (i % 2) * 5))
    }
  }
  return bitsOfRows
    .filter((bits) => bits.every((n) => n >= 0 && n <= BAND_BITS))
    .map((bits) => flippedByBand(needle, bits, random))
}

/** Moves bits from band to band, which leaves their sum. */
function moveBits(bits: number[], random: Random): void {
  for (let moves = below(random, 24); moves > 0; moves--) {
    const [from, to] = [below(random, BANDS), below(random, 3) === 0 ? below(random, BANDS) : -1]
    const target = to >= 0 ? to : (from + 1) % BANDS
    if ((bits[from] ?? 0) <= 0 || (bits[target] ?? 0) >= BAND_BITS) continue
    bits[from] = (bits[from] ?? 0) - 1
    bits[target] = (bits[target] ?? 0) + 1
  }
}

function within(rows: readonly Row[], needles: readonly Hash256[], thresholdBits: number): Found[] {
  return pairs(rows, needles, (_hash, _needle, bits) => bits <= thresholdBits)
}

/** The definition in kernel/reach.ts. */
function reached(rows: readonly Row[], needles: readonly Hash256[], reach: readonly number[]): Found[] {
  return pairs(rows, needles, (hash, needle) =>
    reach.some((here, band) => {
      const next = (band + 1) % BANDS
      const bits = here === 0 ? 0 : bandBits(hash, needle, band)
      return bits < here && bits + bandBits(hash, needle, next) < here + (reach[next] ?? 0)
    }),
  )
}

function pairs(
  rows: readonly Row[],
  needles: readonly Hash256[],
  isWanted: (hash: Hash256, needle: Hash256, bits: number) => boolean,
): Found[] {
  const found: Found[] = []
  for (const [row, { hash }] of rows.entries()) {
    for (const [number, needle] of needles.entries()) {
      const bits = distance(hash, needle)
      if (isWanted(hash, needle, bits)) found.push({ row, needle: number, bits })
    }
  }
  return found
}

function bandBits(a: Hash256, b: Hash256, band: number): number {
  let bits = 0
  for (const at of [band * 2, band * 2 + 1])
    for (let differing = (a[at] ?? 0) ^ (b[at] ?? 0); differing > 0; differing >>>= 1) bits += differing & 1
  return bits
}

function load(block: RowBlock, needles: readonly Hash256[], reach: readonly number[]): void {
  block.loadNeedles(concatenated(needles))
  block.engine.bytes.set(reach, scratch.planAt)
}

function rawProbe(
  block: RowBlock,
  needles: readonly Hash256[],
  reach: readonly number[],
  fromBand: number,
  toBand: number,
  thresholdBits: number,
): number {
  load(block, needles, reach)
  return block.engine.probe(needles.length, fromBand, toBand, thresholdBits)
}

function probed(block: RowBlock, needles: readonly Hash256[], reach: readonly number[], thresholdBits: number): Found[] {
  return foundBy(block, rawProbe(block, needles, reach, 0, BANDS, thresholdBits))
}

function probedByBand(
  block: RowBlock,
  needles: readonly Hash256[],
  reach: readonly number[],
  thresholdBits: number,
): Found[] {
  return Array.from({ length: BANDS }, (_, band) =>
    foundBy(block, rawProbe(block, needles, reach, band, band + 1, thresholdBits)),
  ).flat()
}

function followed(
  block: RowBlock,
  needles: readonly Hash256[],
  reach: readonly number[],
  thresholdBits: number,
  rowCount = block.rows,
): Found[] {
  load(block, needles, reach)
  return needles.flatMap((_, needle) => foundBy(block, block.engine.follow(needle, rowCount, thresholdBits, 10_000_000)))
}

function foundBy(block: RowBlock, count: number): Found[] {
  assert.ok(count >= 0)
  const found: Found[] = []
  readHits(block, count, (row, needle, bits) => found.push({ row, needle, bits }))
  return found
}

/** Lists are long; what is shown is where they differ. */
function assertSame(actual: readonly string[], expected: readonly string[]): void {
  const [has, wants] = [new Set(actual), new Set(expected)]
  assert.deepEqual(
    {
      missing: expected.filter((key) => !has.has(key)),
      extra: actual.filter((key) => !wants.has(key)),
      count: actual.length,
    },
    { missing: [], extra: [], count: expected.length },
  )
}

function keysOf(found: readonly Found[]): string[] {
  return found.map(({ row, needle, bits }) => `${row} ${needle} ${bits}`).sort()
}

/** Zero but for a key in the first band. */
function keyed(key: number): Hash256 {
  const hash = flippedByBand(zeros, [], randomFrom(0))
  hash.set([key & 0xff, key >>> 8])
  return hash
}

/** A number in its first bytes, and something else in every band. */
function counted(number: number): Hash256 {
  const hash = seeded(number)
  hash.set([number & 0xff, (number >>> 8) & 0xff, number >>> 16])
  return hash
}

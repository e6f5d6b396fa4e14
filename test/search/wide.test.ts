// Wide bands find the same as narrow ones.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { MANY_ROWS, NARROW, shapeFor, shapeOf, wideShape } from '../../packages/core/src/search/band-shape.js'
import { compacted } from '../../packages/core/src/search/compaction.js'
import { scratch, WIDE_MAX_REACH } from '../../packages/core/src/search/engine.js'
import { linear } from '../../packages/core/src/search/linear.js'
import { planFor } from '../../packages/core/src/search/plan.js'
import { ROW_BYTES } from '../../packages/core/src/search/row-block.js'
import { Segment } from '../../packages/core/src/search/segment.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'
import { distance, HASH_BYTES, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { runs } from '../helpers/runs.js'
import { below, blurred, clumpy, flipped, type Random, randomFrom, rowsOf, sample } from './corpora.js'
import { assertSame, type Found, foundBy, keysOf, within } from './kernel-probes.js'
import { blockOf, drain, hitsOf, MIN_SEGMENT_ROWS, padded } from './parts.js'
import { assertSameHits, concatenated, randomColumns, seeded, spread, zeros } from './rows.js'

/** Capacities of scratch memory; see kernel/layout.ts. */
const MAX_HITS = 16_384
const MAX_SURVIVORS = 524_288

const firstBit = (band: number, bands: number) => Math.floor((256 * band) / bands)

function wideOf(rows: ReturnType<typeof rowsOf>, bands: number): Segment {
  const part = drain(
    compacted(
      [blockOf(padded(rows))],
      () => true,
      () => wideShape(bands),
    ),
  )
  if (part instanceof Segment) return part
  throw new Error('enough rows for a segment')
}

function probed(
  { tabled }: Segment,
  needles: readonly Hash256[],
  reach: readonly number[],
  bits: number,
  bands: number[],
): Found[] {
  return bands.slice(0, -1).flatMap((from, i) => {
    tabled.block.loadNeedles(concatenated(needles))
    tabled.block.engine.bytes.set(reach, scratch.planAt)
    return foundBy(tabled.block, tabled.tables.probe(needles.length, from, bands[i + 1] ?? 0, bits, scratch.maxSurvivors))
  })
}

/** Reaches that sum to threshold + 1. */
function reachesOf(bands: number, thresholdBits: number, isPacked: boolean, random: Random): number[] {
  const reach = new Array<number>(bands).fill(0)
  const first = below(random, bands)
  for (let left = thresholdBits + 1, i = 0; left > 0; i++) {
    const band = isPacked ? (first + Math.floor(i / WIDE_MAX_REACH)) % bands : below(random, bands)
    if ((reach[band] ?? 0) === WIDE_MAX_REACH) continue
    reach[band] = (reach[band] ?? 0) + 1
    left--
  }
  return reach
}

/** Rows just within or just beyond the reaches: in one band a bit less or more than its reach, in the others exactly it. */
function hardRows(needle: Hash256, reach: readonly number[], random: Random): Hash256[] {
  const bands = reach.length
  const flippedIn = (bitsOf: readonly number[]) =>
    flipped(
      needle,
      bitsOf.flatMap((bits, band) => {
        const [from, to] = [firstBit(band, bands), firstBit(band + 1, bands)]
        return sample(random, Math.max(0, bits), to - from).map((bit) => from + bit)
      }),
    )
  return reach.flatMap((_, here) =>
    [-2, -1, 0, 1].flatMap((change) => {
      const bits = reach.map((each, band) => (band === here ? each + change : each))
      const moved = bits.slice()
      const [from, to] = [below(random, bands), below(random, bands)]
      if ((moved[from] ?? 0) > 0) {
        moved[from] = (moved[from] ?? 0) - 1
        moved[to] = (moved[to] ?? 0) + 1
      }
      return [flippedIn(bits), flippedIn(moved)]
    }),
  )
}

t.test('wide tables stay within their memory, even if it ends with a page', async (t) => {
  const shape = wideShape(16)
  const endOf = (rows: number) =>
    Math.ceil((scratch.bytes + rows * ROW_BYTES) / 64) * 64 + 16 * (4 * (65_536 + 2) + rows * 5)
  let count = MIN_SEGMENT_ROWS
  while (endOf(count) % 65_536 === 0 || endOf(count) % 65_536 >= 64) count++
  const rows = rowsOf(Array.from({ length: count }, (_, i) => seeded(i)))
  const segment = drain(
    compacted(
      [blockOf(rows)],
      () => true,
      () => shape,
    ),
  )
  const needles = [seeded(0), seeded(count - 1), blurred(seeded(count - 2), 20, randomFrom(3))]
  const hits = segment === undefined ? [] : hitsOf(segment, needles, 24)
  t.equal(hits.length, 3)
  assertSameHits(hits, linear(rows, needles, 24))
})

t.test('with any bands and reaches, each needle finds exactly the rows within the threshold, once', async () => {
  fc.assert(
    fc.property(
      fc.constantFrom(13, 14, 15, 16),
      fc.oneof(fc.constantFrom(0, 24, 31), fc.nat(13 * WIDE_MAX_REACH - 1)),
      fc.boolean(),
      fc.nat(),
      (bands, thresholdBits, isPacked, seed) => {
        const random = randomFrom(seed)
        const reach = reachesOf(bands, thresholdBits, isPacked, random)
        const needles = [seeded(seed), seeded(seed + 1), seeded(seed)]
        const rows = rowsOf(needles.slice(0, 2).flatMap((needle) => hardRows(needle, reach, random)))
        const expected = keysOf(within(padded(rows), needles, thresholdBits))

        const segment = wideOf(rows, bands)
        const all = Array.from({ length: bands + 1 }, (_, band) => band)
        assertSame(keysOf(probed(segment, needles, reach, thresholdBits, [0, bands])), expected)
        assertSame(keysOf(probed(segment, needles, reach, thresholdBits, all)), expected)
      },
    ),
    { numRuns: runs(10) },
  )
})

t.test('clumpy rows are found within any number of bits, also beyond the reach of a plan', async () => {
  const rows = rowsOf(clumpy(20_000, 6))
  const segment = wideOf(rows, 15)
  const random = randomFrom(3)
  const needles = [...sample(random, 6, rows.length).map((row) => blurred(rows[row]?.hash ?? zeros, 20, random)), seeded(5)]
  for (const bits of [0, 8, 24, 31, 59, 60, 90, 256])
    assertSameHits(hitsOf(segment, needles, bits), linear(rows, needles, bits))
})

t.test('wide candidates are counted by band and distance, and for a plan', async (t) => {
  const bands = 13
  const rows = rowsOf(hardRows(zeros, reachesOf(bands, 40, false, randomFrom(1)), randomFrom(2)))
  const { tabled } = wideOf(rows, bands)
  tabled.block.loadNeedles(concatenated([seeded(9), zeros]))
  const needleAt = scratch.needlesAt + HASH_BYTES
  const bitsIn = (hash: Hash256, band: number) => {
    const masked = Uint8Array.from(zeros)
    for (let bit = firstBit(band, bands); bit < firstBit(band + 1, bands); bit++)
      masked[bit >> 3] = (masked[bit >> 3] ?? 0) | ((hash[bit >> 3] ?? 0) & (1 << (bit & 7)))
    return distance(hashFromBytes(masked), zeros)
  }
  let planned = 0
  const reach = Array.from({ length: bands }, (_, band) => band % (WIDE_MAX_REACH + 1))
  for (const [band, radius] of reach.entries()) {
    for (let bits = 0; bits < WIDE_MAX_REACH; bits++) {
      const expected = padded(rows).filter(({ hash }) => bitsIn(hash, band) === bits).length
      t.equal(tabled.tables.countCandidates(needleAt, band, bits), expected)
      if (bits < radius) planned += expected
    }
  }
  tabled.block.engine.bytes.set(reach, scratch.planAt)
  t.equal(tabled.tables.countPlanned(needleAt), planned)
})

t.test('the first and the last key of every wide band are found', async (t) => {
  const ones = hashFromBytes(new Uint8Array(HASH_BYTES).fill(255))
  const segment = wideOf(rowsOf([zeros, ones, ones, zeros]), 13)
  for (let band = 0; band < 13; band++) {
    const reach = Array.from({ length: 13 }, (_, i) => (i === band ? WIDE_MAX_REACH : 0))
    t.same(keysOf(probed(segment, [ones, zeros], reach, WIDE_MAX_REACH - 1, [0, 13])), ['0 1 0', '1 0 0', '2 0 0', '3 1 0'])
  }
})

t.test('buckets of every size are read exactly to their end', async (t) => {
  const keyed = (key: number) => hashFromBytes(Uint8Array.from(zeros).with(0, key))
  const sizes = Array.from({ length: 34 }, (_, i) => i)
  const rows = rowsOf(sizes.flatMap((size) => [...new Array<Hash256>(size).fill(keyed(2 * size)), keyed(2 * size + 1)]))
  const segment = wideOf(rows, 13)
  const reach = Array.from({ length: 13 }, (_, band) => (band === 0 ? 2 : 0))
  for (const size of sizes) {
    const needles = [keyed(2 * size)]
    t.same(keysOf(probed(segment, needles, reach, 1, [0, 13])), keysOf(within(padded(rows), needles, 1)))
  }
})

t.test('the first band follows the last', async (t) => {
  const middle = Array.from({ length: 60 }, (_, i) => 60 + i)
  const segment = wideOf(rowsOf([flipped(zeros, [3, ...middle]), flipped(zeros, middle)]), 13)
  const reach = Array.from({ length: 13 }, (_, band) => (band === 12 ? 1 : 0))
  t.same(keysOf(probed(segment, [zeros], reach, 256, [0, 13])), ['1 0 60'])
})

t.test('a probe with one hit or candidate more than there is room for fails', async (t) => {
  const only = (band: number, reach = 1) => Array.from({ length: 15 }, (_, i) => (i === band ? reach : 0))
  const raw = (
    { tabled }: Segment,
    needles: readonly Hash256[],
    reach: readonly number[],
    bits: number,
    maxRows = scratch.maxSurvivors,
  ) => {
    tabled.block.loadNeedles(concatenated(needles))
    tabled.block.engine.bytes.set(reach, scratch.planAt)
    return tabled.tables.probe(needles.length, 0, 15, bits, maxRows)
  }
  for (const count of [MAX_HITS, MAX_HITS + 1]) {
    const segment = wideOf(rowsOf(new Array<Hash256>(count).fill(zeros)), 15)
    t.equal(raw(segment, [zeros], only(5), 0), count === MAX_HITS ? MAX_HITS : -1)
  }
  // Equal in the first two bands, and far away in the others.
  const far = flipped(
    zeros,
    Array.from({ length: 100 }, (_, i) => 40 + 2 * i),
  )
  const many = wideOf(rowsOf([...new Array<Hash256>(MAX_SURVIVORS).fill(far), flipped(far, [3])]), 15)
  t.equal(raw(many, [zeros], only(0), 24), 0)
  t.equal(raw(many, [zeros], only(0, 2), 24), -1)
  t.equal(raw(many, [zeros, zeros], only(0), 24), -1)
  const most = wideOf(rowsOf(new Array<Hash256>(300_000).fill(far)), 15)
  t.equal(raw(most, [zeros], only(0), 24), 0)
  t.equal(raw(most, [zeros, zeros], only(0), 24), -1, 'a needle’s candidates take room from the next needle')
  t.same(hitsOf(many, [zeros], 24), [], 'it is scanned')

  const few = wideOf(rowsOf(new Array<Hash256>(100).fill(zeros)), 15)
  t.equal(raw(few, [zeros], only(5), 0, 100), 100)
  t.equal(raw(few, [zeros], only(5), 0, 99), -1, 'with more rows to read than allowed')
  t.equal(raw(few, [zeros, zeros], only(5), 0, 200), 200)
  t.equal(raw(few, [zeros, zeros], only(5), 0, 199), -1)
})

t.test('a wide plan states its lookups', async (t) => {
  const shape = wideShape(13)
  t.equal(shape.keysAt(0, 2), (19 * 18) / 2)
  t.equal(shape.keysIn(0), 2 ** 19)
  t.equal(
    Array.from({ length: 13 }, (_, band) => Math.log2(shape.keysIn(band))).reduce((a, b) => a + b),
    256,
  )
  const counts = new Float64Array(13 * WIDE_MAX_REACH).fill(10)
  const plan = planFor(counts, 24, shape)
  t.equal(
    plan?.reach.reduce((a, b) => a + b),
    25,
  )
  t.equal(plan?.candidates, 250)
  t.equal(planFor(counts, 13 * WIDE_MAX_REACH, shape), undefined)
  t.equal(shapeOf(counts).bands, 13)
  t.equal(shapeOf(new Float64Array(96)), NARROW)
})

t.test('an index for few bits and many rows takes wide bands, keeps them in a snapshot, and stays exact', async (t) => {
  t.equal(shapeFor(MANY_ROWS - 1, 24), NARROW)
  t.equal(shapeFor(10 * MANY_ROWS, 32), NARROW)
  t.equal(shapeFor(MANY_ROWS, 31).bands, 13)

  const columns = randomColumns(MANY_ROWS)
  const rows = Array.from({ length: MANY_ROWS }, (_, row) => ({
    image: columns.images[row] ?? 0,
    view: columns.views[row] ?? 0,
    hash: hashFromBytes(columns.hashes, row * HASH_BYTES),
  }))
  const needles = [0, 65_536, MANY_ROWS - 1].flatMap((row, i) =>
    [24, 25].map((bits) => spread(rows[row]?.hash ?? zeros, bits, 7 * i)),
  )
  const right = linear(rows, needles, 24)
  assert.equal(right.length, 3)

  const index = new SignalIndex(undefined, 24)
  index.load(columns)
  while (index.compact(10_000_000)) {}
  t.equal(index.status(24)[0]?.radii?.length, 13)
  assertSameHits(index.within(needles, 24), right)

  const copy = new SignalIndex(undefined, 24)
  for (const piece of index.dump()) {
    assert.ok(piece.kind === 'segment')
    const { content, adopt } = copy.restore(piece.rows, piece.counts)
    content.set(piece.content)
    drain(adopt(() => true))
  }
  assertSameHits(copy.within(needles, 24), right)
  for (const { image } of right) copy.remove(image)
  t.same(copy.within(needles, 24), [])
})

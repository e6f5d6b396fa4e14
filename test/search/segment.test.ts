import assert from 'node:assert/strict'
import { t } from 'tap'
import { BANDS, ENTRY_BYTES, MAX_REACH, OFFSETS_BYTES, scratch } from '../../packages/core/src/search/engine.js'
import type { Hit } from '../../packages/core/src/search/hit.js'
import { linear } from '../../packages/core/src/search/linear.js'
import { scanNs } from '../../packages/core/src/search/plan.js'
import { ROW_BYTES, RowBlock } from '../../packages/core/src/search/row-block.js'
import { Segment } from '../../packages/core/src/search/segment.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { blurred, clumpy, filler, flippedByBand, randomFrom, rowsOf } from './corpora.js'
import { drain, hitsOf, MIN_SEGMENT_ROWS, segmentOf } from './parts.js'
import { assertSameHits, concatenated, seeded, zeros } from './rows.js'
import { type KernelCalls, spyOn } from './spies.js'

t.test('a segment has a plan exactly where it is cheaper than a scan', async (t) => {
  const segment = segmentOf(rowsOf(Array.from({ length: 20_000 }, (_, i) => seeded(i))))
  for (let bits = 0; bits <= 256; bits++) {
    const plan = segment.plan(bits)
    if (plan !== undefined) assert.ok(plan.costNs < scanNs(20_000, 1))
    assert.equal(segment.plan(bits), plan)
  }
  t.not(segment.plan(0), undefined)
  t.not(segment.plan(31), undefined)
  t.equal(segment.plan(60), undefined)

  const calls = spyOn(segment.block.engine)
  hitsOf(segment, [seeded(1), seeded(2)], 60)
  t.same(counted(calls), { probedFor: 0, rowsRead: 20_000, needlesReadFor: [2] })
})

t.test('needles with few candidates are probed together, in all bands', async (t) => {
  const rows = rowsOf(Array.from({ length: 20_000 }, (_, i) => seeded(i)))
  const segment = segmentOf(rows)
  const calls = spyOn(segment.block.engine)
  const needles = [seeded(5), seeded(6), seeded(50_000)]

  assertSameHits(hitsOf(segment, needles, 31), linear(rows, needles, 31))

  t.equal(calls.scans.length, 0)
  t.equal(calls.probes.length, 1)
  t.match(calls.probes[0], { needles: 3, fromBand: 0, toBand: BANDS, isDone: true })
})

t.test('a needle whose candidates cost more than a scan is found by a scan', async (t) => {
  // Half of the rows share every band with one needle, which the plan does not know.
  const rows = rowsOf(Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? seeded(1) : seeded(100 + i))))
  const segment = unaware(segmentOf(rows))
  const calls = spyOn(segment.block.engine)
  const needles = [seeded(101), seeded(1), seeded(103)]

  assertSameHits(hitsOf(segment, needles, 31), linear(rows, needles, 31))

  t.same(counted(calls), { probedFor: 2, rowsRead: 20_000, needlesReadFor: [1] })
})

t.test('the candidates of each needle are counted for itself, even after another search ran in between', async (t) => {
  const rows = rowsOf(Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? seeded(1) : seeded(100 + i))))
  const segment = unaware(segmentOf(rows))
  const calls = spyOn(segment.block.engine)
  const needles = Array.from({ length: 12 }, (_, i) => seeded(i === 10 ? 1 : 50_000 + i))
  const hits: Hit[] = []
  for (const search = segment.search(concatenated(needles), 31, rows.length, hits); search.next().done !== true; ) {
    segment.block.loadNeedles(concatenated(needles.map(() => seeded(7))))
    segment.block.engine.bytes.fill(0, scratch.planAt, scratch.planAt + BANDS)
  }

  assertSameHits(hits, linear(rows, needles, 31))
  t.same(counted(calls), { probedFor: 11, rowsRead: 20_000, needlesReadFor: [1] })
})

t.test('a needle that is given up is probed again in the bands where it meets few, if there are any', async (t) => {
  // Each class is equal in all bands but four; over all classes together the bands are alike.
  const classOf = (i: number) => (i < 8_000 ? i % 4 : undefined)
  const rows = rowsOf(
    Array.from({ length: 60_000 }, (_, i) => {
      const number = classOf(i)
      const bytes = Uint8Array.from(seeded(i))
      if (number !== undefined) bytes.set(seeded(90_000 + number).subarray(0, 8 * number))
      if (number !== undefined) bytes.set(seeded(90_000 + number).subarray(8 * number + 8), 8 * number + 8)
      return hashFromBytes(bytes)
    }),
  )
  const segment = segmentOf(rows)
  const calls = spyOn(segment.block.engine)
  const needles = [0, 1, 2, 3].map((number) => rows[number]?.hash ?? zeros)

  for (const needle of needles) assertSameHits(hitsOf(segment, [needle], 8), linear(rows, [needle], 8))

  t.same(
    calls.probes.map(({ isDone }) => isDone),
    needles.flatMap(() => [false, true]),
  )
  t.equal(calls.scans.length, 0)
  assertSameHits(hitsOf(segment, needles, 8), linear(rows, needles, 8))
  t.equal(calls.scans.length, 0)

  const few = segmentOf(rows.slice(0, 40_000))
  const callsOfFew = spyOn(few.block.engine)
  const [needle = zeros] = needles
  assertSameHits(hitsOf(few, [needle], 8), linear(rows.slice(0, 40_000), [needle], 8))
  t.same(
    callsOfFew.probes.map(({ isDone }) => isDone),
    [false],
    'where a scan is cheap, it is done at once',
  )
})

t.test('a needle with many candidates in each band is found by a scan', async (t) => {
  const alike = seeded(90_000)
  const rows = rowsOf(
    Array.from({ length: 60_000 }, (_, i) => {
      if (i >= 2_000) return seeded(i)
      const band = i % BANDS
      const bytes = Uint8Array.from(alike)
      bytes.set(seeded(i).subarray(0, 4), 2 * Math.min(band, BANDS - 2))
      return hashFromBytes(bytes)
    }),
  )
  const segment = segmentOf(rows)
  const calls = spyOn(segment.block.engine)

  assertSameHits(hitsOf(segment, [alike], 8), linear(rows, [alike], 8))

  t.same(
    calls.probes.map(({ isDone }) => isDone),
    [false],
  )
  t.equal(counted(calls).rowsRead, 60_000)
})

t.test('no needle is probed if all have too many candidates', async (t) => {
  const rows = rowsOf(Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? seeded(1) : seeded(100 + i))))
  const segment = unaware(segmentOf(rows))
  const calls = spyOn(segment.block.engine)
  const needles = [seeded(1), seeded(1), blurred(seeded(1), 3, randomFrom(1))]

  assertSameHits(hitsOf(segment, needles, 20), linear(rows, needles, 20))

  t.same(counted(calls), { probedFor: 0, rowsRead: 20_000, needlesReadFor: [3] })
})

t.test('a needle in a crowded band has a plan without the band, and the others share one plan', async (t) => {
  const [needle, hot] = [seeded(1), 4]
  const rows = rowsOf(
    Array.from({ length: 150_000 }, (_, i) => (i % 2 === 0 ? sharing(needle, hot, seeded(1_000 + i)) : seeded(1_000 + i))),
  )
  rows.push({ image: 999_999, view: 0, hash: blurred(needle, 20, randomFrom(2)) })
  const segment = unaware(segmentOf(rows))
  const calls = spyOn(segment.block.engine)
  const needles = [seeded(1_001), needle, seeded(1_003)]

  const hits: Hit[] = []
  for (const search = segment.search(concatenated(needles), 31, rows.length, hits); search.next().done !== true; ) {
    segment.block.loadNeedles(concatenated(needles.map(() => needle))) // another search in between
  }

  assertSameHits(hits, linear(rows, needles, 31))

  t.equal(calls.scans.length, 0)
  t.same([...new Set(calls.probes.map(({ needles }) => needles))].sort(), [1, 2])
  for (const { needles, reach } of calls.probes) t.equal(reach[hot] === 0, needles === 1)
})

t.test('a row found by a probe and by a scan keeps its nearest needle, the first of equals', async (t) => {
  const random = randomFrom(4)
  const hot = seeded(1)
  const cold = flippedByBand(hot, new Array<number>(BANDS).fill(3), random)
  const rows = rowsOf(
    Array.from({ length: 40_000 }, (_, i) => {
      if (i % 3 === 0) return hot
      return i % 100 === 1 ? blurred(between(hot, cold), 4, random) : seeded(1_000 + i)
    }),
  )
  const segment = unaware(segmentOf(rows))
  const calls = spyOn(segment.block.engine)
  for (const needles of [
    [cold, hot],
    [hot, cold],
    [blurred(cold, 4, random), hot, cold, hot, cold],
  ])
    assertSameHits(hitsOf(segment, needles, 31), linear(rows, needles, 31))
  t.ok(calls.probes.length > 0 && calls.scans.length > 0)
})

t.test('a scan completes a probe that ran out of room, and no row is found twice', async (t) => {
  // Of the rows in one place, more than there is room for, a few are within reach of the first bands already.
  const random = randomFrom(5)
  const place = seeded(1)
  const rows = rowsOf(Array.from({ length: 200_000 }, (_, i) => (i % 10 === 0 ? blurred(place, 5, random) : filler(i))))
  const segment = segmentOf(rows)
  const calls = spyOn(segment.block.engine)
  const needles = [filler(1), place, filler(2), place]

  assertSameHits(hitsOf(segment, needles, 15), linear(rows, needles, 15))

  t.ok(calls.probes.some(({ isDone }) => !isDone))
  t.equal(counted(calls).rowsRead, 200_000)
})

t.test('a needle among rows that share its bands costs at most one scan, and little before that is known', async (t) => {
  // A third of the rows share half of their bands, another third a few more: each is a candidate, and most pass the test of
  // a second band.
  const random = randomFrom(12)
  const [a, b] = [seeded(1), seeded(2)]
  const halfOf = (hash: Hash256, i: number) => {
    const row = seeded(1_000 + i)
    for (let band = 0; band < BANDS; band += 2) sharing(hash, (band + (i % 5 === 0 ? 1 : 0)) % BANDS, row)
    return row
  }
  const rows = rowsOf(
    Array.from({ length: 60_000 }, (_, i) => (i % 3 === 0 ? a : i % 3 === 1 ? halfOf(b, i) : seeded(900_000 + i))),
  )
  const segment = segmentOf(rows)
  for (const bits of [0, 1, 4, 8, 12, 20, 31, 45]) {
    for (const needle of [a, b, blurred(a, bits, random), halfOf(b, 1), between(a, b)]) {
      const calls = spyOn(segment.block.engine)
      assertSameHits(hitsOf(segment, [needle], bits), linear(rows, [needle], bits))
      const { rowsRead } = counted(calls)
      t.ok(rowsRead === 0 || rowsRead === 60_000, 'a scan runs at most once')
      const most = calls.probes.reduce((sum, { maxRows }) => sum + maxRows, 0)
      t.ok(most < 60_000 / 15, `${most} rows before it is given up, ${bits} bits`)
    }
  }
})

t.test('each row is reported once per set, even if probing is given up halfway', async (t) => {
  const random = randomFrom(5)
  const hashes = clumpy(200_000, 3)
  const rows = rowsOf(hashes)
  const segment = segmentOf(rows)
  const { engine } = segment.block
  const { probe } = engine
  let found = 0
  engine.probe = (needles, fromBand, ...rest) => {
    if (needles > 1 && fromBand > 0) return -1
    found += probe(needles, fromBand, ...rest)
    return probe(needles, fromBand, ...rest)
  }
  const calls = spyOn(engine)
  const needles = Array.from({ length: 64 }, (_, i) => blurred(hashes[i * 3_000] ?? zeros, i % 40, random))
  const hits: Hit[] = []
  drain(segment.search(concatenated(needles), 31, rows.length, hits, Uint8Array.from(needles.keys())))

  t.ok(found > 0 && calls.probes.some(({ needles, isDone }) => needles > 1 && !isDone))
  t.ok(calls.probes.some(({ needles, isDone }) => needles === 1 && isDone))
  assertSameHits(
    hits,
    needles.flatMap((needle, transform) => linear(rows, [needle], 31).map((hit) => ({ ...hit, transform }))),
  )
})

t.test('the kernel’s reads beyond its tables stay in its memory, even if they fill the last page', async (t) => {
  // So many rows that without spare bytes the last table would end at the end of memory.
  const extraAt = (rows: number) => Math.ceil((scratch.bytes + rows * ROW_BYTES) / 64) * 64
  const endOf = (rows: number) => extraAt(rows) + BANDS * (OFFSETS_BYTES + rows * ENTRY_BYTES)
  let rows = MIN_SEGMENT_ROWS
  while (endOf(rows) % 65_536 !== 0) rows++
  t.equal(new RowBlock(rows, 0).extraAt, extraAt(rows))
  const hashes = Array.from({ length: rows }, (_, i) => filler(i))
  // The last buckets of the last table, with one row each.
  hashes.splice(0, 2, ones, flippedByBand(ones, nowhere.with(15, 1), randomFrom(1)))

  t.equal(hitsOf(segmentOf(rowsOf(hashes)), [ones], 15).length, 2)
})

/** The same segment, with a plan as for few, random rows. */
function unaware({ tabled }: Segment): Segment {
  return new Segment(tabled, new Float64Array(BANDS * MAX_REACH).fill(1))
}

function counted({ scans, probes }: KernelCalls) {
  return {
    probedFor: probes.filter(({ fromBand }) => fromBand === 0).reduce((sum, { needles }) => sum + needles, 0),
    rowsRead: scans.reduce((sum, { rows }) => sum + rows, 0),
    needlesReadFor: [...new Set(scans.map(({ needles }) => needles))],
  }
}

/** The other hash, except for one band. */
function sharing(hash: Hash256, band: number, other: Hash256): Hash256 {
  other.set(hash.subarray(band * 2, band * 2 + 2), band * 2)
  return other
}

/** The first half of one and the second half of the other. */
function between(a: Hash256, b: Hash256): Hash256 {
  const hash = blurred(a, 0, randomFrom(0))
  hash.set(b.subarray(16), 16)
  return hash
}

const nowhere = new Array<number>(BANDS).fill(0)
const ones = flippedByBand(zeros, new Array<number>(BANDS).fill(16), randomFrom(1))

// How a search of a segment runs in pieces, and what happens between them.

import { t } from 'tap'
import { BANDS, scratch } from '../../packages/core/src/search/engine.js'
import type { Hit } from '../../packages/core/src/search/hit.js'
import { linear } from '../../packages/core/src/search/linear.js'
import { distance, HASH_BYTES, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { blurred, clumpy, dealt, filler, flippedByBand, randomFrom, rowsOf } from './corpora.js'
import { hitsOf, segmentOf } from './parts.js'
import { assertSameHits, concatenated, seeded, zeros } from './rows.js'
import { spyOn } from './spies.js'

t.test('interleaved searches do not disturb each other', async (t) => {
  const hashes = clumpy(100_000, 6)
  const rows = rowsOf(hashes)
  const segment = segmentOf(rows)
  const calls = spyOn(segment.block.engine)
  const asked = [
    { needles: hashes.slice(60_000, 60_064), bits: 43 },
    { needles: hashes.slice(50_000, 50_064), bits: 44 },
    { needles: hashes.slice(900, 932), bits: 50 },
    { needles: [seeded(1)], bits: 31 },
  ]
  const searches = asked.map(({ needles, bits }) => {
    const hits: Hit[] = []
    return { hits, steps: segment.search(concatenated(needles), bits, rows.length, hits) }
  })

  let pauses = 0
  for (let open = searches; open.length > 0; open = open.filter(({ steps }) => steps.next().done !== true))
    pauses += open.length

  t.ok(pauses >= 8)
  const turns = calls.probes.filter(({ needles }) => needles > 1).map(({ needles }) => needles)
  t.ok(turns.filter((needles, i) => needles !== turns[i - 1]).length >= 3, 'some take turns between bands')
  for (const [i, { needles, bits }] of asked.entries()) {
    assertSameHits(searches[i]?.hits ?? [], linear(rows, needles.slice(0, 64), bits))
  }
})

t.test('a search continues with its own needles and plan, whatever a pause left in scratch', async (t) => {
  // Far in the first bands and near in the last, so that only the last bands find it.
  const near = flippedByBand(
    seeded(1),
    dealt(44, (i) => i % 5),
    randomFrom(7),
  )
  const needles = [seeded(1), ...Array.from({ length: 63 }, (_, i) => seeded(2 + i))]
  const rows = rowsOf([near, ...Array.from({ length: 60_000 }, (_, i) => filler(i))])
  const segment = segmentOf(rows)
  const hits: Hit[] = []
  const search = segment.search(concatenated(needles), 45, rows.length, hits)

  let pauses = 0
  while (search.next().done !== true) {
    pauses++
    segment.block.loadNeedles(new Uint8Array(64 * HASH_BYTES))
    segment.block.engine.bytes.fill(0, scratch.planAt, scratch.planAt + BANDS)
  }

  t.ok(pauses > 1)
  assertSameHits(hits, linear(rows, needles, 45))
  t.same(hits, [{ image: 0, view: 0, transform: 0, distanceBits: 44 }])
})

t.test('needles that cost too much for one step are probed in groups, each under its own number', async (t) => {
  const hashes = Array.from({ length: 200_000 }, (_, i) => seeded(i))
  const rows = rowsOf(hashes)
  const segment = segmentOf(rows)
  const calls = spyOn(segment.block.engine)
  const needles = Array.from({ length: 64 }, (_, i) => blurred(hashes[i * 3_000] ?? zeros, 40, randomFrom(i)))

  const hits = hitsOf(segment, needles, 56)

  t.equal(calls.scans.length, 0)
  t.ok(calls.probes.every(({ needles }) => needles < 64))
  t.same(
    hits
      .toSorted((a, b) => a.transform - b.transform)
      .map(({ image, transform, distanceBits }) => [image, transform, distanceBits]),
    needles.map((needle, i) => [i * 3_000, i, distance(needle, hashes[i * 3_000] ?? zeros)]),
  )
})

t.test('a search for many needles pauses, a search for few does not', async (t) => {
  const hashes = Array.from({ length: 60_000 }, (_, i) => filler(i))
  const segment = segmentOf(rowsOf(hashes))
  const pausesFor = (needles: readonly Hash256[], bits: number) => {
    const search = segment.search(concatenated(needles), bits, 60_000, [])
    let pauses = 0
    while (search.next().done !== true) pauses++
    return pauses
  }
  t.equal(pausesFor(hashes.slice(0, 8), 31), 0)
  const many = pausesFor(hashes.slice(0, 64), 45)
  t.ok(many >= 1 && many < BANDS)
})

t.test('probing pauses between bands by their cost, and probes each band once', async (t) => {
  // Half of the rows lie close together, so bands differ in cost.
  const random = randomFrom(9)
  const hashes = Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? filler(i) : seeded(i)))
  const segment = segmentOf(rowsOf(hashes))
  const plan = segment.plan(40)
  const calls = spyOn(segment.block.engine)
  const needles = Array.from({ length: 24 }, (_, i) => blurred(hashes[i * 2 + 1] ?? zeros, 3, random))
  for (const _ of segment.search(concatenated(needles), 40, hashes.length, []));

  const maxNs = Math.max(
    ...calls.probes.map(({ needles, fromBand, toBand }) => {
      const bandNs = Array.from(plan?.bandNs.subarray(fromBand, toBand) ?? [])
      return bandNs.reduce((sum, ns) => sum + needles * ns, 0)
    }),
  )
  t.ok(calls.probes.length > 1)
  t.ok(maxNs < 600_000, `${maxNs} ns`)
  t.same(
    calls.probes.flatMap(({ fromBand, toBand }) => Array.from({ length: toBand - fromBand }, (_, i) => fromBand + i)),
    Array.from({ length: BANDS }, (_, band) => band),
  )
})

t.test('a search probes once between two pauses, and counts candidates for few needles at a time', async (t) => {
  const random = randomFrom(11)
  const hashes = clumpy(200_000, 3)
  const segment = segmentOf(rowsOf(hashes))
  const { engine } = segment.block
  const calls = spyOn(engine)
  const { countPlanned } = engine
  let counted = 0
  engine.countPlanned = (needle) => {
    counted++
    return countPlanned(needle)
  }
  const needles = Array.from({ length: 64 }, (_, i) => blurred(hashes[i * 3_000] ?? zeros, i % 40, random))
  const steps: { readonly probes: number; readonly counted: number }[] = []
  for (const search = segment.search(concatenated(needles), 31, hashes.length, []), before = { probes: 0, counted: 0 }; ; ) {
    const { done } = search.next()
    steps.push({ probes: calls.probes.length - before.probes, counted: counted - before.counted })
    Object.assign(before, { probes: calls.probes.length, counted })
    if (done === true) break
  }
  t.equal(Math.max(...steps.map(({ probes }) => probes)), 1)
  t.ok(Math.max(...steps.map((step) => step.counted)) <= 8)
  t.ok(calls.probes.some(({ needles }) => needles === 1) && calls.probes.some(({ needles }) => needles > 1), 'in groups')
})

t.test('a search whose needles have their own plans pauses between them, unharmed by other searches', async (t) => {
  const random = randomFrom(5)
  const hashes = clumpy(200_000, 3)
  const rows = rowsOf(hashes)
  const segment = segmentOf(rows)
  const needles = Array.from({ length: 64 }, (_, i) => blurred(hashes[i * 3_000] ?? zeros, i % 40, random))
  const other = concatenated([seeded(2)])
  const hits: Hit[] = []
  let pauses = 0
  for (const search = segment.search(concatenated(needles), 31, rows.length, hits); search.next().done !== true; ) {
    pauses++
    for (const _ of segment.search(other, 12, rows.length, []));
  }
  t.ok(pauses > 8, `${pauses} pauses`)
  assertSameHits(hits, linear(rows, needles, 31))
})

t.test('needles given up together are probed one by one where they meet few, with a pause before each', async (t) => {
  // Equal in all bands but four, which differ between the four classes.
  const rows = rowsOf(
    Array.from({ length: 60_000 }, (_, i) => {
      const bytes = Uint8Array.from(seeded(i))
      if (i >= 8_000) return hashFromBytes(bytes)
      const alike = seeded(90_000 + (i % 4))
      bytes.set(alike.subarray(0, 8 * (i % 4)))
      bytes.set(alike.subarray(8 * (i % 4) + 8), 8 * (i % 4) + 8)
      return hashFromBytes(bytes)
    }),
  )
  const segment = segmentOf(rows)
  const calls = spyOn(segment.block.engine)
  const needles = rows.slice(0, 4).map(({ hash }) => hash)
  const hits: Hit[] = []
  const probesOfSteps: number[] = []
  for (const search = segment.search(concatenated(needles), 8, rows.length, hits), before = { probes: 0 }; ; ) {
    const { done } = search.next()
    probesOfSteps.push(calls.probes.length - before.probes)
    before.probes = calls.probes.length
    if (done === true) break
    segment.block.loadNeedles(new Uint8Array(4 * HASH_BYTES))
  }

  t.same(probesOfSteps, [1, 1, 1, 1, 1, 0])
  assertSameHits(hits, linear(rows, needles, 8))
})

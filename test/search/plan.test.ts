import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { NARROW } from '../../packages/core/src/search/band-shape.js'
import { BANDS, MAX_REACH } from '../../packages/core/src/search/engine.js'
import { type BandCounts, costFor, greedyPlan, planFor, scanNs, uniformCounts } from '../../packages/core/src/search/plan.js'
import { runs } from '../helpers/runs.js'
import { BAND_BITS, randomFrom } from './corpora.js'

const MAX_THRESHOLD_BITS = BANDS * MAX_REACH - 1

t.test('the reaches of a plan sum to threshold + 1, and none exceeds the masks of the kernel', async (t) => {
  for (const counts of [
    uniformCounts(1_000_000),
    uniformCounts(0),
    randomCounts(1),
    new Float64Array(BANDS * MAX_REACH).fill(1e9),
  ]) {
    for (let thresholdBits = 0; thresholdBits <= MAX_THRESHOLD_BITS; thresholdBits++) {
      const { reach } = planned(counts, thresholdBits)
      assert.equal(reach.length, BANDS)
      assert.equal(sum(reach), thresholdBits + 1)
      assert.ok(reach.every((each) => each <= MAX_REACH))
    }
  }
  t.pass()
})

t.test('no plan exists beyond 95 bits', async (t) => {
  t.equal(MAX_THRESHOLD_BITS, 95)
  for (const thresholdBits of [96, 97, 128, 256]) t.equal(planFor(uniformCounts(1_000), thresholdBits), undefined)
})

t.test('the number of keys at a distance is the number of ways to choose its bits', async (t) => {
  const keys = new Array<number>(MAX_REACH).fill(0)
  for (let key = 0; key < 65_536; key++) {
    const bits = key.toString(2).replaceAll('0', '').length
    if (bits < MAX_REACH) keys[bits] = (keys[bits] ?? 0) + 1
  }
  t.same(
    keys.map((_, bits) => NARROW.keysAt(3, bits)),
    keys,
  )
  t.same([...uniformCounts(65_536)], Array.from({ length: BANDS }, () => keys).flat())
})

t.test('no other deal of the reaches is cheaper than the plan', async () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.uniqueArray(fc.nat(BANDS - 1), { minLength: 1, maxLength: 4 }),
      fc.nat(4 * MAX_REACH - 1),
      (seed, bands, bits) => {
        // All other bands have infinitely many candidates, so that only these can have a reach; a single band shows its cost.
        const counts = only(bands, randomCounts(seed))
        const costOf = bands.map((band) => [
          0,
          ...Array.from({ length: MAX_REACH }, (_, reach) => planned(only([band], randomCounts(seed)), reach).costNs),
        ])
        const thresholdBits = Math.min(bits, bands.length * MAX_REACH - 1)

        const plan = planned(counts, thresholdBits)

        const least = Math.min(
          ...waysToDeal(thresholdBits + 1, bands.length).map((way) => sum(way.map((reach, i) => costOf[i]?.[reach] ?? 0))),
        )
        assert.ok(Math.abs(plan.costNs - least) <= least * 1e-9)
        assert.equal(sum(bands.map((band) => plan.reach[band] ?? 0)), thresholdBits + 1)
      },
    ),
    { numRuns: runs(66) },
  )
})

t.test('a band that many rows share gets less reach, and an empty one more', async (t) => {
  const even = planned(uniformCounts(1_000_000), 31)
  t.same([...even.reach], new Array<number>(BANDS).fill(2))

  for (const hot of [0, 7, 15]) {
    const counts = uniformCounts(1_000_000)
    for (let bits = 0; bits < MAX_REACH; bits++) counts[hot * MAX_REACH + bits] = 500_000
    const { reach } = planned(counts, 31)
    t.equal(reach[hot], 0)
    t.equal(sum(reach), 32)
  }

  const counts = uniformCounts(100_000_000)
  counts.fill(0, 5 * MAX_REACH, 6 * MAX_REACH)
  const { reach } = planned(counts, 31)
  t.ok([...reach].every((each, band) => (band === 5 ? each > 2 : each <= 2)))
})

t.test('a plan states its probes, its expected candidates and their cost', async (t) => {
  for (const thresholdBits of [0, 15, 31, 50, 95]) {
    const counts = randomCounts(thresholdBits)
    const { reach, probes, candidates, costNs } = planned(counts, thresholdBits)
    let expectedProbes = 0
    let expectedCandidates = 0
    for (const [band, each] of reach.entries()) {
      for (let bits = 0; bits < each; bits++) {
        expectedProbes += NARROW.keysAt(band, bits)
        expectedCandidates += counts[band * MAX_REACH + bits] ?? 0
      }
    }
    t.equal(probes, expectedProbes)
    t.ok(Math.abs(candidates - expectedCandidates) < 1e-6 * (1 + candidates))
    t.ok(costNs > probes + candidates / 2)
  }
})

t.test('the expected survivors of a band follow the share of keys near enough in the next one', async (t) => {
  const counts = uniformCounts(1_000_000)
  const nearKeys = (bits: number) =>
    sum(Array.from({ length: Math.min(bits, BAND_BITS) + 1 }, (_, i) => NARROW.keysAt(3, i)))
  for (const thresholdBits of [15, 31, 45, 60]) {
    const { reach, survivors } = planned(counts, thresholdBits)
    const expected = [...reach].map((each, band) =>
      sum(
        Array.from(
          { length: each },
          (_, bits) => ((counts[band * MAX_REACH + bits] ?? 0) * nearKeys(2 * each - 1 - bits)) / 65_536,
        ),
      ),
    )
    t.ok(Math.abs(survivors - sum(expected)) < 1e-6 * survivors)
  }
})

t.test('an empty bucket costs nothing, and small tables in the caches cost less', async (t) => {
  t.ok(planned(uniformCounts(0), 31).costNs < planned(uniformCounts(1_000_000), 31).costNs / 5)

  const costAmong = (rows: number) => planFor(uniformCounts(20_000), 45, NARROW, rows)?.costNs ?? 0
  t.ok(costAmong(20_000) < costAmong(100_000))
  t.ok(costAmong(100_000) < costAmong(1_000_000))
  t.equal(costAmong(1_000_000), costAmong(100_000_000))
})

t.test('a plan for a wider threshold or more candidates costs more', async (t) => {
  for (const counts of [uniformCounts(1_000_000), randomCounts(3)]) {
    const costs = Array.from({ length: MAX_THRESHOLD_BITS + 1 }, (_, bits) => planned(counts, bits).costNs)
    t.ok(costs.every((cost, i) => i === 0 || cost > (costs[i - 1] ?? 0)))
  }
  const plan = planned(uniformCounts(1_000_000), 31)
  t.equal(costFor(plan, plan.candidates), plan.costNs)
  t.ok(costFor(plan, plan.candidates + 1_000) > plan.costNs)
  t.ok(costFor(plan, plan.candidates - 1_000) < plan.costNs)
})

t.test('scanning costs the same for each row, and less for a further needle than for the first', async (t) => {
  t.equal(scanNs(0, 1), 0)
  t.equal(scanNs(2_000, 5), 2 * scanNs(1_000, 5))
  const [first, second, third] = [scanNs(1_000, 1), scanNs(1_000, 2), scanNs(1_000, 3)]
  t.ok(second - first < first)
  t.ok(second > first)
  t.equal(third - second, second - first)
})

t.test('a million random rows are probed up to about 70 bits, and a few hundred rows are scanned', async (t) => {
  const probedFor = (rows: number, bits: number) => planned(uniformCounts(rows), bits).costNs < scanNs(rows, 1)
  t.ok(probedFor(1_000_000, 68))
  t.notOk(probedFor(1_000_000, 80))
  t.notOk(probedFor(300, 31))
  t.ok(probedFor(20_000, 31))
})

t.test('the greedy plan has enough reach, and with a reach of one bit it is the cheapest', async () => {
  const random = randomFrom(11)
  for (let i = 0; i < 200; i++) {
    const [bands, maxReach] = [3 + (i % 3), 1 + (i % 3)]
    const met = Array.from({ length: bands * maxReach }, () => Math.floor(random() * 1000))
    const thresholdBits = Math.floor(random() * bands * maxReach)

    const { reach, candidates } = greedyPlan(met, maxReach, thresholdBits)

    assert.equal(sum(reach), thresholdBits + 1)
    assert.ok(reach.every((bits) => bits <= maxReach))
    const metBy = (reaches: ArrayLike<number>) =>
      sum(met.map((more, at) => (at % maxReach < (reaches[Math.floor(at / maxReach)] ?? 0) ? more : 0)))
    assert.equal(candidates, metBy(reach))
    if (maxReach > 1) continue
    const ways = waysToDeal(thresholdBits + 1, bands).filter((way) => way.every((bits) => bits <= maxReach))
    assert.equal(candidates, Math.min(...ways.map(metBy)))
  }
})

function planned(counts: BandCounts, thresholdBits: number) {
  const plan = planFor(counts, thresholdBits)
  assert.ok(plan !== undefined)
  return plan
}

/** Counts of any size, as in rows that share some bands. */
function randomCounts(seed: number): BandCounts {
  const random = randomFrom(seed)
  return uniformCounts(1_000_000).map((count) => count * 10 ** (random() * 4 - 2))
}

function only(bands: readonly number[], counts: BandCounts): BandCounts {
  return counts.map((count, i) => (bands.includes(Math.floor(i / MAX_REACH)) ? count : Number.POSITIVE_INFINITY))
}

/** Every way to deal `total` to `count` bands. */
function waysToDeal(total: number, count: number): number[][] {
  if (count === 0) return total === 0 ? [[]] : []
  const ways: number[][] = []
  for (let first = 0; first <= Math.min(MAX_REACH, total); first++) {
    for (const rest of waysToDeal(total - first, count - 1)) ways.push([first, ...rest])
  }
  return ways
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}

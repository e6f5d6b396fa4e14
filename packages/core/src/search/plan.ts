// Plans how to search a block of rows: how many bits may differ in each band, or whether to read all rows. The cost model is only in this file.

import { NARROW, type Shape } from './band-shape.js'

/**
 * [ns] Fitted to 20 thousand to a million rows at 15 to 70 bits (`node bench/archive/search-model.mjs`, decision 0010). Only their ratios matter.
 * - A probe looks up the bucket of one key. A non-empty bucket costs a memory access, which is cheaper if it is in the CPU caches.
 * - A candidate is an entry of a bucket. It holds bits of the next band, and eight of them are compared with the needle at a time.
 * - A survivor is a candidate that passed. It costs the comparison of a third band, and for one in five a read of its row.
 * - A row is read to compute its distance.
 * - A scan reads every row, for the first needle and for each further needle of a batch.
 */
const PROBE_NS = 3
const BUCKET_NS = { cached: 4, uncached: 20 }
/** From this many rows on, almost no bucket is in the caches. */
const UNCACHED_ROWS = 200_000
const CANDIDATE_NS = 1
const SURVIVOR_NS = 19
const ROW_NS = 50
const SCAN_FIRST_NS = 2.1
const SCAN_FURTHER_NS = 1

/** `reach[band]` is the search radius in that band plus one, 0 for none. The reaches sum to the threshold plus one. */
export interface Plan {
  readonly reach: Uint8Array
  readonly probes: number
  readonly candidates: number
  /** Expected number of candidates that pass the test of the next band. */
  readonly survivors: number
  readonly costNs: number
  /** Cost of each band. It is uneven where rows are clustered. */
  readonly bandNs: Float64Array
}

/** Candidates that a needle is expected to have, by band and distance: `counts[band * maxReach + distanceBits]`. */
export type BandCounts = Float64Array

/** @returns the estimated cost [ns] of reading every row. */
export function scanNs(rows: number, needles: number): number {
  return rows * (SCAN_FIRST_NS + SCAN_FURTHER_NS * (needles - 1))
}

/**
 * The cheapest plan. Its reaches sum to `thresholdBits` + 1, which guarantees that a search misses nothing (see kernel/reach.ts). Found by dynamic
 * programming over the bands, after Qin et al., "GPH", ICDE 2018.
 *
 * @param rows number of rows. With few rows, more of the tables is in the caches.
 * @returns `undefined` if there is no plan: beyond 95 bits with sixteen bands, where it would have to probe most keys.
 * Cost: about 30 µs, so callers cache the result.
 */
export function planFor(
  counts: BandCounts,
  thresholdBits: number,
  shape: Shape = NARROW,
  rows = UNCACHED_ROWS,
): Plan | undefined {
  const { bands, maxReach } = shape
  const total = thresholdBits + 1
  if (total > bands * maxReach) return undefined
  const bucketNs = bucketNsAmong(rows)
  // best[sum] is the lowest cost of the bands so far with reaches of that sum. `choice` has the reach of the last band.
  let best = new Float64Array(total + 1).fill(Number.POSITIVE_INFINITY)
  best[0] = 0
  const choice: Uint8Array[] = []
  for (let band = 0; band < bands; band++) {
    const next = new Float64Array(total + 1).fill(Number.POSITIVE_INFINITY)
    const chosen = new Uint8Array(total + 1)
    for (let reach = 0; reach <= maxReach; reach++) {
      const cost = bandNs(counts, band, reach, shape, bucketNs)
      for (let sum = reach; sum <= total; sum++) {
        const through = (best[sum - reach] ?? 0) + cost
        if (through >= (next[sum] ?? 0)) continue
        next[sum] = through
        chosen[sum] = reach
      }
    }
    best = next
    choice.push(chosen)
  }
  const reach = new Uint8Array(bands)
  for (let band = bands - 1, sum = total; band >= 0; band--) {
    const chosen = choice[band]?.[sum] ?? 0
    reach[band] = chosen
    sum -= chosen
  }
  return planWith(reach, counts, shape, bucketNs)
}

/** A plan with the given reaches and its expected cost. */
function planWith(reach: Uint8Array, counts: BandCounts, shape: Shape, bucketNs: number): Plan {
  let probes = 0
  let candidates = 0
  let survivors = 0
  const costsNs = new Float64Array(shape.bands)
  for (let band = 0; band < shape.bands; band++) {
    for (let bits = 0; bits < (reach[band] ?? 0); bits++) {
      probes += shape.keysAt(band, bits)
      candidates += counts[band * shape.maxReach + bits] ?? 0
      survivors += survivorsOf(counts[band * shape.maxReach + bits] ?? 0, reach[band] ?? 0, bits)
    }
    costsNs[band] = bandNs(counts, band, reach[band] ?? 0, shape, bucketNs)
  }
  const costNs = costsNs.reduce((sum, ns) => sum + ns, 0)
  return { reach, probes, candidates, survivors, costNs, bandNs: costsNs }
}

/**
 * With a larger margin than this, the tests of two and three neighbouring bands must allow more bits: a row within `farthestBits` may differ in any
 * bands, and the pigeonring principle would reject it. They allow at least these shares of `farthestBits` (decision 0010). Large registries have
 * plans for fewer than `fromBits`: 40 % of their rows would pass the wide test of two bands by chance, 4 % pass the narrow one.
 */
const USUAL_MARGIN_BITS = 2
const WIDE_SHARES = { fromBits: 31, two: 7 / 52, three: 11 / 52 }
const NARROW_SHARES = { two: 4 / 52, three: 7 / 52 }

/**
 * A plan as the kernel reads it: three tables, each with a byte for each of sixteen bands. They hold how many bits may differ, plus one: in the
 * band; in it and the next; in these two and the one after.
 * @param farthestBits how far rows are wanted, beyond what the reaches promise.
 */
export function kernelPlan(reach: Uint8Array, farthestBits: number): Uint8Array {
  const bands = reach.length
  const tables = new Uint8Array(3 * KERNEL_BANDS)
  const thresholdBits = reach.reduce((sum, bits) => sum + bits, 0) - 1
  const shares = thresholdBits >= WIDE_SHARES.fromBits ? WIDE_SHARES : NARROW_SHARES
  const isWanted = farthestBits - thresholdBits > USUAL_MARGIN_BITS
  const least = (share: number) => (isWanted ? Math.ceil(share * farthestBits) + 1 : 0)
  const [leastOfTwo, leastOfThree] = [least(shares.two), least(shares.three)]
  for (let band = 0; band < bands; band++) {
    const own = reach[band] ?? 0
    const two = own + (reach[(band + 1) % bands] ?? 0)
    tables[band] = own
    tables[KERNEL_BANDS + band] = Math.max(two, leastOfTwo)
    tables[2 * KERNEL_BANDS + band] = Math.max(two + (reach[(band + 2) % bands] ?? 0), leastOfThree)
  }
  return tables
}

const KERNEL_BANDS = 16

/**
 * @param candidates actual number of candidates of a needle.
 * @returns the cost [ns] of the plan for this needle: at least that of its probes.
 */
export function costFor(plan: Plan, candidates: number): number {
  const more = (candidates - plan.candidates) * (CANDIDATE_NS + SURVIVOR_NS * TYPICAL_SURVIVING)
  return Math.max(plan.probes * PROBE_NS, plan.costNs + more)
}

/**
 * @returns how many rows a needle may read before its plan is abandoned for a full scan: as many as cost a quarter of the scan, plus twice the
 *   expected number. Needed because rows of a cluster pass every test, so they cost more than the number of candidates predicts.
 */
export function maxRowsToRead(plan: Plan, rows: number): number {
  return quarterScanRows(rows) + 2 * plan.survivors
}

/** @returns how many rows can be read for a quarter of the cost of a full scan. */
export function quarterScanRows(rows: number): number {
  return (scanNs(rows, 1) * 0.25) / ROW_NS
}

/**
 * A greedy plan: it widens one band at a time, where that adds the fewest candidates. Not always the minimum, but fast.
 * @param counts candidates of a needle by band and by distance below `maxReach`.
 * @param thresholdBits less than bands × `maxReach`.
 * @returns reaches that sum to `thresholdBits` + 1, and the number of candidates.
 */
export function greedyPlan(
  counts: readonly number[],
  maxReach: number,
  thresholdBits: number,
): { readonly reach: Uint8Array; readonly candidates: number } {
  const reach = new Uint8Array(counts.length / maxReach)
  let candidates = 0
  for (let left = thresholdBits + 1; left > 0; left--) {
    let least = Number.POSITIVE_INFINITY
    let widened = 0
    for (const [band, bits] of reach.entries()) {
      const more = bits < maxReach ? (counts[band * maxReach + bits] ?? 0) : Number.POSITIVE_INFINITY
      if (more >= least) continue
      least = more
      widened = band
    }
    reach[widened] = (reach[widened] ?? 0) + 1
    candidates += least
  }
  return { reach, candidates }
}

/** Share of candidates that survive, under a plan for 31 to 60 bits. */
const TYPICAL_SURVIVING = 0.02

function bucketNsAmong(rows: number): number {
  return BUCKET_NS.cached + (BUCKET_NS.uncached - BUCKET_NS.cached) * Math.min(1, rows / UNCACHED_ROWS)
}

function bandNs(counts: BandCounts, band: number, reach: number, shape: Shape, bucketNs: number): number {
  let ns = 0
  for (let bits = 0; bits < reach; bits++) {
    const keys = shape.keysAt(band, bits)
    const candidates = counts[band * shape.maxReach + bits] ?? 0
    const filledBuckets = keys * (1 - Math.exp(-candidates / keys))
    const survivors = survivorsOf(candidates, reach, bits)
    ns += keys * PROBE_NS + filledBuckets * bucketNs + candidates * CANDIDATE_NS + survivors * SURVIVOR_NS
  }
  return ns
}

/** The next band may differ in the bits that the reaches of both bands leave over. Its reach is assumed to be the same. */
function survivorsOf(candidates: number, reach: number, bits: number): number {
  return candidates * shareWithin(2 * reach - 1 - bits)
}

/** The share of all 16-bit keys that differ from a given one in at most `bits` bits. */
function shareWithin(bits: number): number {
  return cumulativeShare[Math.min(bits, cumulativeShare.length - 1)] ?? 1
}

const cumulativeShare = (() => {
  const shares: number[] = []
  let keys = 1
  let sum = 0
  for (let bits = 0; bits <= 16; bits++) {
    sum += keys
    shares.push(sum / 65_536)
    keys = (keys * (16 - bits)) / (bits + 1)
  }
  return shares
})()

/** @returns the expected counts of uniformly random rows, for rows that were not sampled yet. */
export function uniformCounts(rows: number): BandCounts {
  const { bands, maxReach, keysAt, keysIn } = NARROW
  return Float64Array.from({ length: bands * maxReach }, (_, i) => (rows * keysAt(0, i % maxReach)) / keysIn(0))
}

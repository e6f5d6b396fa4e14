// How to search a block of rows: which keys to probe in which band, or not at all. The cost model is here and nowhere else.

import { NARROW, type Shape } from './shape.js'

/**
 * Nanoseconds, fitted to 20 thousand to a million rows at 15 to 70 bits (`npm run bench:search-model`, decision 0010); what counts is how
 * they compare. A probe reads where a bucket lies; a bucket that is not empty costs a wait for memory; a candidate is a fragment, looked
 * at eight at a time; a survivor has a third band to be looked at, and one in five of them a row; a row is read for its distance.
 */
const PROBE_NS = 3
const BUCKET_NS = { cached: 4, far: 20 }
/** Of so many rows and more, nearly no bucket lies in the caches. */
const FAR_ROWS = 200_000
const CANDIDATE_NS = 1
const SURVIVOR_NS = 19
const ROW_NS = 50
const SCAN_FIRST_NS = 2.1
const SCAN_FURTHER_NS = 1

/** `reach[band]` is the radius probed there plus one, 0 for none; their sum is the threshold plus one. */
export interface Plan {
  readonly reach: Uint8Array
  readonly probes: number
  readonly candidates: number
  /** Candidates that are expected to pass the test of the next band. */
  readonly survivors: number
  readonly costNs: number
  /** The cost of each band, which is uneven where rows are. */
  readonly bandNs: Float64Array
}

/** Candidates that a needle is expected to meet, by band and distance: `counts[band * maxReach + distanceBits]`. */
export type BandCounts = Float64Array

/** What reading every row costs. */
export function scanNs(rows: number, needles: number): number {
  return rows * (SCAN_FIRST_NS + SCAN_FURTHER_NS * (needles - 1))
}

/**
 * The cheapest way to give the bands reaches that sum to `thresholdBits` + 1, which is what makes a search miss nothing (see
 * kernel/reach.ts). Dynamic programming over bands; after Qin et al., "GPH", ICDE 2018.
 *
 * @param rows how many there are: of few, more lies in the caches.
 * @returns `undefined` when no plan can: beyond 95 bits of sixteen bands, where keys would be most of all keys.
 * Cost: about 30 µs, so callers keep what they get.
 */
export function planFor(
  counts: BandCounts,
  thresholdBits: number,
  shape: Shape = NARROW,
  rows = FAR_ROWS,
): Plan | undefined {
  const { bands, maxReach } = shape
  const total = thresholdBits + 1
  if (total > bands * maxReach) return undefined
  const bucketNs = bucketNsAmong(rows)
  // best[sum] is the least cost of the bands so far with reaches of that sum; choice remembers the last band's.
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

/** A plan of given reaches, with what it is expected to cost. */
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

/** What a plan costs a needle that meets so many candidates rather than those expected; its probes at least. */
export function costWith(plan: Plan, candidates: number): number {
  const more = (candidates - plan.candidates) * (CANDIDATE_NS + SURVIVOR_NS * TYPICAL_SURVIVING)
  return Math.max(plan.probes * PROBE_NS, plan.costNs + more)
}

/**
 * How many rows a needle may have read before its plan is given up for reading all: as many as cost a quarter of that, and twice
 * those expected. Rows that lie close together pass each test, and counting candidates does not tell.
 */
export function maxToRead(plan: Plan, rows: number): number {
  return maxOf(rows) + 2 * plan.survivors
}

/** How many rows may be read for a quarter of what reading all costs. */
export function maxOf(rows: number): number {
  return (scanNs(rows, 1) * 0.25) / ROW_NS
}

/**
 * Reaches that sum to `thresholdBits` + 1, one after the other where it adds the fewest candidates. Not always the fewest of all, and soon found.
 * @param met by band, and by distance below `maxReach`, how many candidates a needle meets.
 * @param thresholdBits less than bands times `maxReach`.
 */
export function fewestOf(
  met: readonly number[],
  maxReach: number,
  thresholdBits: number,
): { readonly reach: Uint8Array; readonly candidates: number } {
  const reach = new Uint8Array(met.length / maxReach)
  let candidates = 0
  for (let left = thresholdBits + 1; left > 0; left--) {
    let least = Number.POSITIVE_INFINITY
    let there = 0
    for (const [band, bits] of reach.entries()) {
      const more = bits < maxReach ? (met[band * maxReach + bits] ?? 0) : Number.POSITIVE_INFINITY
      if (more >= least) continue
      least = more
      there = band
    }
    reach[there] = (reach[there] ?? 0) + 1
    candidates += least
  }
  return { reach, candidates }
}

/** Of candidates, under a plan for 31 to 60 bits. */
const TYPICAL_SURVIVING = 0.02

function bucketNsAmong(rows: number): number {
  return BUCKET_NS.cached + (BUCKET_NS.far - BUCKET_NS.cached) * Math.min(1, rows / FAR_ROWS)
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

/** A fragment may differ in what the neighbour's reach, about the same, leaves over. */
function survivorsOf(candidates: number, reach: number, bits: number): number {
  return candidates * shareWithin(2 * reach - 1 - bits)
}

/** The share of all keys that differ from a given one in at most so many bits. */
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

/** Counts as they would be if rows were random, for rows that nobody has counted. */
export function evenCounts(rows: number): BandCounts {
  const { bands, maxReach, keysAt, keysIn } = NARROW
  return Float64Array.from({ length: bands * maxReach }, (_, i) => (rows * keysAt(0, i % maxReach)) / keysIn(0))
}

// An immutable block of rows with one table per band. A search probes the tables.

import { HASH_BYTES } from '../../../hash/src/hash256.js'
import { NARROW, type Shape, type Tables } from './band-shape.js'
import { scratch } from './engine.js'
import type { Hit } from './hit.js'
import { NearestByRow, type Part, pick, readHits, type Sets, scanAll, scanFor, UNIT_NS } from './part.js'
import { type BandCounts, costFor, greedyPlan, maxRowsToRead, type Plan, planFor, quarterScanRows, scanNs } from './plan.js'
import { RowBlock } from './row-block.js'

/** A needle gets its own plan if it has this many times the expected candidates and the shared plan would cost this much for it. */
const REPLAN_FROM_TIMES = 2
const REPLAN_FROM_NS = 35_000

/** Needles between two pauses. Counting for this many takes a quarter of a millisecond at wide thresholds; planning for one takes as long. */
const COUNTED_AT_ONCE = 8

/** Probing work between two pauses. Less than a unit, because clusters of rows cost up to three times the estimate. */
export const PROBED_NS = UNIT_NS / 3

/** Reach up to which a needle's candidates are counted to find where it has the fewest. Counting takes a few microseconds, a plan thirty. */
const FEWEST_REACH = 3
/** Below this cost of a full scan, that counting is not worth its time. */
const FEWEST_FROM_NS = 100_000
/** Needles counted between two pauses. Each probe has its own pause. */
const FEWEST_AT_ONCE = 32

/** Rows with their tables. */
export interface TabledBlock {
  readonly block: RowBlock
  readonly shape: Shape
  readonly tables: Tables
}

/** @returns room for this many rows and their tables, all empty. */
export function tabledBlock(rows: number, shape: Shape = NARROW): TabledBlock {
  const block = new RowBlock(rows, shape.bytesFor(rows))
  return { block, shape, tables: shape.tablesOf(block.engine, block.rowsAt, block.extraAt, rows) }
}

/** Needles that share a plan, by their numbers. */
interface Group {
  readonly numbers: number[]
  readonly plan: Plan
  costNs: number
}

/** A search misses nothing within `bits`. It also reports what it happens to read up to `farthestBits`. */
interface Radius {
  readonly bits: number
  readonly farthestBits: number
}

/** A search for some needles in bands `from`…`to`−1. */
interface Probe {
  readonly needles: Uint8Array
  /** The number by which each needle is reported. */
  readonly numbers: readonly number[]
  readonly plan: Pick<Plan, 'reach'>
  readonly from: number
  readonly to: number
  readonly farthestBits: number
  /** The probe is abandoned if there are more rows to read. */
  readonly maxRows: number
}

export class Segment implements Part {
  readonly kind = 'segment'
  readonly isSettled = true
  readonly block: RowBlock
  readonly counts: BandCounts
  readonly tabled: TabledBlock
  readonly #shape: Shape
  readonly #tables: Tables
  readonly #plans = new Map<number, Plan | undefined>()
  deadRows = 0

  /** @param counts the average number of candidates of a row of this block, used as a needle. */
  constructor(tabled: TabledBlock, counts: BandCounts) {
    this.tabled = tabled
    this.block = tabled.block
    this.counts = counts
    this.#shape = tabled.shape
    this.#tables = tabled.tables
  }

  /** @returns the plan for a threshold; `undefined` if reading all rows is cheaper even for one needle. */
  plan(thresholdBits: number): Plan | undefined {
    if (!this.#plans.has(thresholdBits)) {
      const plan = planFor(this.counts, thresholdBits, this.#shape, this.block.rows)
      const isCheaper = plan !== undefined && plan.costNs < scanNs(this.block.rows, 1)
      this.#plans.set(thresholdBits, isCheaper ? plan : undefined)
    }
    return this.#plans.get(thresholdBits)
  }

  *search(
    needles: Uint8Array,
    thresholdBits: number,
    rows: number,
    hits: Hit[],
    sets?: Sets,
    marginBits = 0,
  ): Generator<void, void, void> {
    const { block } = this
    const plan = this.plan(thresholdBits)
    const radius = { bits: thresholdBits, farthestBits: thresholdBits + marginBits }
    if (plan === undefined) {
      yield* scanAll(block, rows, needles, radius.farthestBits, hits, sets)
      return
    }
    const needleCount = needles.length / HASH_BYTES
    const nearest = new NearestByRow(needleCount, sets)
    const left = yield* this.#probeAll(needles, plan, radius, nearest)
    if (left.length === needleCount) {
      yield* scanAll(block, rows, needles, radius.farthestBits, hits, sets)
      return
    }
    if (left.length > 0) yield* scanFor(left, block, rows, needles, radius.farthestBits, nearest, sets)
    nearest.moveTo(block, hits)
  }

  /** @returns the needles, in order, for which reading all rows is cheaper or whose probe was abandoned. */
  *#probeAll(needles: Uint8Array, plan: Plan, radius: Radius, nearest: NearestByRow): Generator<void, number[], void> {
    const groups = yield* this.#groups(needles, plan, radius)
    const { probed, left } = cheaperThanScanning(groups, this.block.rows)
    for (const group of probed) {
      if (group !== probed[0]) yield
      const before = nearest.rows
      const isFound = yield* this.#probe(needles, group, radius.farthestBits, nearest)
      if (isFound) continue
      nearest.forgetFrom(before)
      for (const [i, number] of group.numbers.entries()) {
        if (i % FEWEST_AT_ONCE === 0) yield
        if (this.#probeFewest(needles, number, radius, nearest)) yield
        else left.push(number)
      }
    }
    return left.sort((a, b) => a - b)
  }

  /** Puts each needle into one group, by its cheapest plan. */
  *#groups(needles: Uint8Array, plan: Plan, radius: Radius): Generator<void, Group[], void> {
    const shared: Group = { numbers: [], plan, costNs: 0 }
    const groups = [shared]
    for (let number = 0; number < needles.length / HASH_BYTES; number++) {
      if (number > 0 && number % COUNTED_AT_ONCE === 0) yield
      if (number % COUNTED_AT_ONCE === 0) this.#prepare(needles, plan, radius.farthestBits)
      const needleAt = scratch.needlesAt + number * HASH_BYTES
      const candidates = this.#tables.countPlanned(needleAt)
      const costNs = costFor(plan, candidates)
      if (costNs < REPLAN_FROM_NS || candidates < REPLAN_FROM_TIMES * plan.candidates) {
        shared.numbers.push(number)
        shared.costNs += costNs
        continue
      }
      const own = planFor(this.#counts(needleAt, Math.max(...plan.reach) + 1), radius.bits, this.#shape, this.block.rows)
      const isBetter = own !== undefined && own.costNs < costNs
      groups.push({ numbers: [number], plan: isBetter ? own : plan, costNs: isBetter ? own.costNs : costNs })
      yield
      this.#prepare(needles, plan, radius.farthestBits)
    }
    return groups
  }

  /** Another search may have replaced the needles and the plan during a pause. */
  #prepare(needles: Uint8Array, plan: Pick<Plan, 'reach'>, farthestBits: number): void {
    this.block.loadNeedles(needles)
    this.block.loadPlan(plan.reach, farthestBits)
  }

  /** Candidates of a prepared needle by band and distance. Beyond `reach`, every row counts as one. */
  #counts(needleAt: number, reach: number): BandCounts {
    const { bands, maxReach } = this.#shape
    const counts = new Float64Array(bands * maxReach).fill(this.block.rows)
    for (let band = 0; band < bands; band++) {
      for (let bits = 0; bits < Math.min(reach, maxReach); bits++)
        counts[band * maxReach + bits] = this.#tables.countCandidates(needleAt, band, bits)
    }
    return counts
  }

  /** @returns whether the probe finished. If not, the reported hits are right but incomplete. */
  *#probe(
    needles: Uint8Array,
    { numbers, plan, costNs }: Group,
    farthestBits: number,
    nearest: NearestByRow,
  ): Generator<void, boolean, void> {
    const maxRows = maxRowsToRead(plan, this.block.rows)
    const { bands } = this.#shape
    if (costNs <= PROBED_NS) {
      const picked = numbers.length * HASH_BYTES === needles.length ? needles : pick(needles, numbers)
      const maxOfAll = numbers.length * maxRows
      return this.#probeBands(
        { needles: picked, numbers, plan, from: 0, to: bands, farthestBits, maxRows: maxOfAll },
        nearest,
      )
    }
    const share = costNs / (numbers.length * plan.costNs)
    const bandNs = Array.from(plan.bandNs, (ns) => ns * share)
    const maxPerNs = maxRows / (plan.costNs * share)
    const needlesAtOnce = between(1, numbers.length, PROBED_NS / Math.max(...bandNs))
    for (let first = 0; first < numbers.length; first += needlesAtOnce) {
      const some = numbers.slice(first, first + needlesAtOnce)
      const picked = pick(needles, some)
      for (let band = 0; band < bands; ) {
        const end = endOfUnit(bandNs, band, PROBED_NS / some.length)
        if (first + band > 0) yield
        const most = some.length * maxPerNs * bandNs.slice(band, end).reduce((sum, ns) => sum + ns, 0)
        const probe = { needles: picked, numbers: some, plan, from: band, to: end, farthestBits, maxRows: most }
        if (!this.#probeBands(probe, nearest)) return false
        band = end
      }
    }
    return true
  }

  /**
   * Probes where a needle has the fewest candidates, if there are few enough to read them all.
   * @returns whether it did; then all hits have been found.
   */
  #probeFewest(
    needles: Uint8Array,
    number: number,
    { bits: thresholdBits, farthestBits }: Radius,
    nearest: NearestByRow,
  ): boolean {
    const { bands } = this.#shape
    if (thresholdBits >= bands * FEWEST_REACH || scanNs(this.block.rows, 1) < FEWEST_FROM_NS) return false
    const picked = pick(needles, [number])
    this.block.loadNeedles(picked)
    const met = Array.from({ length: bands * FEWEST_REACH }, (_, i) =>
      this.#tables.countCandidates(scratch.needlesAt, Math.floor(i / FEWEST_REACH), i % FEWEST_REACH),
    )
    const { reach, candidates } = greedyPlan(met, FEWEST_REACH, thresholdBits)
    if (candidates > quarterScanRows(this.block.rows)) return false
    return this.#probeBands(
      { needles: picked, numbers: [number], plan: { reach }, from: 0, to: bands, farthestBits, maxRows: candidates },
      nearest,
    )
  }

  /** @returns whether the probe finished. */
  #probeBands({ needles, numbers, plan, from, to, farthestBits, maxRows }: Probe, nearest: NearestByRow): boolean {
    this.#prepare(needles, plan, farthestBits)
    const most = Math.min(maxRows, scratch.maxSurvivors)
    const found = this.#tables.probe(numbers.length, from, to, farthestBits, most)
    if (found > 0) readHits(this.block, found, nearest.reporterFor(numbers))
    return found >= 0
  }
}

/** @returns the end of the bands to probe at once: as many as cost `maxNs`, at least one. */
function endOfUnit(bandNs: readonly number[], from: number, maxNs: number): number {
  let end = from + 1
  for (let ns = bandNs[from] ?? 0; end < bandNs.length; end++) {
    ns += bandNs[end] ?? 0
    if (ns > maxNs) break
  }
  return end
}

function between(least: number, most: number, wanted: number): number {
  return Math.max(least, Math.min(most, Math.floor(wanted)))
}

/**
 * Decides which groups to probe. The needles of all others are found by reading all rows: the needles that are most expensive to probe, because in
 * a pass over the rows each further needle costs about half of the first (`scanNs`).
 */
function cheaperThanScanning(groups: readonly Group[], rows: number): { readonly probed: Group[]; readonly left: number[] } {
  const sorted = groups.filter(({ numbers }) => numbers.length > 0).sort((a, b) => perNeedleNs(a) - perNeedleNs(b))
  let scannedCount = 0
  let saved = 0
  let probed = sorted.length
  let probedNs = 0
  for (let i = sorted.length - 1; i >= 0; i--) {
    const group = sorted[i]
    if (group === undefined) break
    scannedCount += group.numbers.length
    probedNs += group.costNs
    const gain = probedNs - scanNs(rows, scannedCount)
    if (gain > saved) {
      saved = gain
      probed = i
    }
  }
  const left = sorted.slice(probed).flatMap(({ numbers }) => numbers)
  return { probed: sorted.slice(0, probed), left }
}

function perNeedleNs({ costNs, numbers }: Group): number {
  return costNs / numbers.length
}

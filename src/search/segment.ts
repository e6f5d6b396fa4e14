// An immutable block of rows with a table for each of sixteen bands, searched by probing the tables.

import { HASH_BYTES } from '../hash/hash256.js'
import { BANDS, ENTRY_BYTES, MAX_REACH, OFFSETS_BYTES, scratch } from './engine.js'
import { NearestByRow, type Part, pick, readHits, scanAll, UNIT_NS } from './part.js'
import { type BandCounts, costWith, type Plan, planFor, scanNs } from './plan.js'
import { type Report, RowBlock } from './row-block.js'
import type { Hit } from './signal-index.js'

/** A needle that meets so many times more than expected, where that costs so much, is worth a plan of its own. */
const REPLAN_FROM_TIMES = 2
const REPLAN_FROM_NS = 50_000

/** The kernel reads sixteen bytes at a time, and may begin in a table's last two. */
const TABLE_SLACK_BYTES = 64

/** Room for so many rows and their tables, which are not filled. */
export function segmentBlock(rows: number): RowBlock {
  const tableBytes = rows * ENTRY_BYTES + TABLE_SLACK_BYTES
  const block = new RowBlock(rows, BANDS * (OFFSETS_BYTES + tableBytes))
  block.engine.describeTables(block.rowsAt, block.extraAt, block.extraAt + BANDS * OFFSETS_BYTES, tableBytes)
  return block
}

/** Needles that are searched in the same way, by their numbers; without a plan, by reading all rows. */
interface Group {
  readonly numbers: number[]
  readonly plan: Plan | undefined
  costNs: number
}

export class Segment implements Part {
  readonly kind = 'segment'
  readonly isSettled = true
  readonly block: RowBlock
  readonly counts: BandCounts
  readonly #plans = new Map<number, Plan | undefined>()
  deadRows = 0

  /** @param counts what a row of the block, taken as a needle, meets on average. */
  constructor(block: RowBlock, counts: BandCounts) {
    this.block = block
    this.counts = counts
  }

  /** The plan for a threshold; `undefined` where reading all rows is cheaper even for a single needle. */
  plan(thresholdBits: number): Plan | undefined {
    if (!this.#plans.has(thresholdBits)) {
      const plan = planFor(this.counts, thresholdBits)
      const isCheaper = plan !== undefined && plan.costNs < scanNs(this.block.rows, 1)
      this.#plans.set(thresholdBits, isCheaper ? plan : undefined)
    }
    return this.#plans.get(thresholdBits)
  }

  *search(needles: Uint8Array, thresholdBits: number, rows: number, hits: Hit[]): Generator<void, void, void> {
    const { block } = this
    const probed = this.#strategy(needles, thresholdBits)
    if (probed.length === 0) {
      yield* scanAll(block, rows, needles, thresholdBits, (row, needle, bits) => {
        hits.push(block.hit(row, needle, bits))
      })
      return
    }
    const nearest = new NearestByRow()
    const scanned = new Set(Array.from({ length: needles.length / HASH_BYTES }, (_, number) => number))
    for (const { numbers, plan, costNs } of probed) {
      if (plan === undefined) continue
      const report: Report = (row, i, bits) => nearest.add(row, numbers[i] ?? 0, bits)
      const isProbed = yield* this.#probe(pick(needles, numbers), plan, costNs, thresholdBits, report)
      if (isProbed) for (const number of numbers) scanned.delete(number)
    }
    if (scanned.size > 0) {
      const numbers = [...scanned]
      const report: Report = (row, i, bits) => nearest.add(row, numbers[i] ?? 0, bits)
      yield* scanAll(block, rows, pick(needles, numbers), thresholdBits, report)
    }
    nearest.moveTo(block, hits)
  }

  /** Which needles to probe for, and how; those that are in no group are cheaper to find by reading all rows. */
  #strategy(needles: Uint8Array, thresholdBits: number): Group[] {
    const plan = this.plan(thresholdBits)
    if (plan === undefined) return []
    const { engine, rows } = this.block
    this.block.loadNeedles(needles)
    engine.bytes.set(plan.reach, scratch.planAt)
    const shared: Group = { numbers: [], plan, costNs: 0 }
    const groups = [shared]
    const count = needles.length / HASH_BYTES
    for (let number = 0; number < count; number++) {
      const candidates = engine.countPlanned(scratch.needlesAt + number * HASH_BYTES)
      const costNs = costWith(plan, candidates)
      if (costNs > REPLAN_FROM_NS && candidates > REPLAN_FROM_TIMES * plan.candidates) {
        const own = planFor(this.#countsOf(number, Math.max(...plan.reach) + 1), thresholdBits)
        if (own !== undefined && own.costNs < costNs) groups.push({ numbers: [number], plan: own, costNs: own.costNs })
        else groups.push({ numbers: [number], plan, costNs })
      } else {
        shared.numbers.push(number)
        shared.costNs += costNs
      }
    }
    return cheaperThanScanning(groups, rows)
  }

  /** What one needle meets, by band and distance; beyond `reach` it is taken to meet everything, which no plan wants. */
  #countsOf(number: number, reach: number): BandCounts {
    const counts = new Float64Array(BANDS * MAX_REACH).fill(this.block.rows)
    const needleAt = scratch.needlesAt + number * HASH_BYTES
    for (let band = 0; band < BANDS; band++) {
      for (let bits = 0; bits < Math.min(reach, MAX_REACH); bits++)
        counts[band * MAX_REACH + bits] = this.block.engine.countCandidates(needleAt, band, bits)
    }
    return counts
  }

  /** @returns whether it could; if not, what was reported is right but not all. */
  *#probe(
    needles: Uint8Array,
    plan: Plan,
    costNs: number,
    thresholdBits: number,
    report: Report,
  ): Generator<void, boolean, void> {
    const { block } = this
    const count = needles.length / HASH_BYTES
    const bandsAtOnce = Math.max(1, Math.min(BANDS, Math.floor((BANDS * UNIT_NS) / costNs)))
    for (let band = 0; band < BANDS; band += bandsAtOnce) {
      if (band > 0) yield
      // Whoever had his turn in between may have left other needles and another plan.
      block.loadNeedles(needles)
      block.engine.bytes.set(plan.reach, scratch.planAt)
      const found = block.engine.probe(count, band, Math.min(BANDS, band + bandsAtOnce), thresholdBits)
      if (found < 0) return false
      readHits(block, found, report)
    }
    return true
  }
}

/**
 * Leaves out the groups for whose needles reading all rows costs less. Dearest first, because a further needle in a pass
 * over the rows costs a third of the first.
 */
function cheaperThanScanning(groups: readonly Group[], rows: number): Group[] {
  const kept = groups.filter(({ numbers }) => numbers.length > 0).sort((a, b) => perNeedleNs(a) - perNeedleNs(b))
  let scannedCount = 0
  let saved = 0
  let leave = 0
  let probedNs = 0
  for (let i = kept.length - 1; i >= 0; i--) {
    const group = kept[i]
    if (group === undefined) break
    scannedCount += group.numbers.length
    probedNs += group.costNs
    const gain = probedNs - scanNs(rows, scannedCount)
    if (gain > saved) {
      saved = gain
      leave = kept.length - i
    }
  }
  return kept.slice(0, kept.length - leave)
}

function perNeedleNs({ costNs, numbers }: Group): number {
  return costNs / numbers.length
}

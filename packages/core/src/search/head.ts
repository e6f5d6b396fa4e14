// Holds the newest rows. A new row is searchable at once, because rows are linked in chains instead of sorted into tables.

import { HASH_BYTES, type Hash256 } from '../../../hash/src/hash256.js'
import { BANDS } from './engine.js'
import type { Hit } from './hit.js'
import { NearestByRow, type Part, readHits, type Sets, scanAll, scanFor } from './part.js'
import { type Plan, planFor, scanNs, uniformCounts } from './plan.js'
import { RowBlock } from './row-block.js'

/** What two bytes can number besides "none". */
export const HEAD_ROWS = 65_535

const KEYS = 65_536
const LINK_BYTES = Uint16Array.BYTES_PER_ELEMENT
const FIRSTS_BYTES = BANDS * KEYS * 2 * LINK_BYTES
const FILLED_BYTES = (BANDS * KEYS) / 8
const NEXTS_BYTES = BANDS * LINK_BYTES

// [ns] The rows of a chain are read one after the other. Each has to wait for the one before.
const VISIT_NS = 20
const FIRST_NS = 3

export class Head implements Part {
  readonly kind = 'head'
  readonly isSettled: boolean
  readonly block: RowBlock
  deadRows = 0

  /** @param capacity rows, at most `HEAD_ROWS`. */
  constructor(capacity: number, state: 'open' | 'settled') {
    this.isSettled = state === 'settled'
    this.block = new RowBlock(capacity, FIRSTS_BYTES + FILLED_BYTES + capacity * NEXTS_BYTES)
    const { engine, rowsAt, extraAt } = this.block
    const filledAt = extraAt + FIRSTS_BYTES
    engine.describeChains(rowsAt, extraAt, filledAt, filledAt + FILLED_BYTES)
  }

  /** Adds a row. The caller checks the capacity. */
  append(image: number, view: number, hash: Hash256): void {
    this.block.append(image, view, hash)
    this.block.engine.link(this.block.rows - 1)
  }

  /** Adds copies of rows `from`…`to`−1 of another block. */
  appendFrom(source: RowBlock, from: number, to: number): void {
    const first = this.block.rows
    this.block.appendFrom(source, from, to)
    for (let row = first; row < this.block.rows; row++) this.block.engine.link(row)
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
    const needleCount = needles.length / HASH_BYTES
    const plan = evenPlan(thresholdBits)
    const farthestBits = thresholdBits + marginBits
    const scannedNs = scanNs(rows, needleCount) / needleCount
    // Follow chains only as long as that is cheaper than reading all rows.
    const maxVisits = plan === undefined ? 0 : (scannedNs - plan.probes * FIRST_NS) / VISIT_NS
    if (plan === undefined || (plan.candidates * rows) / HEAD_ROWS > maxVisits) {
      yield* scanAll(block, rows, needles, farthestBits, hits, sets)
      return
    }
    const nearest = new NearestByRow(needleCount, sets)
    block.loadNeedles(needles)
    block.loadPlan(plan.reach, farthestBits)
    const left = this.#follow(needles, rows, farthestBits, maxVisits, nearest)
    if (left.length === needleCount) {
      yield* scanAll(block, rows, needles, farthestBits, hits, sets)
      return
    }
    if (left.length > 0) yield* scanFor(left, block, rows, needles, farthestBits, nearest, sets)
    nearest.moveTo(block, hits)
  }

  /** @returns the needles for which reading all rows is cheaper. */
  #follow(needles: Uint8Array, rows: number, farthestBits: number, maxVisits: number, nearest: NearestByRow): number[] {
    const { block } = this
    const left: number[] = []
    for (let needle = 0; needle < needles.length / HASH_BYTES; needle++) {
      const found = block.engine.follow(needle, rows, farthestBits, maxVisits)
      if (found < 0) left.push(needle)
      else readHits(block, found, (row, number, bits) => nearest.add(row, number, bits))
    }
    return left
  }
}

const evenPlans = new Map<number, Plan | undefined>()

/** A head is too short-lived to sample. Its plan assumes random rows, and the kernel counts a needle's candidates before it reads any. */
function evenPlan(thresholdBits: number): Plan | undefined {
  if (!evenPlans.has(thresholdBits)) evenPlans.set(thresholdBits, planFor(uniformCounts(HEAD_ROWS), thresholdBits))
  return evenPlans.get(thresholdBits)
}

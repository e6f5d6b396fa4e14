// Compaction: chooses which parts of an index to merge, and merges them. The choice is pure. The work is done in steps so that it can pause.

import { NARROW, type Shape } from './band-shape.js'
import { BANDS, scratch } from './engine.js'
import { HEAD_ROWS, Head } from './head.js'
import type { Part } from './part.js'
import type { BandCounts } from './plan.js'
import type { RowBlock } from './row-block.js'
import { Segment, type TabledBlock, tabledBlock } from './segment.js'

/** What three bytes can number. */
export const MAX_SEGMENT_ROWS = 1 << 24

/** This few rows are not worth the offsets of a segment, which take 4 MB. */
const FEW_ROWS = HEAD_ROWS / 4

export interface PartSize {
  readonly rows: number
  readonly deadRows: number
  /** Made by compaction, as opposed to a full head or rows just loaded. */
  readonly isSettled: boolean
}

/** Parts `from`…`to`−1, which are neighbours in age. */
export interface Run {
  readonly from: number
  readonly to: number
}

/**
 * Chooses what to compact next; `undefined` if nothing needs it. In this order of priority:
 * 1. Parts that are not settled, together with every older part that is no larger than everything after it. So a row is rewritten once per
 * doubling, and there are at most as many parts as doublings.
 * 2. A part with too many dead rows.
 * 3. Two neighbours of which the older is no larger than the younger.
 *
 * @param parts oldest first.
 * @param minDeadShare 0…1. With 0, a single dead row is too many.
 */
export function nextRun(parts: readonly PartSize[], maxRows: number, minDeadShare: number): Run | undefined {
  // `deadRows` may be too high, never too low. So the choice uses live rows, but the size limit uses all rows.
  const live = parts.map(({ rows, deadRows }) => Math.max(0, rows - deadRows))
  const liveAt = (i: number) => live[i] ?? Number.POSITIVE_INFINITY
  const rowsAt = (i: number) => parts[i]?.rows ?? Number.POSITIVE_INFINITY
  const first = parts.findIndex(({ isSettled }) => !isSettled)
  if (first >= 0) {
    let [from, to, liveRows, rows] = [first, first + 1, liveAt(first), rowsAt(first)]
    for (; to < parts.length && rows + rowsAt(to) <= maxRows; to++) {
      liveRows += liveAt(to)
      rows += rowsAt(to)
    }
    for (; from > 0 && liveAt(from - 1) <= liveRows && rows + rowsAt(from - 1) <= maxRows; from--) {
      liveRows += liveAt(from - 1)
      rows += rowsAt(from - 1)
    }
    return { from, to }
  }
  const dying = parts.findIndex(({ rows, deadRows }) => deadRows > 0 && deadRows >= minDeadShare * rows)
  if (dying >= 0) return { from: dying, to: dying + 1 }
  const inverted = live.findIndex((rows, i) => rows <= liveAt(i + 1) && rowsAt(i) + rowsAt(i + 1) <= maxRows)
  return inverted < 0 ? undefined : { from: inverted, to: inverted + 2 }
}

/** Rows copied, counted or put into one table between two pauses: about a tenth of a millisecond. */
const STEP_ROWS = 4_096

/** Keys summed between two pauses: a whole band of 16 bits. */
const SUMMED_KEYS = 65_536

/** How many rows are sampled to make a plan. */
const SAMPLES = 16
/** Cost of one sample, in row-steps. */
const SAMPLE_ROWS = 16_384

/**
 * Copies the rows of live images from blocks to a new part.
 *
 * @param shapeFor how to divide this many rows into bands.
 * @returns the part; `undefined` if no row is left. Yields the work since the last pause, in row-steps; about twenty per row in total.
 */
export function* compacted(
  sources: readonly RowBlock[],
  isLive: (image: number) => boolean,
  shapeFor: (rows: number) => Shape = () => NARROW,
): Generator<number, Part | undefined, void> {
  let liveRows = 0
  for (const source of sources) {
    for (const run of liveRuns(source, isLive)) {
      liveRows += run.to - run.from
      yield run.readRows
    }
  }
  if (liveRows === 0) return undefined
  if (liveRows <= FEW_ROWS) {
    const head = new Head(liveRows, 'settled')
    for (const source of sources) {
      for (const { from, to, readRows } of liveRuns(source, isLive)) {
        head.appendFrom(source, from, to)
        yield readRows + (to - from) * BANDS
      }
    }
    return head
  }
  const tabled = tabledBlock(liveRows, shapeFor(liveRows))
  for (const source of sources) {
    for (const { from, to, readRows } of liveRuns(source, isLive)) {
      tabled.block.appendFrom(source, from, to)
      yield readRows
    }
  }
  yield* filled(tabled)
  return new Segment(tabled, yield* sampledCounts(tabled))
}

interface LiveRun extends Run {
  /** All rows of this run and the dead rows before it, which cost time too. */
  readonly readRows: number
}

/** Runs of consecutive live rows, reading at most STEP_ROWS at a time. If all of these are dead, the run is empty. */
function* liveRuns(block: RowBlock, isLive: (image: number) => boolean): Generator<LiveRun, void, void> {
  for (let row = 0; row < block.rows; ) {
    const first = row
    const end = Math.min(block.rows, first + STEP_ROWS)
    while (row < end && !isLive(block.imageAt(row))) row++
    const from = row
    while (row < end && isLive(block.imageAt(row))) row++
    yield { from, to: row, readRows: row - first }
  }
}

function* filled({ block: { rows }, shape, tables }: TabledBlock): Generator<number, void, void> {
  for (let row = 0; row < rows; row += STEP_ROWS) {
    tables.countKeys(row, Math.min(rows, row + STEP_ROWS))
    yield STEP_ROWS * (BANDS / 4)
  }
  for (let band = 0; band < shape.bands; band++) {
    for (let key = 0; key < shape.keysIn(band); key += SUMMED_KEYS) {
      if (key > 0) yield STEP_ROWS
      tables.sumCounts(band, key, key + SUMMED_KEYS)
    }
    for (let row = 0; row < rows; row += STEP_ROWS) {
      tables.fillTable(band, row, Math.min(rows, row + STEP_ROWS))
      yield STEP_ROWS
    }
  }
}

/** The average number of candidates that rows of the block have as needles, without themselves. */
function* sampledCounts({ block, shape, tables }: TabledBlock): Generator<number, BandCounts, void> {
  const { bands, maxReach } = shape
  const counts = new Float64Array(bands * maxReach)
  const samples = Math.min(SAMPLES, block.rows)
  for (let sample = 0; sample < samples; sample++) {
    block.loadRowAsNeedle(Math.floor((sample * block.rows) / samples))
    for (let i = 0; i < counts.length; i++) {
      const bits = i % maxReach
      const met = tables.countCandidates(scratch.needlesAt, (i - bits) / maxReach, bits)
      counts[i] = (counts[i] ?? 0) + (bits === 0 ? met - 1 : met) / samples
    }
    yield SAMPLE_ROWS
  }
  return counts
}

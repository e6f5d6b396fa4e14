// Which parts of an index to make one of, and the making. The choice is pure; the work goes in steps, so that it can wait.

import { BANDS, scratch } from './engine.js'
import { HEAD_ROWS, Head } from './head.js'
import type { Part } from './part.js'
import type { BandCounts } from './plan.js'
import type { RowBlock } from './row-block.js'
import { Segment, type TabledBlock, tabledBlock } from './segment.js'
import { NARROW, type Shape } from './shape.js'

/** What three bytes can number. */
export const MAX_SEGMENT_ROWS = 1 << 24

/** So few rows do not pay for a segment's offsets, which take 4 MB. */
const FEW_ROWS = HEAD_ROWS / 4

export interface PartSize {
  readonly rows: number
  readonly deadRows: number
  /** Made by compacting, as opposed to a full head or rows just loaded. */
  readonly isSettled: boolean
}

/** Neighbours in age: parts `from`…`to`−1. */
export interface Run {
  readonly from: number
  readonly to: number
}

/**
 * What to compact next, of parts from old to new; `undefined` when all is well. In this order:
 * parts that are not settled, with every older part that is no larger than all that follows it (so that a row is rewritten
 * once for each doubling, and parts are at most as many as doublings); a part with too many dead rows; neighbours of which
 * the older has become the smaller.
 *
 * @param minDeadShare 0…1; with 0 any dead row is too many.
 */
export function nextRun(parts: readonly PartSize[], maxRows: number, minDeadShare: number): Run | undefined {
  // Dead rows are an estimate, never too low: good for choosing, but what must fit is bounded by all rows.
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

/** All of a band of 16 bits. */
const SUMMED_KEYS = 65_536

/** How many rows stand for all when a plan is made. */
const SAMPLES = 16
/** Steps that looking at a sample's neighbourhood costs, in rows. */
const SAMPLE_ROWS = 16_384

/**
 * Copies the rows of live images from blocks to a new part.
 *
 * @param shapeFor how to cut so many rows into bands.
 * @returns the part; `undefined` when no row is left. Yields the work done since the last pause, in rows handled once; all in
 * all some twenty a row.
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
  /** Dead rows before it, which cost time too, and its own. */
  readonly readRows: number
}

/** Rows in a row whose images are live, reading at most STEP_ROWS at a time. Dead rows alone make runs of no rows. */
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

/** What rows of the block meet when they are the needle, on average and without themselves. */
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

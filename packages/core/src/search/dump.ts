// Dumps an index into pieces for a snapshot, and restores it from them.

import { HASH_BYTES } from '../../../hash/src/hash256.js'
import type { Part } from './part.js'
import type { RowBlock, RowColumns } from './row-block.js'
import { Segment } from './segment.js'

/** A segment as it is in memory. Only the same kernel can read it, see `KERNEL_NAME`. */
export interface DumpedSegment {
  readonly kind: 'segment'
  readonly rows: number
  readonly counts: Float64Array
  /** A view of memory that does not change any more. */
  readonly content: Uint8Array
}

export interface DumpedRows extends RowColumns {
  readonly kind: 'rows'
}

/** A segment that is being restored. */
export interface Restoring {
  /** To be filled in by the caller. */
  readonly content: Uint8Array
  /**
   * Adds the rows, pausing about every millisecond. Images for which `isKnown` returns false count as removed: their rows are dead and their
   * numbers cannot be used again. Adds nothing if the index is cleared meanwhile.
   */
  adopt(isKnown: (image: number) => boolean): Generator<void, void, void>
}

export type Dumped = DumpedSegment | DumpedRows

const ROWS_AT_ONCE = 16_384

/** @param rowsOf how many rows of each part to dump. */
export function* dumped(
  parts: readonly Part[],
  rowsOf: readonly number[],
  isLive: (image: number) => boolean,
): Generator<Dumped, void, void> {
  for (const [i, part] of parts.entries()) {
    if (part instanceof Segment && part.deadRows === 0) {
      yield { kind: 'segment', rows: part.block.rows, counts: part.counts, content: part.block.content }
    } else yield* liveRows(part.block, rowsOf[i] ?? 0, isLive)
  }
}

function* liveRows(block: RowBlock, rows: number, isLive: (image: number) => boolean): Generator<DumpedRows, void, void> {
  for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
    const columns = block.columns(from, Math.min(rows, from + ROWS_AT_ONCE))
    const live = Array.from(columns.images.keys()).filter((row) => isLive(columns.images[row] ?? 0))
    if (live.length > 0) yield { kind: 'rows', ...pickRows(columns, live) }
  }
}

/** @returns copies of the given rows. */
export function pickRows({ images, views, hashes }: RowColumns, rows: readonly number[]): RowColumns {
  const picked = new Uint8Array(rows.length * HASH_BYTES)
  for (const [i, row] of rows.entries()) {
    picked.set(hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES), i * HASH_BYTES)
  }
  return {
    images: Uint32Array.from(rows, (row) => images[row] ?? 0),
    views: Uint8Array.from(rows, (row) => views[row] ?? 0),
    hashes: picked,
  }
}

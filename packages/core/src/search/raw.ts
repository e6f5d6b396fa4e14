// A part of the index with rows that were loaded in bulk. A search reads all of them, until compaction has built a segment (`segment.ts`) of them.

import type { Hit } from './hit.js'
import { type Part, type Sets, scanAll } from './part.js'
import { RowBlock } from './row-block.js'

/** Maximum rows: 155 MB when full. The system provides memory only for rows that are written. */
export const RAW_ROWS = 1 << 22

export class Raw implements Part {
  readonly kind = 'raw'
  readonly isSettled = false
  readonly block: RowBlock
  deadRows = 0

  constructor() {
    this.block = new RowBlock(RAW_ROWS, 0)
  }

  search(
    needles: Uint8Array,
    thresholdBits: number,
    rows: number,
    hits: Hit[],
    sets?: Sets,
    marginBits = 0,
  ): Generator<void, void, void> {
    return scanAll(this.block, rows, needles, thresholdBits + marginBits, hits, sets)
  }
}

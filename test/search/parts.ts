// Single parts of an index, made of rows, and their answers.

import { compacted } from '../../packages/core/src/search/compaction.js'
import { HEAD_ROWS, Head } from '../../packages/core/src/search/head.js'
import type { Hit } from '../../packages/core/src/search/hit.js'
import type { Row } from '../../packages/core/src/search/linear.js'
import type { Part } from '../../packages/core/src/search/part.js'
import { RowBlock } from '../../packages/core/src/search/row-block.js'
import { Segment } from '../../packages/core/src/search/segment.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { columnsOf, concatenated, seeded } from './rows.js'

/** The fewest rows that make a segment rather than a settled head. */
export const MIN_SEGMENT_ROWS = 16_384

export function blockOf(rows: readonly Row[]): RowBlock {
  const block = new RowBlock(Math.max(1, rows.length), 0)
  if (rows.length > 0) block.appendColumns(columnsOf(rows))
  return block
}

export function headOf(rows: readonly Row[]): Head {
  const head = new Head(HEAD_ROWS, 'open')
  for (const { image, view, hash } of rows) head.append(image, view, hash)
  return head
}

/** @param rows at least `MIN_SEGMENT_ROWS`. */
export function segmentOf(rows: readonly Row[]): Segment {
  const part = drain(compacted([blockOf(rows)], () => true))
  if (part instanceof Segment) return part
  throw new Error('too few rows for a segment')
}

/** Appends rows that are far from everything until there are enough for a segment. */
export function padded(rows: readonly Row[]): Row[] {
  return [...rows, ...padding.slice(0, Math.max(0, MIN_SEGMENT_ROWS - rows.length))]
}

const padding: readonly Row[] = Array.from({ length: MIN_SEGMENT_ROWS }, (_, i) => ({
  image: 1_000_000 + i,
  view: 0,
  hash: seeded(1_000_000 + i),
}))

export function hitsOf(part: Part, needles: readonly Hash256[], thresholdBits: number): Hit[] {
  const hits: Hit[] = []
  drain(part.search(concatenated(needles), thresholdBits, part.block.rows, hits))
  return hits
}

export function drain<T>(work: Generator<unknown, T, void>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

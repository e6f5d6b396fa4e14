// The rows of one image in the parts of an index: found by a binary search in each part whose range of images includes it.

import type { ViewHash } from './hit.js'
import type { Part } from './part.js'

/** Are these rows, in this order, in the parts, from the oldest part to the newest? */
export function holdsRows(parts: readonly Part[], image: number, rows: readonly ViewHash[]): boolean {
  let found = 0
  if (rows.length > 0) {
    for (const { block } of parts) {
      if (!block.mayHold(image)) continue
      for (let row = block.firstOf(image); found < rows.length; row++, found++) {
        const next = rows[found]
        if (next === undefined || !block.isRow(row, image, next.view, next.hash)) break
      }
    }
  }
  return found === rows.length
}

/** @param most reads no more rows than this. */
export function rowsOfImage(parts: readonly Part[], image: number, most: number): ViewHash[] {
  const rows: ViewHash[] = []
  for (const { block } of parts) {
    if (!block.mayHold(image)) continue
    for (let row = block.firstOf(image); rows.length < most; row++) {
      const next = block.rowOf(row, image)
      if (next === undefined) break
      rows.push(next)
    }
  }
  return rows
}

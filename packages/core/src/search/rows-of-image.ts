// Finds the rows of one image: a binary search in each part whose range of image numbers includes it.

import type { ViewHash } from './hit.js'
import type { Part } from './part.js'

/**
 * @returns whether the parts, from oldest to newest, have these rows of the image, in this order. The caller checks the total number of rows. Can
 *   be wrongly `false` where rows are not sorted by image.
 */
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

/**
 * @returns the rows of an image, from the oldest part to the newest.
 * @param most maximum number of rows to read.
 */
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

// All that the benchmark knows about the index. It looks for functions that an index may lack, so that older ones can be measured.

import { SignalIndex } from '../../dist/packages/core/src/search/signal-index.js'

const STEPS = 1_000_000

/** @param byInsert whether to fill row by row even where many can be loaded at once. */
export function openEngine(byInsert) {
  const index = new SignalIndex()
  const loads = index.load !== undefined && !byInsert
  return {
    filledBy: loads ? 'load' : 'insert',
    /** Both are the same rows; the caller overwrites them afterwards. */
    fill(rows, columns) {
      if (loads) index.load(columns)
      else for (const { image, view, hash } of rows) index.insert(image, view, hash)
    },
    /** Does the background work of the index at once. */
    settle() {
      let remains = index.compact !== undefined
      while (remains) remains = Boolean(index.compact(STEPS))
    },
    within: (needles, thresholdBits) => index.within(needles, thresholdBits),
    get bytes() {
      return index.bytes
    },
    /** The layout of the index, if it reports one. */
    status: (thresholdBits) => index.status?.(thresholdBits),
  }
}

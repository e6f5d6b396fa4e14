// The oracle for searches: reads every row in the simplest way. For tests and benchmarks.

import { distance, type Hash256 } from '../../../hash/src/hash256.js'
import type { Hit } from './hit.js'

export interface Row {
  readonly image: number
  readonly view: number
  readonly hash: Hash256
}

/**
 * @returns every row within `thresholdBits` of any needle, in row order, each with its nearest needle (the first of equals).
 * Cost: one distance for each row and needle.
 */
export function linear(rows: Iterable<Row>, needles: readonly Hash256[], thresholdBits: number): Hit[] {
  const hits: Hit[] = []
  for (const { image, view, hash } of rows) {
    let nearest: Hit | undefined
    for (let transform = 0; transform < needles.length; transform++) {
      const distanceBits = distance(hash, needles[transform] as Hash256, thresholdBits)
      if (distanceBits > thresholdBits) continue
      if (nearest === undefined || distanceBits < nearest.distanceBits) nearest = { image, view, transform, distanceBits }
    }
    if (nearest !== undefined) hits.push(nearest)
  }
  return hits
}

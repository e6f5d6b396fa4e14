// Rows as searches give them.

import type { Hash256 } from '../../packages/hash/src/hash256.js'

/** A row without the image that it belongs to. */
export interface ViewHash {
  readonly view: number
  readonly hash: Hash256
}

/** A row found by a search. `transform` is the index of the needle nearest to it, `distanceBits` is 0…`thresholdBits`. */
export interface Hit {
  readonly image: number
  readonly view: number
  readonly transform: number
  readonly distanceBits: number
}

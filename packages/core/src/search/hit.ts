// Results of a search.

import type { Hash256 } from '../../../hash/src/hash256.js'

/** A row without its image number. */
export interface ViewHash {
  readonly view: number
  readonly hash: Hash256
}

/**
 * A row found by a search. `transform` is the index of the nearest needle. `distanceBits` is 0…threshold plus margin. `exactBits` is set if
 * `distanceBits` was blurred after the search (`blur.ts`): the distance before that.
 */
export interface Hit {
  readonly image: number
  readonly view: number
  readonly transform: number
  readonly distanceBits: number
  readonly exactBits?: number
}

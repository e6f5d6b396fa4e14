// Details that many unrelated pictures share, so that they identify none: decoration drawn by apps or stuck on pictures, and
// details found in ordinary photographs.
//
// bench/common-rows.mjs generates both files: decoration-rows.bin from its own drawings, background-rows.bin from ten
// photographs that are CC0 or in the public domain.

import { readFileSync } from 'node:fs'
import { DETAIL_BITS } from '../../../../packages/core/src/matching/signal-types.js'
import { SignalIndex } from '../../../../packages/core/src/search/signal-index.js'
import { HASH_BYTES, type Hash256, hashFromBytes } from '../../../../packages/hash/src/hash256.js'
import type { BitPermutation } from './bit-permutation.js'

export interface CommonRows {
  /**
   * Whether this row is known decoration. 4 of 1,000 rows of photographs are, too.
   * @param row permuted. Cost: some microseconds.
   */
  isDecoration(row: Hash256): boolean
  /**
   * Whether this row also occurs in unrelated photographs. Such a row finds many false matches.
   * @param row permuted.
   */
  isInBackground(row: Hash256): boolean
}

/** @throws {Error} when a .bin file beside this one is missing. */
export function createCommonRows(permutation: BitPermutation): CommonRows {
  const isNearAny = (file: string) => {
    const index = indexOf(readFileSync(new URL(file, import.meta.url)), permutation)
    return (row: Hash256) => index.within([row], DETAIL_BITS).length > 0
  }
  return { isDecoration: isNearAny('decoration-rows.bin'), isInBackground: isNearAny('background-rows.bin') }
}

function indexOf(bytes: Uint8Array, permutation: BitPermutation): SignalIndex {
  const index = new SignalIndex()
  for (let at = 0; at < bytes.length; at += HASH_BYTES) index.insert(0, 0, permutation.hash(hashFromBytes(bytes, at)))
  while (index.compact(bytes.length)) {}
  return index
}

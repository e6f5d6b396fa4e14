// Details that are in everybody's pictures and say nothing of any: of what apps draw and people stick on pictures, and of a few photographs.
//
// bench/common-rows.mjs makes them: the first all drawn by itself, the second from ten photographs of licence CC0 or in the public domain.

import { readFileSync } from 'node:fs'
import { HASH_BYTES, type Hash256, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import { DETAIL_BITS } from '../../domain/matching/signal-types.js'
import { SignalIndex } from '../../search/signal-index.js'
import type { BitPermutation } from './bit-permutation.js'

export interface CommonRows {
  /**
   * Is this row what apps draw and people stick on pictures? Of photographs 4 rows in 1,000 are taken for it.
   * @param row veiled. Cost: some microseconds.
   */
  isDecoration(row: Hash256): boolean
  /**
   * Is this row also in pictures that have nothing to do with it? A sign that it finds much that is wrong.
   * @param row veiled.
   */
  isInBackground(row: Hash256): boolean
}

/** @throws when the files that are beside this one are not. */
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

// Which hashes are none of a picture: a program that cannot hash writes zeros, which would match whatever else it cannot hash.

import { distance, HASH_BITS, type Hash256, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import type { SignalType } from './signal-types.js'

/**
 * PDQ sets a bit where a coefficient is above the median, so half of them. So far from that are six standard deviations of random bits: one hash
 * in 500 million. Blocks of plain areas are all alike, and a checksum is whatever it is: of these, nothing but zeros or ones is refused.
 */
const MAX_OFF_HALF_BITS = 48
const NO_BITS = hashFromBytes(new Uint8Array(HASH_BITS / 8))

export function isProbable(type: SignalType, hash: Hash256): boolean {
  const offHalf = Math.abs(distance(hash, NO_BITS) - HASH_BITS / 2)
  return type === 'pdq' || type === 'pdq-area' ? offHalf <= MAX_OFF_HALF_BITS : offHalf < HASH_BITS / 2
}

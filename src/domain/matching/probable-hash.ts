// Detects hashes that no picture has. A program that fails to hash often sends zeros, which would match every other failure.

import { distance, HASH_BITS, type Hash256, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import type { SignalType } from './signal-types.js'

/**
 * PDQ sets the bits of coefficients above the median, so about half of them. This limit is six standard deviations of random bits: one hash in 500
 * million is beyond it. For blockhash and SHA-256 any number of set bits is possible, so only all zeros and all ones are rejected.
 */
const MAX_OFF_HALF_BITS = 48
const NO_BITS = hashFromBytes(new Uint8Array(HASH_BITS / 8))

/** @returns whether a picture can have this hash. */
export function isProbable(type: SignalType, hash: Hash256): boolean {
  const offHalf = Math.abs(distance(hash, NO_BITS) - HASH_BITS / 2)
  return type === 'pdq' || type === 'pdq-area' ? offHalf <= MAX_OFF_HALF_BITS : offHalf < HASH_BITS / 2
}

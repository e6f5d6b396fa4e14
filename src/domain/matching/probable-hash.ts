// Detects hashes that no picture has. A program that failed to hash a picture often sends zeros, and all such hashes would match one another.

import { distance, HASH_BITS, type Hash256, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import { formatSignalHash } from './hash-text.js'
import type { SignalType } from './signal-types.js'

/**
 * PDQ sets the bits of coefficients above the median, so about half of all bits. This limit is six standard deviations of random bits: one hash in
 * 500 million is beyond it. In blockhash and in hashes of files any number of bits may be set, so only all zeros and all ones are rejected.
 */
const MAX_DEVIATION_BITS = 48
/** Hashes of an empty file, which a failed upload or download leaves. */
const EMPTY_FILE_HASHES: Partial<Readonly<Record<SignalType, string>>> = {
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  video_md5: 'd41d8cd98f00b204e9800998ecf8427e',
}
const NO_BITS = hashFromBytes(new Uint8Array(HASH_BITS / 8))

/** @returns whether a picture can have this hash. */
export function isProbable(type: SignalType, hash: Hash256): boolean {
  const ofEmptyFile = EMPTY_FILE_HASHES[type]
  if (ofEmptyFile !== undefined && formatSignalHash(type, hash) === ofEmptyFile) return false
  const deviationBits = Math.abs(distance(hash, NO_BITS) - HASH_BITS / 2)
  return type === 'pdq' || type === 'pdq-area' ? deviationBits <= MAX_DEVIATION_BITS : deviationBits < HASH_BITS / 2
}

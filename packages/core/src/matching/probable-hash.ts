// Decides which hashes can be registered, by anybody. A hash that no picture has, or that only bars and boxes have, would match others of its
// kind: a program that failed to hash a picture often sends zeros, and somebody may choose stripes to flag the pictures of others.

import { distance, HASH_BITS, hashFromBytes } from '../../../hash/src/hash256.js'
import { MAX_SEPARABLE_BITS, separableBits } from '../../../hash/src/separable.js'
import { formatSignalHash } from './hash-text.js'
import type { Signal } from './signal.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * PDQ sets the bits of coefficients above the median, so about half of all bits. This limit is six standard deviations of random bits: one hash in
 * 500 million is beyond it. In blockhash and in hashes of files any number of bits may be set, so only all zeros and all ones are rejected.
 */
const MAX_DEVIATION_BITS = 48
/**
 * Maximum `separableBits` of a whole picture; stripes have 256. Of 300 photographs and 174 drawn pages the highest have 208 and 206. Not for frames:
 * many videos show a title or a black bar for a moment, which must not keep the video out.
 */
const MAX_SEPARABLE_WHOLE_BITS = 232
/** Hashes of an empty file, which a failed upload or download leaves. */
const EMPTY_FILE_HASHES: Partial<Readonly<Record<SignalType, string>>> = {
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  video_md5: 'd41d8cd98f00b204e9800998ecf8427e',
}
const NO_BITS = hashFromBytes(new Uint8Array(HASH_BITS / 8))

/** @returns why a signal cannot be registered; `undefined` if it can. Cost: about 2 µs. */
export function refusalOf(signal: Signal): 'quality-too-low' | 'hash-improbable' | undefined {
  if (signal.quality < SIGNAL_TYPES[signal.type].minQuality) return 'quality-too-low'
  return isProbable(signal) ? undefined : 'hash-improbable'
}

function isProbable({ type, hash, frame }: Signal): boolean {
  const ofEmptyFile = EMPTY_FILE_HASHES[type]
  if (ofEmptyFile !== undefined && formatSignalHash(type, hash) === ofEmptyFile) return false
  const deviationBits = Math.abs(distance(hash, NO_BITS) - HASH_BITS / 2)
  if (type !== 'pdq' && type !== 'pdq-area') return deviationBits < HASH_BITS / 2
  if (deviationBits > MAX_DEVIATION_BITS) return false
  if (type === 'pdq-area') return separableBits(hash) <= MAX_SEPARABLE_BITS
  return frame !== undefined || separableBits(hash) <= MAX_SEPARABLE_WHOLE_BITS
}

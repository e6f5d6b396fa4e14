// Many hashes side by side, for comparing each with each: four times as fast as `distance` of two.

import { HASH_BYTES, type Hash256 } from '../hash256.js'

const WORDS = HASH_BYTES / Int32Array.BYTES_PER_ELEMENT

/** [8 a hash] */
export function wordsOf(hashes: readonly Hash256[]): Int32Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES)
  for (const [i, hash] of hashes.entries()) bytes.set(hash, i * HASH_BYTES)
  return new Int32Array(bytes.buffer)
}

/**
 * Hamming distance of hash `i` of the one list and hash `k` of the other where it is less than `limitBits`, and otherwise a number that is
 * no less: of two that have nothing to do with each other the first half tells. Cost: about 10 ns.
 */
export function bitsBelow(limitBits: number, a: Int32Array, i: number, b: Int32Array, k: number): number {
  const [ours, theirs] = [i * WORDS, k * WORDS]
  let bits = 0
  for (let word = 0; word < WORDS / 2; word++) bits += bitsOf((a[ours + word] ?? 0) ^ (b[theirs + word] ?? 0))
  if (bits >= limitBits) return bits
  for (let word = WORDS / 2; word < WORDS; word++) bits += bitsOf((a[ours + word] ?? 0) ^ (b[theirs + word] ?? 0))
  return bits
}

/** @see Warren, "Hacker's Delight", 5-1. */
function bitsOf(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555)
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333)
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

// Many hashes side by side, for comparing each with each: four times as fast as `distance` of two.

import { HASH_BYTES, type Hash256 } from '../hash256.js'

const WORDS = HASH_BYTES / Int32Array.BYTES_PER_ELEMENT

/** [8 a hash] */
export function wordsOf(hashes: readonly Hash256[]): Int32Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES)
  for (const [i, hash] of hashes.entries()) bytes.set(hash, i * HASH_BYTES)
  return new Int32Array(bytes.buffer)
}

/** Hamming distance of hash `i` of the one list and hash `k` of the other. Cost: about 10 ns. */
export function bitsBetween(a: Int32Array, i: number, b: Int32Array, k: number): number {
  let bits = 0
  for (let word = 0; word < WORDS; word++) bits += bitsOf((a[i * WORDS + word] ?? 0) ^ (b[k * WORDS + word] ?? 0))
  return bits
}

/** @see Warren, "Hacker's Delight", 5-1. */
function bitsOf(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555)
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333)
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

// Permutes the bits of details with a secret of the deployment. Programs that reconstruct pictures from published descriptors do
// not work on permuted ones, and lists of one deployment are useless to another.

import { createHmac } from 'node:crypto'
import type { RegisteredDetails } from '../../../../packages/hash/src/details/details.js'
import { HASH_BITS, HASH_BYTES, type Hash256, hashFromBytes } from '../../../../packages/hash/src/hash256.js'

export interface BitPermutation {
  /** The permuted hash. Distances between hashes stay the same. Cost: about 0.5 µs. */
  hash(plain: Hash256): Hash256
  details(plain: RegisteredDetails): RegisteredDetails
  /** The hash that `hash` permuted, for the person who gave it. Slower: a step for each bit. */
  plain(permuted: Hash256): Hash256
}

const BYTE_VALUES = 256

/**
 * Permutes and inverts bits, as the secret determines. It does not protect against an attacker who has many rows: the
 * frequency of each bit reveals the order. Sealing protects the rows.
 */
export function createBitPermutation(secret: Buffer): BitPermutation {
  const stream = bytesFrom(secret)
  const order = shuffled(stream)
  const mask = Uint8Array.from({ length: HASH_BYTES }, () => stream.next().value)
  // For each value of each byte, the bits that it sets in the result. 256 kB, so that a hash takes 32 steps instead of 256.
  const added = new Uint32Array((HASH_BYTES * BYTE_VALUES * HASH_BYTES) / 4)
  const addedBytes = new Uint8Array(added.buffer)
  for (const [bit, to] of order.entries()) {
    for (let value = 0; value < BYTE_VALUES; value++) {
      if (((value >> (bit & 7)) & 1) === 0) continue
      const at = ((bit >> 3) * BYTE_VALUES + value) * HASH_BYTES + (to >> 3)
      addedBytes[at] = (addedBytes[at] ?? 0) | (1 << (to & 7))
    }
  }
  const words = HASH_BYTES / 4
  const maskWords = new Uint32Array(mask.buffer)

  const permuted = (plain: Hash256): Hash256 => {
    const sum = new Uint32Array(maskWords)
    for (let byte = 0; byte < HASH_BYTES; byte++) {
      const from = (byte * BYTE_VALUES + (plain[byte] ?? 0)) * words
      for (let word = 0; word < words; word++) sum[word] = (sum[word] ?? 0) ^ (added[from + word] ?? 0)
    }
    return hashFromBytes(new Uint8Array(sum.buffer))
  }
  const plain = (hash: Hash256): Hash256 => {
    const bytes = new Uint8Array(HASH_BYTES)
    for (const [bit, to] of order.entries()) {
      const value = (((hash[to >> 3] ?? 0) ^ (mask[to >> 3] ?? 0)) >> (to & 7)) & 1
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (value << (bit & 7))
    }
    return hashFromBytes(bytes)
  }
  return {
    hash: permuted,
    plain,
    details: ({ ranked, points }) => ({
      ranked: { ...ranked, rows: ranked.rows.map((row) => ({ ...row, hash: permuted(row.hash) })) },
      points: { ...points, points: points.points.map((point) => ({ ...point, hash: permuted(point.hash) })) },
    }),
  }
}

/** @see Durstenfeld, "Algorithm 235: Random permutation", 1964. */
function shuffled(stream: Generator<number, never>): number[] {
  const order = Array.from({ length: HASH_BITS }, (_, bit) => bit)
  for (let last = HASH_BITS - 1; last > 0; last--) {
    const other = below(last + 1, stream)
    const [a, b] = [order[last] ?? 0, order[other] ?? 0]
    order[last] = b
    order[other] = a
  }
  return order
}

/** A uniform number below `bound`: bytes at or above the largest multiple of `bound` are skipped. */
function below(bound: number, stream: Generator<number, never>): number {
  const limit = BYTE_VALUES - (BYTE_VALUES % bound)
  for (;;) {
    const value = stream.next().value
    if (value < limit) return value % bound
  }
}

function* bytesFrom(secret: Buffer): Generator<number, never> {
  for (let block = 0; ; block++) yield* createHmac('sha256', secret).update(`veil ${block}`).digest()
}

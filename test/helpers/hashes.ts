// Hashes that are the same in every run, and hashes of symmetric pictures.

import { createHash } from 'node:crypto'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'

const SIDE = 16

/** Pseudorandom, and unlike all of its orientations; one in some thousands of random hashes is not. */
export function hashNamed(name: string): Hash256 {
  return hashFromBytes(createHash('sha256').update(name).digest())
}

/** The hash of a picture that does not change when it is flipped along the diagonal: its bits are symmetric, too. */
export function symmetricOf(hash: Hash256): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < i; j++) {
      const [to, from] = [SIDE * i + j, SIDE * j + i]
      const bit = ((bytes[from >> 3] ?? 0) >> (from & 7)) & 1
      bytes[to >> 3] = ((bytes[to >> 3] ?? 0) & ~(1 << (to & 7))) | (bit << (to & 7))
    }
  }
  return hashFromBytes(bytes)
}

/** A hash at that distance, with evenly distributed flipped bits. */
export function bitsFrom(hash: Hash256, bits: number): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (let i = 0; i < bits; i++) {
    const k = (i * 5) % 256
    bytes[k >> 3] = (bytes[k >> 3] ?? 0) ^ (1 << (k & 7))
  }
  return hashFromBytes(bytes)
}

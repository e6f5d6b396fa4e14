// Hashes that are the same in every run, and what a picture has that looks like itself.

import { createHash } from 'node:crypto'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'

const SIDE = 16

/** As good as random, and unlike itself however it is flipped: a random one is alike by chance once in some thousands. */
export function hashNamed(name: string): Hash256 {
  return hashFromBytes(createHash('sha256').update(name).digest())
}

/** What stands above the diagonal stands below it as well: as of a picture that stays the same when it is flipped along it. */
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

/** So many bits away, dealt evenly. */
export function bitsFrom(hash: Hash256, bits: number): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (let i = 0; i < bits; i++) {
    const k = (i * 5) % 256
    bytes[k >> 3] = (bytes[k >> 3] ?? 0) ^ (1 << (k & 7))
  }
  return hashFromBytes(bytes)
}

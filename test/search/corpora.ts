// Rows that are hard for a search: near each other, equal in some bands, or just beyond the reach of a plan.

import { readFileSync } from 'node:fs'
import type { Row } from '../../packages/core/src/search/linear.js'
import { HASH_BYTES, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { seeded } from './rows.js'

export const BANDS = 16
export const BAND_BITS = 16

/** 0 ≤ x < 1; determined by the seed (mulberry32). */
export type Random = () => number

export function randomFrom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function below(random: Random, end: number): number {
  return Math.floor(random() * end)
}

/** `count` different numbers from 0 to `end`−1. */
export function sample(random: Random, count: number, end: number): number[] {
  const numbers = Array.from({ length: end }, (_, i) => i)
  for (let i = 0; i < count; i++) {
    const other = i + below(random, end - i)
    ;[numbers[i], numbers[other]] = [numbers[other] ?? 0, numbers[i] ?? 0]
  }
  return numbers.slice(0, count)
}

/** The hash with the bits of these numbers flipped. */
export function flipped(hash: Hash256, bits: Iterable<number>): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (const bit of bits) bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
  return hashFromBytes(bytes)
}

/** The hash with `bitsOf[band]` bits flipped in each band, anywhere in it. */
export function flippedByBand(hash: Hash256, bitsOf: readonly number[], random: Random): Hash256 {
  return flipped(
    hash,
    bitsOf.flatMap((bits, band) => sample(random, bits, BAND_BITS).map((bit) => band * BAND_BITS + bit)),
  )
}

/** Deals `bits` to bands one by one, each where `bandAt` says, or in the next band with room. */
export function dealt(bits: number, bandAt: (i: number) => number): number[] {
  const bitsOf = new Array<number>(BANDS).fill(0)
  for (let i = 0; i < bits; i++) {
    let band = bandAt(i) % BANDS
    while ((bitsOf[band] ?? 0) >= BAND_BITS) band = (band + 1) % BANDS
    bitsOf[band] = (bitsOf[band] ?? 0) + 1
  }
  return bitsOf
}

/** The hash with at most `bits` bits flipped, anywhere: cheaper than `sample`, for many hashes. */
export function blurred(hash: Hash256, bits: number, random: Random): Hash256 {
  return flipped(
    hash,
    Array.from({ length: bits }, () => below(random, 256)),
  )
}

/**
 * Hashes around `count` / 50 centres, which themselves lie around a few coarser centres: bands that many rows share, and near
 * pairs at every distance.
 */
export function clumpy(count: number, seed: number): Hash256[] {
  const random = randomFrom(seed)
  const continents = Array.from({ length: 4 }, (_, i) => seeded(seed * 1_000 + i))
  const hashes: Hash256[] = []
  while (hashes.length < count) {
    const centre = blurred(continents[below(random, continents.length)] ?? seeded(seed), below(random, 100), random)
    for (let i = 0; i < 50 && hashes.length < count; i++) hashes.push(blurred(centre, below(random, 60), random))
  }
  return hashes
}

/** Hashes of real photographs; see test/data/pdq-sample.md. */
export function photographs(): Hash256[] {
  const bytes = readFileSync(new URL('../../../test/data/pdq-sample.bin', import.meta.url))
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) => hashFromBytes(bytes, i * HASH_BYTES))
}

/** Rows of images with one row each, from `firstImage` up. */
export function rowsOf(hashes: readonly Hash256[], firstImage = 0): Row[] {
  return hashes.map((hash, i) => ({ image: firstImage + i, view: i % 256, hash }))
}

/** Far from all others, and cheap to make. */
export function filler(number: number): Hash256 {
  return blurred(far[number % far.length] ?? seeded(0), 40, randomFrom(number))
}

const far = Array.from({ length: 64 }, (_, i) => seeded(10_000_000 + i))

// Hashes at a known distance from each other, for the tests of this folder.

import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import type { Hit } from '../../packages/core/src/search/hit.js'
import type { Row } from '../../packages/core/src/search/linear.js'
import type { RowColumns } from '../../packages/core/src/search/row-block.js'
import { HASH_BITS, HASH_BYTES, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'

export const zeros = hashFromBytes(new Uint8Array(HASH_BYTES))

/** A hash that looks random and is determined by its seed (mulberry32). */
export function seeded(seed: number): Hash256 {
  const bytes = new Uint8Array(HASH_BYTES)
  let state = seed
  for (let i = 0; i < HASH_BYTES; i++) {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    bytes[i] = mixed >>> 24
  }
  return hashFromBytes(bytes)
}

/** The hash with `distanceBits` bits flipped, dealt evenly to all 256 places. */
export function spread(hash: Hash256, distanceBits: number, offset = 0): Hash256 {
  return flip(hash, distanceBits, (i) => offset + Math.floor((i * HASH_BITS) / distanceBits))
}

/** The hash with `distanceBits` neighbouring bits flipped. */
export function packed(hash: Hash256, distanceBits: number, offset = 0): Hash256 {
  return flip(hash, distanceBits, (i) => offset + i)
}

/** Rows as columns, the form in which they are loaded. */
export function columnsOf(rows: readonly Row[]): RowColumns {
  return {
    images: Uint32Array.from(rows, ({ image }) => image),
    views: Uint8Array.from(rows, ({ view }) => view),
    hashes: concatenated(rows.map(({ hash }) => hash)),
  }
}

/** Hashes one after the other, the form of needles for a part. */
export function concatenated(hashes: readonly Hash256[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES)
  for (const [i, hash] of hashes.entries()) bytes.set(hash, i * HASH_BYTES)
  return bytes
}

/** Compares many hits by their difference: whole lists would take longer to print than to find. */
export function assertSameHits(actual: readonly Hit[], expected: readonly Hit[]): void {
  const has = actual.map(keyOf).sort()
  const wants = expected.map(keyOf).sort()
  if (has.length === wants.length && has.every((key, i) => key === wants[i])) return
  const [hasOnce, wantsOnce] = [new Set(has), new Set(wants)]
  assert.deepEqual(
    {
      missing: [...wantsOnce].filter((key) => !hasOnce.has(key)).slice(0, 5),
      extra: [...hasOnce].filter((key) => !wantsOnce.has(key)).slice(0, 5),
      count: has.length,
    },
    { missing: [], extra: [], count: wants.length },
    'image view transform distance',
  )
}

function keyOf({ image, view, transform, distanceBits }: Hit): string {
  return `${image} ${view} ${transform} ${distanceBits}`
}

/** Hits in one order, for comparison where the order is open. */
export function sorted(hits: readonly Hit[]): Hit[] {
  return hits.toSorted(
    (a, b) => a.image - b.image || a.view - b.view || a.distanceBits - b.distanceBits || a.transform - b.transform,
  )
}

function flip(hash: Hash256, distanceBits: number, bitAt: (i: number) => number): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (let i = 0; i < distanceBits; i++) {
    const bit = bitAt(i) % HASH_BITS
    bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
  }
  return hashFromBytes(bytes)
}

/** Rows of random hashes, sixteen views an image. */
export function randomColumns(count: number): RowColumns {
  const hashes = randomFillSync(new Uint8Array(count * HASH_BYTES))
  return {
    images: Uint32Array.from({ length: count }, (_, row) => row >> 4),
    views: Uint8Array.from({ length: count }, (_, row) => row & 15),
    hashes,
  }
}

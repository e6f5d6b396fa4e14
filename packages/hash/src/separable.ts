// Measures how well one bit per row and one per column describe a hash. They describe the hashes of bars and boxes completely.

import type { Hash256 } from './hash256.js'

/** A part with more of these bits is never registered: it shows a bar, a box or an edge that an app or a meme draws. */
export const MAX_SEPARABLE_BITS = 204

const SIDE = 16
const STARTS = [0, 5, 10, 15] as const
const ROUNDS = 6

/**
 * @returns how many of the 256 bits agree with the best pattern of the form "row bit ≠ column bit". 256 for a bar, an edge or a box on a plain
 * background, because their cosine transforms are products of a row and a column. 176 for the median photograph, 212 for one in a thousand.
 *
 * Searches by alternating: the best row bits for fixed column bits, then the reverse, starting from four rows of the hash.
 *
 * Cost: about 10 µs.
 */
export function separableBits(hash: Hash256): number {
  let most = 0
  for (const start of STARTS) most = Math.max(most, climb(hash, start))
  return most
}

const rows = new Int8Array(SIDE)
const columns = new Int8Array(SIDE)

function climb(hash: Hash256, start: number): number {
  for (let j = 0; j < SIDE; j++) columns[j] = signAt(hash, start, j)
  let sum = 0
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < SIDE; i++) {
      let along = 0
      for (let j = 0; j < SIDE; j++) along += signAt(hash, i, j) * (columns[j] ?? 0)
      rows[i] = along >= 0 ? 1 : -1
    }
    sum = 0
    for (let j = 0; j < SIDE; j++) {
      let along = 0
      for (let i = 0; i < SIDE; i++) along += signAt(hash, i, j) * (rows[i] ?? 0)
      columns[j] = along >= 0 ? 1 : -1
      sum += Math.abs(along)
    }
  }
  return (SIDE * SIDE + sum) / 2
}

function signAt(hash: Hash256, row: number, column: number): number {
  const k = SIDE * row + column
  return ((hash[k >> 3] ?? 0) >> (k & 7)) & 1 ? 1 : -1
}

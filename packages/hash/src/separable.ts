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
 * Cost: about 2 µs.
 */
export function separableBits(hash: Hash256): number {
  columns.fill(0)
  for (let i = 0; i < SIDE; i++) {
    const row = (hash[2 * i] ?? 0) | ((hash[2 * i + 1] ?? 0) << 8)
    rows[i] = row
    for (let j = 0; j < SIDE; j++) columns[j] = (columns[j] ?? 0) | (((row >> j) & 1) << i)
  }
  let most = 0
  for (const start of STARTS) most = Math.max(most, climb(rows[start] ?? 0))
  return most
}

/** The hash, by row: bit j is that of column j. */
const rows = new Uint16Array(SIDE)
/** The hash, by column: bit i is that of row i. */
const columns = new Uint16Array(SIDE)

/** @param columnBits where to start. */
function climb(columnBits: number): number {
  let bits = columnBits
  let agreeing = 0
  for (let round = 0; round < ROUNDS; round++) {
    const before = bits
    let rowBits = 0
    for (let i = 0; i < SIDE; i++) if (differing((rows[i] ?? 0) ^ bits) <= SIDE / 2) rowBits |= 1 << i
    bits = agreeing = 0
    for (let j = 0; j < SIDE; j++) {
      const differs = differing((columns[j] ?? 0) ^ rowBits)
      if (differs <= SIDE / 2) bits |= 1 << j
      agreeing += Math.max(differs, SIDE - differs)
    }
    if (bits === before) break // so would be all further rounds
  }
  return agreeing
}

/** The number of ones of 16 bits. */
function differing(bits: number): number {
  const pairs = bits - ((bits >> 1) & 0x5555)
  const fours = (pairs & 0x3333) + ((pairs >> 2) & 0x3333)
  const bytes = (fours + (fours >> 4)) & 0x0f0f
  return (bytes + (bytes >> 8)) & 0x1f
}

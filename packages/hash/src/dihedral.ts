// Computes the hashes of the rotated and mirrored picture from the bits of a hash alone.

import { HASH_BYTES, type Hash256, hashFromBytes } from './hash256.js'
import { transforms } from './transforms.js'

/**
 * @returns the PDQ hashes of the picture's eight orientations, in the order of `transforms`.
 *
 * A PDQ bit says whether a cosine coefficient is above the median. Mirroring negates the coefficients of odd frequency, which flips their bits
 * if the median is near zero. Exchanging rows and columns moves bits. The median is not exactly zero, so the result is an approximation: its
 * median distance from the hash of the mirrored picture is 16 to 22 bits, by orientation; 99 of 100 are within 45. If you have the picture, use
 * the exact hashes that its hasher returns.
 *
 * Cost: about a microsecond for all eight.
 */
export function dihedralsOf(hash: Hash256): readonly Hash256[] {
  const both = withTransposed(hash)
  return transforms.map(({ topBottom, leftRight, transposes }) => {
    // Row i and column j have the frequencies i + 1 and j + 1. The masks are applied after rows and columns are exchanged.
    const rows = (transposes ? leftRight : topBottom) ? 0xff : 0
    const columns = (transposes ? topBottom : leftRight) ? EVEN_COLUMNS : 0
    const from = transposes ? HASH_BYTES : 0
    for (let k = 0; k < HASH_BYTES; k++) {
      scratch[k] = (both[from + k] ?? 0) ^ columns ^ ((k & 2) === 0 ? rows : 0)
    }
    return hashFromBytes(scratch)
  })
}

/**
 * The same for blockhash on a 16 × 16 grid. Its bits are blocks, each compared with the median of its quarter of the rows. Mirroring and the
 * rotation by 180° are exact. Rotations by 90° and diagonal flips are approximations, because different blocks then share a median.
 */
export function blockhashDihedralsOf(hash: Hash256): readonly Hash256[] {
  const both = withTransposed(hash)
  return transforms.map(({ topBottom, leftRight, transposes }) => {
    const upsideDown = transposes ? leftRight : topBottom
    const reversed = transposes ? topBottom : leftRight
    const from = transposes ? HASH_BYTES : 0
    const byteMask = (upsideDown ? HASH_BYTES - ROW_BYTES : 0) ^ (reversed ? 1 : 0)
    for (let k = 0; k < HASH_BYTES; k++) {
      const byte = both[from + (k ^ byteMask)] ?? 0
      scratch[k] = reversed ? (reversedByte[byte] ?? 0) : byte
    }
    return hashFromBytes(scratch)
  })
}

// Both types of hash are a 16 × 16 matrix of bits: row r is in bytes 2r and 2r + 1, column c is bit c of those sixteen.
const ROW_BYTES = 2
const EVEN_COLUMNS = 0b01010101
const scratch = new Uint8Array(HASH_BYTES)
const reversedByte = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number.parseInt(byte.toString(2).padStart(8, '0').split('').reverse().join(''), 2),
)

/** The hash, followed by its transpose. */
function withTransposed(hash: Hash256): Uint8Array {
  const both = new Uint8Array(2 * HASH_BYTES)
  both.set(hash)
  for (let rows = 0; rows < 2; rows++) for (let columns = 0; columns < 2; columns++) transposeSquare(both, rows, columns)
  return both
}

/** Transposes one of the four squares of 8 × 8 bits in two words of four rows each (Warren, "Hacker's Delight", 7-3). */
function transposeSquare(both: Uint8Array, rows: number, columns: number): void {
  const from = rows * 8 * ROW_BYTES + columns
  const to = HASH_BYTES + columns * 8 * ROW_BYTES + rows
  let low = 0
  let high = 0
  for (let r = 0; r < 4; r++) {
    low |= (both[from + r * ROW_BYTES] ?? 0) << (8 * r)
    high |= (both[from + (r + 4) * ROW_BYTES] ?? 0) << (8 * r)
  }
  let swap = (low ^ (low >>> 7)) & 0x00aa00aa
  low ^= swap ^ (swap << 7)
  swap = (high ^ (high >>> 7)) & 0x00aa00aa
  high ^= swap ^ (swap << 7)
  swap = (low ^ (low >>> 14)) & 0x0000cccc
  low ^= swap ^ (swap << 14)
  swap = (high ^ (high >>> 14)) & 0x0000cccc
  high ^= swap ^ (swap << 14)
  swap = ((low >>> 4) ^ high) & 0x0f0f0f0f
  high ^= swap
  low ^= swap << 4
  for (let r = 0; r < 4; r++) {
    both[to + r * ROW_BYTES] = low >>> (8 * r)
    both[to + (r + 4) * ROW_BYTES] = high >>> (8 * r)
  }
}

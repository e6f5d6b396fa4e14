// Measures how symmetric a picture is about its diagonals, from its hash alone.

import { dihedralsOf } from './dihedral.js'
import { distance, type Hash256 } from './hash256.js'
import { transforms } from './transforms.js'

const DIAGONALS = (['flipPlus1', 'flipMinus1'] as const).map((name) =>
  transforms.findIndex((transform) => transform.name === name),
)

/**
 * @returns the distance between a PDQ hash and the hash of the picture flipped along a diagonal: the smaller of the two diagonals. Always even,
 * 0…240, because 16 bits lie on the diagonal and the other 240 change places in pairs. About 120 for most pictures; 100 or more for 92 of 100
 * views of photographs.
 *
 * Symmetric pictures, such as wheels or diagonal stripes, have less information in their hashes: at 0 only 136 of 256 bits are independent.
 * Left-right symmetry cannot be measured in this way: mirroring flips half of the bits of every hash, even where the coefficients are nearly 0.
 *
 * For the second diagonal the result is an approximation, as in `dihedralsOf`. Cost: about 1 µs.
 */
export function diagonalBits(hash: Hash256): number {
  const orientations = dihedralsOf(hash)
  return Math.min(...DIAGONALS.map((orientation) => distance(hash, orientations[orientation] ?? hash)))
}

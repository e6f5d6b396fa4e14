// How much a picture looks like itself when it is flipped along a diagonal, as far as its hash tells.

import { dihedralsOf } from './dihedral.js'
import { distance, type Hash256 } from './hash256.js'
import { transforms } from './transforms.js'

const DIAGONALS = (['flipPlus1', 'flipMinus1'] as const).map((name) => transforms.findIndex((one) => one.name === name))

/**
 * In how many bits a PDQ hash differs from what it would be if the picture were flipped along a diagonal; along the one by which it is more like itself. Even,
 * 0…240: the 16 bits on the diagonal stay, and the other 240 come in pairs that change places. Some 120 for nearly all pictures; 92 of 100 views of
 * photographs have 100 or more.
 *
 * What is alike about a diagonal, a wheel or stripes across, says everything twice: at 0 only 136 of 256 bits are free. What is alike in a mirror
 * does not show, since mirroring turns the signs of half of the coefficients over, and small ones have a sign as well as large ones.
 *
 * From bits alone the second diagonal is an approximation, as in `dihedralsOf`. Cost: some 1 µs.
 */
export function diagonalBits(hash: Hash256): number {
  const orientations = dihedralsOf(hash)
  return Math.min(...DIAGONALS.map((orientation) => distance(hash, orientations[orientation] ?? hash)))
}

// blockhash on a 16 × 16 grid, from the totals of its blocks. The package and the page use it instead of imghash, which is too large for a browser.

import { HASH_BYTES, type Hash256, hashFromBytes } from './hash256.js'
import type { Pixels } from './pixels.js'

/**
 * Computes the same bits as `imghash.hashRaw` for the same pixels; a test compares the two.
 *
 * A block's bit is 1 when the block is brighter than the median of its band, which is a quarter of all blocks. A block that equals the median
 * gets 1 if the median is above mid-grey, so that mostly white or black pictures do not become all zeros or all ones.
 *
 * @param blockTotals 256 totals of red + green + blue, row by row, as the PDQ kernel returns them.
 * @throws {RangeError} when there are not 256 of them.
 */
export function blockhashOf(blockTotals: readonly number[], { width, height }: Pick<Pixels, 'width' | 'height'>): Hash256 {
  if (blockTotals.length !== BLOCKS) throw new RangeError('blockhash needs 256 totals')
  const midGrey = ((width * height) / BLOCKS) * MID_GREY
  const bytes = new Uint8Array(HASH_BYTES)
  for (let from = 0; from < BLOCKS; from += BAND) {
    const band = blockTotals.slice(from, from + BAND)
    const median = medianOf(band)
    band.forEach((total, k) => {
      const bit = BLOCKS - 1 - from - k // the first block is the most significant
      if (total > median || (Math.abs(total - median) < 1 && median > midGrey)) {
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7))
      }
    })
  }
  return hashFromBytes(bytes)
}

const BLOCKS = 256
const BAND = BLOCKS / 4
const MID_GREY = (256 * 3) / 2 // of red + green + blue

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

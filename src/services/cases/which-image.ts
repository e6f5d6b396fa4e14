// Which image of a case a file is. The page knows images by number and date only, and a person who is asked about one of them has to tell them apart.

import type { RegisteredImage } from '../../../packages/core/src/matching/signal.js'
import { distance, type Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Images } from '../../store/images/images.js'

/** [bits] As far apart as two copies of one picture are at most by the published threshold of PDQ. */
const MAX_BITS = 31
export const MAX_FOUND = 10

/**
 * @param hashes PDQ of the whole picture, or of frames.
 * @returns the ids of the images that show the same, the nearest first. Reads all images of the case. @throws {Problem} store-unavailable
 */
export async function whichImage(
  images: Pick<Images, 'ofCase'>,
  caseId: string,
  hashes: readonly Hash256[],
): Promise<string[]> {
  let found: { readonly id: string; readonly bits: number }[] = []
  for await (const piece of images.ofCase(caseId)) {
    const near = piece.map(({ id, image }) => ({ id, bits: bitsTo(image, hashes) })).filter(({ bits }) => bits <= MAX_BITS)
    found = [...found, ...near].sort((a, b) => a.bits - b.bits).slice(0, MAX_FOUND)
  }
  return found.map(({ id }) => id)
}

function bitsTo({ signals }: Pick<RegisteredImage, 'signals'>, hashes: readonly Hash256[]): number {
  let least = MAX_BITS + 1
  for (const { type, view, hash } of signals) {
    if (type === 'pdq' && view === 'whole')
      for (const asked of hashes) least = Math.min(least, distance(asked, hash, MAX_BITS))
  }
  return least
}

// How far away a hit counts. It may be blurred: counted as somewhat farther than it is, where exact answers would reveal a stored hash.

import { isCopy } from '../../../packages/core/src/matching/copies.js'
import type { SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../packages/core/src/search/hit.js'
import type { Searcher } from '../index/searcher.js'

/** The most that is added, in bits. A distance of 0 stays, because it reveals nothing to somebody who has the hash. */
export const MAX_BLUR_BITS = 15
/** The blur of one query. */
export interface Blur {
  /** Bits to add to distances between the query and this image; 0 for an image that is not blurred. It remains the same if asked again. */
  bitsOf(imageId: string): number
  /** By how many more details the query has to agree with this image than with another. @param account as `accountOfDetails`. */
  detailsOf(account: string): number
}

/** Whether one of these images was blurred after the query was compared with `before`. Then it has to be compared once more. */
export function isBlurredSince(
  before: Blur | undefined,
  now: Blur | undefined,
  answer: readonly { readonly imageId: string }[],
): boolean {
  return now !== undefined && answer.some(({ imageId }) => now.bitsOf(imageId) !== (before?.bitsOf(imageId) ?? 0))
}

type Blurred = Pick<Hit, 'distanceBits' | 'exactBits'>

/** The distance before it was blurred. */
export function exactBits({ distanceBits, exactBits = distanceBits }: Blurred): number {
  return exactBits
}

/**
 * The distance by which a narrowed image matches nearer copies alone. None of those may be lost, so for it the blur reaches outwards: it is found
 * somewhat farther away.
 */
export function narrowBits(hit: Blurred): number {
  return exactBits(hit) === hit.distanceBits ? hit.distanceBits : hit.distanceBits - MAX_BLUR_BITS
}

/** A distance that is added to another one. Half of the blur counts in each, so that the sum is blurred as much as one distance. */
export function halfBlurred(hit: Blurred): Required<Blurred> {
  return { distanceBits: (exactBits(hit) + hit.distanceBits) >> 1, exactBits: exactBits(hit) }
}

/** Whether it is a copy by one of these distances. */
export function isCopyAt(
  { type, hit }: { readonly type: SignalType; readonly hit: Blurred },
  bitsOf: typeof exactBits,
): boolean {
  return isCopy({ signalType: type, distanceBits: bitsOf(hit) })
}

/** The hits as far away as they count. The same array where nothing is blurred. */
export function blurredHits(
  searcher: Pick<Searcher, 'image'>,
  hits: readonly Hit[],
  blur: Blur | undefined,
): readonly Hit[] {
  if (blur === undefined) return hits
  return hits.map((hit) => {
    const { image, distanceBits } = hit
    const bits = distanceBits === 0 ? 0 : blur.bitsOf(searcher.image(image)?.id ?? '')
    return bits === 0 ? hit : { ...hit, distanceBits: distanceBits + bits, exactBits: distanceBits }
  })
}

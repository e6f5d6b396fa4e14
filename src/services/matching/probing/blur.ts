// Blurs the distances between a query and images whose budget is used up (probing.ts), so that an answer near an edge tells little about them.
//
// An organisation that could look for the edge of an answer would find the stored hash by it. So a pseudo-random number of bits is added, which moves
// the edge. It is at most half of the usual radius: nearer copies are always found, and farther ones less often the farther they are. It is never
// subtracted, so nothing else is found. It is the same for all pairs of views of one query, because a query with many views could average it out, and
// the same whenever the query is repeated, by whichever organisation.

import { createHmac, type Hmac } from 'node:crypto'
import type { HashedSignal } from '../../../domain/matching/hashed-image.js'
import type { SignalType } from '../../../domain/matching/signal-types.js'
import { isCopy } from '../../../domain/trust/flood.js'
import type { Hit } from '../../../search/hit.js'
import type { Searcher } from '../../index/searcher.js'

/** The most that is added, in bits. A distance of 0 stays, because it reveals nothing to somebody who has the hash. */
export const MAX_BLUR_BITS = 15
/** The same for the number of agreeing details. */
const MAX_BLUR_DETAILS = 7

/** The blur of one query. */
export interface Blur {
  /** Bits to add to distances between the query and this image; 0 for an image that is not blurred. It remains the same if asked again. */
  bitsOf(imageId: string): number
  /** By how many more details the query has to agree with this image than with another. The id is that of the account (`accountOfDetails`). */
  detailsOf(imageId: string): number
}

/** Whether one of these images was blurred after the query was compared with `before`. Then it has to be compared once more. */
export function isBlurredSince(
  before: Blur | undefined,
  now: Blur | undefined,
  answer: readonly { readonly imageId: string }[],
): boolean {
  return now !== undefined && answer.some(({ imageId }) => now.bitsOf(imageId) !== (before?.bitsOf(imageId) ?? 0))
}

/** Writes what distinguishes a query from others. */
export type WriteQuery = (digest: Pick<Hmac, 'update'>) => void

/** @param isBlurred asked once for each image. */
export function createBlur(secret: Buffer, isBlurred: (imageId: string) => boolean, writeQuery: WriteQuery): Blur {
  const shares = new Map<string, number>()
  const shareOf = (imageId: string) => {
    const known = shares.get(imageId)
    if (known !== undefined) return known
    const share = isBlurred(imageId) ? keyedShare(secret, imageId, writeQuery) : 0
    shares.set(imageId, share)
    return share
  }
  return {
    bitsOf: (imageId) => Math.floor(shareOf(imageId) * (MAX_BLUR_BITS + 1)),
    detailsOf: (imageId) => Math.floor(shareOf(imageId) * (MAX_BLUR_DETAILS + 1)),
  }
}

/** A share of the blur, from 0 to below 1: evenly, because half a sine wave revealed more (bench/record/tuning.md). */
function keyedShare(secret: Buffer, imageId: string, writeQuery: WriteQuery): number {
  const digest = createHmac('sha256', secret).update(`blur:${imageId}:`)
  writeQuery(digest)
  return digest.digest().readUInt32BE(0) / 2 ** 32
}

/** All hashes of the query: one that was left out could be changed without changing the blur. */
export function writeHashes(signals: Iterable<HashedSignal>): WriteQuery {
  return (digest) => {
    for (const { type, view, hashes } of signals) {
      digest.update(`${type} ${view} ${hashes.length} `)
      for (const hash of hashes) digest.update(hash)
    }
  }
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

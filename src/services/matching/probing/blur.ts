// Blurs the distances between a query and images whose budget is used up (probing.ts), so that an answer near an edge tells little about them.
//
// An organisation that could look for the edge of an answer would find the stored hash by it. So a pseudo-random number of bits is added, which moves
// the edge. It is at most half of the usual radius: nearer copies are always found, and farther ones less often the farther they are. It is never
// subtracted, so nothing else is found. It is the same for all pairs of views of one query, because a query with many views could average it out, and
// the same whenever the query is repeated, by whichever organisation.

import { createHash, createHmac } from 'node:crypto'
import { isCopy } from '../../../../packages/core/src/matching/copies.js'
import type { HashedSignal } from '../../../../packages/core/src/matching/hashed-image.js'
import type { SignalType } from '../../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../../packages/core/src/search/hit.js'
import type { Searcher } from '../../index/searcher.js'

/** The most that is added, in bits. A distance of 0 stays, because it reveals nothing to somebody who has the hash. */
export const MAX_BLUR_BITS = 15
/**
 * The same for the number of agreeing details. The ends are rarer than the middle (half a sine wave), because somebody can change one detail alone, so
 * that an even distribution would reveal most at its end. Groups of bits are spread too widely for that.
 */
const MAX_BLUR_DETAILS = 7

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

/** A digest of all that distinguishes a query from others. Called once, when the first blurred image is near. */
export type DigestOfQuery = () => Uint8Array

/** @param isBlurred asked once for each image. */
export function createBlur(secret: Buffer, isBlurred: (imageId: string) => boolean, digestOf: DigestOfQuery): Blur {
  let query: Uint8Array | undefined
  const shares = new Map<string, number>()
  const shareOf = (imageId: string) => {
    const known = shares.get(imageId)
    if (known !== undefined) return known
    let share = 0
    if (isBlurred(imageId)) {
      query ??= digestOf()
      share = keyedShare(secret, imageId, query)
    }
    shares.set(imageId, share)
    return share
  }
  return {
    bitsOf: (imageId) => Math.floor(shareOf(imageId) * (MAX_BLUR_BITS + 1)),
    detailsOf: (account) => Math.floor((2 / Math.PI) * Math.asin(Math.sqrt(shareOf(account))) * (MAX_BLUR_DETAILS + 1)),
  }
}

/** A share of the blur, from 0 to below 1: evenly, because half a sine wave revealed more (bench/record/tuning.md). */
function keyedShare(secret: Buffer, imageId: string, query: Uint8Array): number {
  return createHmac('sha256', secret).update(`blur:${imageId}:`).update(query).digest().readUInt32BE(0) / 2 ** 32
}

/** Digests all hashes of a query: one that was left out could be changed without changing the blur. Pauses after each signal. */
export function* digestSteps(signals: Iterable<HashedSignal>): Generator<void, Uint8Array, void> {
  const digest = createHash('sha256')
  for (const { type, view, hashes } of signals) {
    digest.update(`${type} ${view} ${hashes.length} `)
    for (const hash of hashes) digest.update(hash)
    yield
  }
  return digest.digest()
}

/** The same at once, for a picture. */
export function digestOf(signals: Iterable<HashedSignal>): Uint8Array {
  const steps = digestSteps(signals)
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
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

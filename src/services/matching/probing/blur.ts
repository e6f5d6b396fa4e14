// Blurs the distances between a query and images whose budget is used up (probing.ts), so that an answer near an edge tells little about them.
//
// An organisation that could look for the edge of an answer would find the stored hash by it. So a pseudo-random number of bits is added, which moves
// the edge. It is at most half of the usual radius: nearer copies are always found, and farther ones less often the farther they are. It is never
// subtracted, so nothing else is found. It is the same for all pairs of views of one query, because a query with many views could average it out, and
// the same whenever the query is repeated, by whichever organisation.

import { createHmac } from 'node:crypto'
import { type Blur, MAX_BLUR_BITS } from '../hit-distance.js'
import type { DigestOfQuery } from '../query-digest.js'

/**
 * The same for the number of agreeing details. The ends are rarer than the middle (half a sine wave), because somebody can change one detail alone, so
 * that an even distribution would reveal most at its end. Groups of bits are spread too widely for that.
 */
const MAX_BLUR_DETAILS = 7

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

// Pictures of one object on a plain ground, such as goods in a shop. Pictures of two objects of one kind are near, because the outlines are alike.

import { distance } from '../../../hash/src/hash256.js'
import { hasFrame } from './agreement.js'
import { aloneBits, type ComparedViews, type TwoViews } from './evidence.js'
import type { ShownView } from './forms.js'

/** A part of a query, in one orientation. */
export type AskedPart = ShownView & Pick<ComparedViews, 'rotated' | 'content'>

/**
 * Radii for two parts if the query shows an object, in bits, inclusive. Chosen on edits of tuning photographs and on drawn shirts (tuning set a).
 * - `BOX_BITS`: two deframed parts, both the bounding box of an object. Boxes of different shirts are at least 20 bits apart.
 * - `OTHER_BITS`: other parts, except for two pairs that only a copy gives: a query's deframed part and another view, for a copy in a frame or on a
 *   screen; and a query's tilted view and the whole, for a tilted copy. For these the usual radius applies.
 */
const BOX_BITS = 20
const OTHER_BITS = 24
/** The same for the sum of two independent observations (`corroborations.ts`). */
const SUM_BITS = 84
const USUAL_BITS = Number.POSITIVE_INFINITY

/**
 * @param asked in the orientation of the match.
 * @param registered in the order of `hashImage`.
 * @param togetherBits sum of the distances of two independent observations; infinity if there are no two.
 * @returns by how many bits a picture of an object is near enough to be a copy; negative if it may show another object of the same kind.
 * Cost: one distance for each pair of parts, about 20 µs.
 */
export function objectSurplusBits(
  asked: readonly AskedPart[],
  registered: readonly ShownView[],
  togetherBits: number,
): number {
  const isFramed = hasFrame(registered.filter(({ type }) => type === 'pdq-area'))
  let surplusBits = SUM_BITS - togetherBits
  for (const one of asked) {
    for (const { type, view, hash, isByHashes } of registered) {
      if (one.type !== type) continue
      const views = { isByHashes, asked: one.view, registered: view, rotated: one.rotated, content: one.content }
      const reach = Math.min(aloneBits(type, views), reachOf(views, isFramed))
      surplusBits = Math.max(surplusBits, reach - distance(one.hash, hash))
    }
  }
  return surplusBits
}

function reachOf({ asked, registered, isByHashes }: TwoViews, isFramed: boolean): number {
  if (isByHashes && registered !== 'whole') return asked === 'deframed' ? BOX_BITS : OTHER_BITS
  // The deframed part of a registered picture with a frame is what the frame contains, not an object's box.
  if (asked === 'deframed') return registered === 'deframed' && !isFramed ? BOX_BITS : USUAL_BITS
  return asked === 'tilted' && registered === 'whole' ? USUAL_BITS : OTHER_BITS
}

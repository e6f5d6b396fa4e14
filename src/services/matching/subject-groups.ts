// Which pictures show the same: what they have in common is the picture, and not something that was drawn on it.

import { aloneBits, contentOf } from '../../domain/matching/evidence.js'
import type { Signal } from '../../domain/matching/signal.js'
import { viewOf } from '../../domain/matching/signal.js'
import type { Searcher } from '../index/searcher.js'

/**
 * The kin of the nearest picture that hashes find in one that is to be registered, if that has details: copies of one picture get one
 * number, whoever registers them. By hashes alone: two pages of one app have details in common as well.
 *
 * Pauses about every millisecond. Cost: some 20 searches.
 */
export function* subjectGroupOf(searcher: Searcher, signals: readonly Signal[]): Generator<void, number | undefined, void> {
  let nearest: { readonly bits: number; readonly subjectGroup: number } | undefined
  for (const { type, view, hash, quality } of signals) {
    if (type !== 'pdq' && type !== 'pdq-area') continue
    const asked = { asked: view, rotated: false, content: contentOf({ quality, hashes: [hash] }) }
    const widest = aloneBits(type, { ...asked, registered: view })
    for (const hit of yield* searcher.search(type, [hash], widest)) {
      if (searcher.places.sizeOf(hit.image) === undefined) continue
      const alone = aloneBits(type, { ...asked, registered: viewOf(hit.view) })
      if (hit.distanceBits > alone || hit.distanceBits >= (nearest?.bits ?? Number.POSITIVE_INFINITY)) continue
      nearest = { bits: hit.distanceBits, subjectGroup: searcher.places.subjectGroupOf(hit.image) }
    }
  }
  return nearest?.subjectGroup
}

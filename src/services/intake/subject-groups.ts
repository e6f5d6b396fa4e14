// Groups registered pictures of the same subject, so that details shared within a group do not count as decoration.

import { aloneBits, contentOf } from '../../../packages/core/src/matching/evidence.js'
import type { Signal } from '../../../packages/core/src/matching/signal.js'
import { viewOf } from '../../../packages/core/src/matching/signal.js'
import type { Searcher } from '../index/searcher.js'

/**
 * Searches by hashes for the nearest registered picture with details. Returns its subject group; `undefined` if none is near. All copies of a picture
 * get one group, even in different cases. It does not compare details, because two screenshots of one app share details, too.
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

// Views that were stopped because they matched look-alikes, such as a logo or a banner in a registered picture; and which view alone decided a match,
// by which those are noticed.

import { distance, type Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Agreement, RegisteredView } from '../../domain/matching/agreement.js'
import { contentOf } from '../../domain/matching/evidence.js'
import type { HashedSignal } from '../../domain/matching/hashed-image.js'
import { viewOf } from '../../domain/matching/signal.js'
import type { SignalType } from '../../domain/matching/signal-types.js'
import { aloneThresholdOf } from '../../domain/organisations/bank.js'
import type { Hit } from '../../search/hit.js'
import type { Catalogue } from '../index/catalogue.js'
import type { Searcher } from '../index/searcher.js'
import type { Found } from './graded.js'
import type { Match } from './match.js'
import { orientationGroupsOf } from './orientations.js'

/** Is a hit of a stopped view? `hash` is the query's hash that found it. */
export type IsStopped = (imageId: string, hit: Hit, type: SignalType, hash: Hash256 | undefined) => boolean

/** Cost of an answer: for an image with stopped views a distance for each of its rows, else a look-up. */
export function stoppedIn(catalogue: Pick<Catalogue, 'stoppedViewsOf'>, searcher: Pick<Searcher, 'viewsOf'>): IsStopped {
  return (imageId, { image, view, distanceBits }, type, hash) => {
    const stopped = catalogue.stoppedViewsOf(imageId)
    if (stopped.length === 0 || type !== 'pdq-area' || hash === undefined) return false
    const own = searcher.viewsOf(image, type).map((row, i) => ({ ...row, isStopped: stopped.includes(i) }))
    const found = own.filter((row) => row.view === viewOf(view) && distance(row.hash, hash) === distanceBits)
    // Of two views at the same distance the other one may decide.
    return found.length > 0 && found.every((row) => row.isStopped)
  }
}

/** The view for which the flood guard counts a match: `decidingViewOf` for a picture that was found by a part. */
export function viewToCount(
  searcher: Pick<Searcher, 'viewsOf'>,
  asked: readonly HashedSignal[],
  { told, match, agreement }: { readonly told: Found; readonly match: Match; readonly agreement: Agreement | undefined },
): number | undefined {
  if (match.grade === 'review' || match.atMs !== undefined || told.views.registered === 'whole') return undefined
  return decidingViewOf(asked, searcher.viewsOf(told.hit.image, 'pdq-area'), told, agreement)
}

/**
 * The registered view without which a picture would not match: no other one is near enough to decide alone.
 * @param rows the `pdq-area` rows of the registered picture.
 * @returns its position among them; `undefined` where all parts agree, where the whole, several views or none decide alone.
 * Cost: a distance for each two `pdq-area` hashes, about 10 µs.
 */
export function decidingViewOf(
  asked: readonly HashedSignal[],
  rows: readonly RegisteredView[],
  { bank, orientation }: Pick<Found, 'bank' | 'orientation'>,
  agreement: Agreement | undefined,
): number | undefined {
  if (agreement !== undefined && agreement.surplusBits >= 0) return undefined
  const deciding = new Set<number>()
  for (const signal of asked) {
    if (signal.type !== 'pdq-area') continue
    const content = contentOf(signal)
    for (const { orientations, rotated, hashes } of orientationGroupsOf(signal)) {
      const hash = hashes[orientations.indexOf(orientation)]
      if (hash === undefined) continue
      for (const [i, row] of rows.entries()) {
        const views = { asked: signal.view, registered: row.view, rotated, content }
        if (distance(hash, row.hash) <= aloneThresholdOf(bank, 'pdq-area', views)) deciding.add(i)
      }
    }
  }
  const [only] = deciding
  return deciding.size !== 1 || only === undefined || rows[only]?.view === 'whole' ? undefined : only
}

// Views that were stopped because they matched look-alikes, such as a logo or a banner in a registered picture; and which view alone decided a match,
// by which those are noticed.

import { createHmac } from 'node:crypto'
import type { Agreement, RegisteredView } from '../../../packages/core/src/matching/agreement.js'
import { aloneThresholdOf } from '../../../packages/core/src/matching/bank.js'
import type { CorroboratingPair } from '../../../packages/core/src/matching/corroborations.js'
import { contentOf } from '../../../packages/core/src/matching/evidence.js'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import type { Strictness } from '../../../packages/core/src/matching/registry-size.js'
import { viewOf } from '../../../packages/core/src/matching/signal.js'
import type { SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../packages/core/src/search/hit.js'
import { distance, type Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Catalogue } from '../index/catalogue.js'
import type { Searcher } from '../index/searcher.js'
import type { Found } from './graded.js'
import type { Match } from './match.js'
import { orientationGroupsOf } from './orientations.js'

/**
 * Names a `pdq-area` row of an image, 1…`MAX_VIEW`: a keyed digest of its view and hash. So the row keeps its name when the image is registered again
 * with other rows, and the store reveals nothing of the hash.
 */
export type ViewIdOf = (imageId: string, row: RegisteredView) => number

export function createViewIds(secret: Buffer): ViewIdOf {
  return (imageId, { view, hash }) =>
    Math.max(1, createHmac('sha256', secret).update(`view:${imageId}:${view}`).update(hash).digest().readUInt32BE(0))
}

/** The registered views that match: all but the stopped ones. */
export interface ActiveViews extends Pick<Searcher, 'viewsOf'> {
  /** Is a hit of a stopped view? `hash` is the query's hash that found it. */
  isStopped(imageId: string, hit: Hit, type: SignalType, hash: Hash256 | undefined): boolean
}

/** Cost of an answer: for an image with stopped views a digest for each of its rows once, and a distance for each hit; else a look-up. */
export function createActiveViews(
  catalogue: Pick<Catalogue, 'isAnyViewStopped' | 'stoppedViewsOf'>,
  searcher: Pick<Searcher, 'image' | 'viewsOf'>,
  viewIdOf: ViewIdOf,
): ActiveViews {
  const known = new Map<number, Readonly<Record<'active' | 'stopped', RegisteredView[]>>>()
  const rowsOf = (image: number, imageId: string, ids: readonly number[]) => {
    const rows = searcher.viewsOf(image, 'pdq-area')
    const isStopped = (row: RegisteredView) => ids.includes(viewIdOf(imageId, row))
    const parted = known.get(image) ?? {
      active: rows.filter((row) => !isStopped(row)),
      stopped: rows.filter(isStopped),
    }
    known.set(image, parted)
    return parted
  }
  return {
    isStopped(imageId, { image, view, distanceBits, exactBits = distanceBits }, type, hash) {
      const ids = catalogue.isAnyViewStopped && type === 'pdq-area' ? catalogue.stoppedViewsOf(imageId) : []
      if (ids.length === 0 || hash === undefined) return false
      const { active, stopped } = rowsOf(image, imageId, ids)
      const isFound = (row: RegisteredView) => row.view === viewOf(view) && distance(row.hash, hash) === exactBits
      // Of two views at the same distance the other one may decide.
      return stopped.some(isFound) && !active.some(isFound)
    },
    viewsOf(image, type) {
      const imageId = catalogue.isAnyViewStopped && type === 'pdq-area' ? searcher.image(image)?.id : undefined
      const ids = imageId === undefined ? [] : catalogue.stoppedViewsOf(imageId)
      return imageId === undefined || ids.length === 0 ? searcher.viewsOf(image, type) : rowsOf(image, imageId, ids).active
    },
  }
}

/** Whether two independent views of the query are near, as those of a copy are. One view, also the whole, may have been made near. */
export function doSeveralAgree(
  together: CorroboratingPair | undefined,
  { pairSumBits }: Pick<Strictness, 'pairSumBits'>,
): boolean {
  return together !== undefined && together.nearBits <= pairSumBits.match
}

/** The view for which the flood guard counts a match: `decidingViewOf` for a picture that was found by a part. */
export function viewToCount(
  { activeViews, viewIdOf }: { readonly activeViews: ActiveViews; readonly viewIdOf: ViewIdOf },
  asked: readonly HashedSignal[],
  {
    reported,
    match,
    agreement,
  }: { readonly reported: Found; readonly match: Match; readonly agreement: Agreement | undefined },
): number | undefined {
  if (match.grade === 'review' || match.atMs !== undefined || reported.views.registered === 'whole') return undefined
  const row = decidingViewOf(asked, activeViews.viewsOf(reported.hit.image, 'pdq-area'), reported, agreement)
  return row && viewIdOf(reported.image.id, row)
}

/**
 * The registered view without which a picture would not match: no other one is near enough to decide alone.
 * @param rows the `pdq-area` rows of the registered picture that are not stopped.
 * @returns `undefined` where all parts agree, where the whole, several views or none decide alone.
 * Cost: a distance for each two `pdq-area` hashes, about 10 µs.
 */
export function decidingViewOf(
  asked: readonly HashedSignal[],
  rows: readonly RegisteredView[],
  { bank, orientation }: Pick<Found, 'bank' | 'orientation'>,
  agreement: Agreement | undefined,
): RegisteredView | undefined {
  if (agreement !== undefined && agreement.surplusBits >= 0) return undefined
  const deciding = new Set<RegisteredView>()
  for (const signal of asked) {
    if (signal.type !== 'pdq-area') continue
    const content = contentOf(signal)
    for (const { orientations, rotated, hashes } of orientationGroupsOf(signal)) {
      const hash = hashes[orientations.indexOf(orientation)]
      if (hash === undefined) continue
      for (const row of rows) {
        const views = { asked: signal.view, registered: row.view, rotated, content }
        if (distance(hash, row.hash) <= aloneThresholdOf(bank, 'pdq-area', views)) deciding.add(row)
      }
    }
  }
  const [only] = deciding
  return deciding.size !== 1 || only?.view === 'whole' ? undefined : only
}

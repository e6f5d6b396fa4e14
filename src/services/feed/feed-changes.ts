// Pages after the snapshot: changes in the order of the stream, then one batch of case images, or a part of it.

import type { FeedLine } from '../../domain/organisations/feed.js'
import type { FeedBatches } from '../../store/exchange/feed-batches.js'
import { changesAfter } from '../../store/images/changes.js'
import type { Store } from '../../store/redis/client.js'
import type { Change, ImageOp, NamedOp } from '../../store/scripts/change-ops.js'
import type { RecentChanges } from '../index/recent-changes.js'
import type { FeedPosition } from './feed-cursor.js'
import type { FeedLines } from './feed-lines.js'
import type { PageEnd, PageView } from './page-view.js'

/** What a page after the snapshot reports. */
export interface FeedNews {
  /** Changes after the reader's position. */
  readonly changes: readonly Change[]
  /** The next batch to send; `undefined` if the reader has all finished batches. */
  readonly batch: { readonly end: number; readonly ids: readonly string[] } | undefined
}

export interface FeedChanges {
  /**
   * Reads the changes after `place`, up to the revision of the catalogue: later changes may need settings of banks that the catalogue lacks.
   * @returns `undefined` if the stream no longer reaches back to `place`: the reader needs a snapshot.
   * @throws {Problem} store-unavailable
   */
  newsFor(view: PageView, place: FeedPosition): Promise<FeedNews | undefined>
  /** The lines of one page, without its cursor. @throws {Problem} store-unavailable */
  lines(view: PageView, from: FeedPosition, news: FeedNews): AsyncGenerator<FeedLine, PageEnd, void>
}

export interface FeedChangeParts {
  readonly store: Store
  readonly lines: FeedLines
  readonly batches: Pick<FeedBatches, 'after'>
  readonly recent: Pick<RecentChanges, 'changedAfter'>
}

const IS_GONE: Readonly<Record<ImageOp, boolean>> = { image: false, trustStatus: false, tombstone: true }
const NAMES_BANK: Readonly<Record<NamedOp, boolean>> = { bank: true, 'api-key': false }
/** Changes read from the store at once. One change may name hundreds of images. */
const CHANGES_AT_ONCE = 500

export function createFeedChanges({ store, lines, batches, recent }: FeedChangeParts): FeedChanges {
  /** Removals, and lines that are not batched. Each image is described as it is after the change at `end`. */
  async function* linesAtOnce(
    { reader, catalogue }: PageView,
    changes: readonly Change[],
    end: number,
  ): AsyncGenerator<FeedLine> {
    const isGone = new Map<string, boolean>()
    for (const change of changes)
      if ('imageIds' in change) for (const id of change.imageIds) isGone.set(id, IS_GONE[change.op])
    const ids = [...isGone.keys()].filter((id) => !recent.changedAfter(id, end))
    const banks = changes.flatMap((change) => ('name' in change && NAMES_BANK[change.op] ? [change.name] : []))
    const gone = ids.filter((id) => isGone.get(id))
    for (const { id } of lines.inOwnOrder(reader, gone)) yield { op: 'tombstone', id }
    yield* lines.images(
      reader,
      catalogue,
      ids.filter((id) => !isGone.get(id)),
      'at-once',
    )
    for (const name of new Set(banks)) yield* lines.bank(reader, catalogue, name)
  }

  return {
    async newsFor({ until, limit }, place) {
      const [changes, batch] = await Promise.all([
        changesAfter(store, place.removed, Math.min(limit, CHANGES_AT_ONCE)),
        batches.after(place.revision),
      ])
      if (changes === undefined || batch === 'unknown') return undefined
      return { changes: changes.filter((change) => change.revision <= until), batch }
    },

    async *lines(view, from, { changes, batch }) {
      const { reader, catalogue, until, lastEnd, limit } = view
      const taken = upTo(limit, changes)
      const removed = taken.at(-1)?.revision ?? from.removed
      yield* linesAtOnce(view, taken, removed)
      if (batch === undefined) return { place: { ...from, removed }, more: removed < until }

      // A store that lost the end of a batch may end it at another revision. Then the batch is sent from its beginning.
      const sent = from.batch?.end === batch.end ? from.batch.sent : 0
      const named = lines.inOwnOrder(reader, batch.ids).slice(sent, sent + limit)
      // An image that changed again in a later batch that has ended is sent with that batch.
      const ids = named.flatMap(({ imageId }) => (recent.changedAfter(imageId, batch.end, lastEnd) ? [] : [imageId]))
      yield* lines.images(reader, catalogue, ids, 'batched')
      const place =
        sent + limit < batch.ids.length
          ? { ...from, removed, batch: { end: batch.end, sent: sent + limit } }
          : { ...from, removed, revision: batch.end, batch: undefined }
      return { place, more: removed < until || place.revision < lastEnd }
    },
  }
}

/** The first changes, until together they name at least `limit` images. Never splits a change. */
function upTo(limit: number, changes: readonly Change[]): readonly Change[] {
  let named = 0
  const end = changes.findIndex((change) => {
    named += 'imageIds' in change ? change.imageIds.length : 0
    return named >= limit
  })
  return end === -1 ? changes : changes.slice(0, end + 1)
}

// The pages of a snapshot: all registered images, one part of the ids after the other.

import { setImmediate as nextTick } from 'node:timers/promises'
import { CASES_BANK_NAME } from '../../../packages/core/src/matching/bank.js'
import type { FeedLine } from '../../domain/organisations/feed.js'
import type { FeedBatches } from '../../store/exchange/feed-batches.js'
import type { CatalogueImage } from '../index/image-facts.js'
import { ID_PARTS } from '../index/ordinals-by-id.js'
import type { RecentChanges } from '../index/recent-changes.js'
import type { Replica } from '../index/replica.js'
import type { Audit } from '../records/audit.js'
import type { FeedPosition, FeedReader } from './feed-cursor.js'
import { type FeedLines, IMAGES_AT_ONCE, partsHolding } from './feed-lines.js'
import type { PageEnd, PageView } from './page-view.js'

export interface FeedSnapshots {
  /**
   * The lines of one page, without its cursor. Omits images that changed after the snapshot began, and case images that wait for a batch: the pages
   * after the snapshot have them.
   * @param from where the previous page ended; `undefined` starts a snapshot, which is recorded in the audit log.
   * @throws {Problem} index-loading, store-unavailable
   */
  lines(view: PageView, from: FeedPosition | undefined): AsyncGenerator<FeedLine, PageEnd, void>
}

export interface FeedSnapshotParts {
  readonly lines: FeedLines
  readonly batches: Pick<FeedBatches, 'end' | 'newAmong'>
  readonly replica: Pick<Replica, 'reached' | 'revision'>
  readonly recent: Pick<RecentChanges, 'changedAfter'>
  readonly audit: Pick<Audit, 'record'>
}

/** Maximum images that a page examines. It ends then even if the filter excludes all of them, so that the reader gets a cursor. */
const MAX_LOOKED_AT = 50_000

export function createFeedSnapshots({ lines, batches, replica, recent, audit }: FeedSnapshotParts): FeedSnapshots {
  /**
   * Tombstones for registered images that the page leaves out. Only for StopNCII's interface: its clients keep whatever a snapshot does not name.
   * Some of these images follow on a later page.
   */
  function* unnamed(reader: FeedReader, imageIds: readonly string[], named: ReadonlySet<string>): Generator<FeedLine> {
    if (reader.use === undefined) return
    for (const { id } of lines.inOwnOrder(reader, imageIds)) if (!named.has(id)) yield { op: 'tombstone', id }
  }

  /** Omits new case images that wait for a batch, and images that changed since the snapshot began: pages after the snapshot have them. */
  async function notSentLater(
    images: readonly CatalogueImage[],
    { revision, removed }: Pick<FeedPosition, 'revision' | 'removed'>,
  ): Promise<string[]> {
    const ofCases = images.flatMap(({ id, bank }) => (bank === CASES_BANK_NAME ? [id] : []))
    const waiting = await batches.newAmong(ofCases)
    // Read after `waiting`: an image that no longer waits is in a batch that has ended by now.
    const lastEnd = ofCases.length === 0 ? 0 : (await batches.end()).revision
    const isSentLater = ({ id, bank }: CatalogueImage) =>
      bank === CASES_BANK_NAME
        ? waiting.has(id) || recent.changedAfter(id, revision, lastEnd)
        : recent.changedAfter(id, removed)
    return images.flatMap((image) => (isSentLater(image) ? [] : [image.id]))
  }

  return {
    async *lines({ reader, catalogue, until, lastEnd, limit }, from) {
      const { revision, removed, part: first = 0 } = from ?? { revision: lastEnd, removed: Math.max(until, lastEnd) }
      // Another process, whose replica was ahead of this one, may have begun the snapshot.
      if (removed > until) await replica.reached(removed)
      if (from === undefined) {
        await audit.record('feed.snapshot', `key:${reader.keyId}`, { orgId: reader.orgId })
        yield { op: 'snapshot-begin' }
        yield* unnamed(reader, catalogue.silent, new Set())
      }
      const step = partsHolding(catalogue, Math.min(limit, IMAGES_AT_ONCE))
      let part = first
      let sent = 0
      for (let seen = 0; sent < limit && seen < MAX_LOOKED_AT && part < ID_PARTS; part += step) {
        const images = catalogue.imagesInParts(part, Math.min(part + step, ID_PARTS))
        seen += images.length
        const named = new Set<string>()
        for await (const line of lines.images(reader, catalogue, await notSentLater(images, { revision, removed }), 'all')) {
          if (line.op !== 'upsert') continue
          sent++
          named.add(line.id)
          yield line
        }
        yield* unnamed(
          reader,
          images.map(({ id }) => id),
          named,
        )
        await nextTick()
      }
      const place = { revision, removed, batch: undefined }
      if (part < ID_PARTS) return { place: { ...place, part }, more: true }
      yield { op: 'snapshot-end' }
      const now = replica.revision ?? 0
      return { place: { ...place, part: undefined }, more: removed < now || revision < lastEnd }
    },
  }
}

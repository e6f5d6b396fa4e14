// The feed: lets a follower keep its own copy of all hashes. A snapshot first, then every change since the follower's cursor.
//
// Removals and signals of organisations' banks are sent at once. Images of cases are sent in batches that mix several cases, in the order of the
// reader's own random ids, whatever the page size. So no page, snapshot or filter shows which images were submitted together.

import type { FeedLine } from '../../domain/organisations/feed.js'
import { Problem } from '../../domain/problem.js'
import type { FeedBatches } from '../../store/exchange/feed-batches.js'
import { digestAt } from '../../store/images/changes.js'
import type { Store } from '../../store/redis/client.js'
import type { Catalogue } from '../index/catalogue.js'
import type { RecentChanges } from '../index/recent-changes.js'
import type { Replica } from '../index/replica.js'
import type { Audit } from '../records/audit.js'
import { createFeedChanges } from './feed-changes.js'
import { type FeedCursors, type FeedPosition, type FeedReader, markOf } from './feed-cursor.js'
import type { FeedLines } from './feed-lines.js'
import { createFeedSnapshots } from './feed-snapshot.js'
import type { PageEnd } from './page-view.js'

export interface FeedAsk {
  /** The cursor of the previous page; `undefined` starts a snapshot. */
  readonly after: string | undefined
  /**
   * The approximate page size in images. A page ends with the change that reaches the limit, because changes are never split. Up to `limit` images of
   * a batch come on top.
   */
  readonly limit: number
  /** How long to wait for news when there is none. */
  readonly waitMs: number
  /** Ends the wait. */
  readonly signal: AbortSignal
}

export interface Feed {
  /**
   * Reads one page. Its last line is the cursor for the next page. A page that breaks off has no cursor: ask again with the previous one.
   * Tombstones of removed images come first. The order of other lines has no meaning.
   *
   * Each image is described as it is when the page is read; a later change appears on a later page. A cursor that is older than the stream of
   * changes starts a new snapshot.
   * @throws {Problem} cursor-unknown, index-loading, store-unavailable
   */
  page(reader: FeedReader, ask: FeedAsk): AsyncGenerator<FeedLine, void, void>
}

export interface FeedParts {
  readonly store: Store
  readonly lines: FeedLines
  readonly batches: FeedBatches
  readonly replica: Replica
  readonly recent: RecentChanges
  readonly cursors: FeedCursors
  readonly audit: Pick<Audit, 'record' | 'recordDaily'>
  /** A monotonic clock, in milliseconds. */
  readonly clock: () => number
}

const RETRY_AFTER_S = 2
/** Bounds of the wait before a reader checks again whether a batch has ended. A batch may end earlier than predicted. */
const ASK_AGAIN_MS = { least: 50, most: 5000 } as const

export function createFeed(parts: FeedParts): Feed {
  const { store, batches, replica, cursors, audit, clock } = parts
  const changes = createFeedChanges(parts)
  const snapshots = createFeedSnapshots(parts)

  async function* page(asking: FeedReader, { after, limit, waitMs, signal }: FeedAsk): AsyncGenerator<FeedLine, void, void> {
    const endsAtMs = clock() + waitMs
    let place = after === undefined ? undefined : cursors.read(asking, after)
    if (after !== undefined && place === undefined) throw new Problem('cursor-unknown')
    audit.recordDaily('feed.read', `key:${asking.keyId}`, { orgId: asking.orgId })
    for (;;) {
      const catalogue = replica.catalogue
      const reader = withNamesOfStore(asking, catalogue)
      const until = replica.revision ?? 0
      const known: FeedPosition | undefined = place !== undefined && (await isInHistory(store, place)) ? place : undefined
      const { revision: lastEnd, againAfterMs } = await batches.end()
      const view = { reader, catalogue, until, lastEnd, limit }
      const news = known === undefined || known.part !== undefined ? undefined : await changes.newsFor(view, known)
      const lines: AsyncGenerator<FeedLine, PageEnd, void> =
        known === undefined || news === undefined
          ? snapshots.lines(view, known?.part === undefined ? undefined : known)
          : changes.lines(view, known, news)
      let lineCount = 0
      let step = await lines.next()
      for (; step.done !== true; step = await lines.next()) {
        lineCount++
        yield step.value
      }
      place = { ...step.value.place, seen: seenNow(replica, known) }
      const remainingMs = endsAtMs - clock()
      if (lineCount === 0 && place.part === undefined && !signal.aborted && (step.value.more || remainingMs > 0)) {
        const askAgainMs = againAfterMs === undefined ? remainingMs : clamp(againAfterMs)
        if (!step.value.more) await untilAfter(replica, place.removed, Math.min(remainingMs, askAgainMs), signal)
        continue
      }
      yield { op: 'cursor', cursor: cursors.write(asking, place), more: step.value.more }
      return
    }
  }

  return { page }
}

/**
 * Whether the store's history includes everything that the previous page was read from. It does not after a restore from an older backup. During a
 * snapshot the stream must also reach back to the start of the snapshot.
 */
async function isInHistory(store: Store, { removed, seen, part }: FeedPosition): Promise<boolean> {
  const [digest, begin] = await Promise.all([
    digestAt(store, seen.revision),
    part === undefined ? '' : digestAt(store, removed),
  ])
  return digest !== undefined && begin !== undefined && markOf(digest).equals(seen.mark)
}

/** @param before the previous position. The process that wrote it may have been ahead of this one. */
function seenNow({ position }: Replica, before: FeedPosition | undefined): FeedPosition['seen'] {
  if (position === undefined) throw new Problem('index-loading', { retryAfterS: RETRY_AFTER_S })
  if (before !== undefined && before.seen.revision > position.revision) return before.seen
  return { revision: position.revision, mark: markOf(position.digest) }
}

/** Waits until the replica changes or is beyond `revision`, until `timeoutMs` have passed, or until `signal` aborts. */
function untilAfter(replica: Replica, revision: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      unwatch()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, timeoutMs)
    const unwatch = replica.watch(done)
    signal.addEventListener('abort', done)
    if (signal.aborted || (replica.revision ?? 0) > revision) done()
  })
}

function clamp(ms: number): number {
  return Math.min(ASK_AGAIN_MS.most, Math.max(ASK_AGAIN_MS.least, ms))
}

/** Translates the filter from the reader's names of banks to those of the store. */
function withNamesOfStore(reader: FeedReader, { banks }: Catalogue): FeedReader {
  const names = reader.filter.banks?.map((name) => banks.named(reader.orgId, name)?.name ?? name)
  return names === undefined ? reader : { ...reader, filter: { ...reader.filter, banks: names } }
}

// The feed: everything a follower has to match by, then every change of it, from wherever the follower stopped.
//
// What is removed is told at once, and what organisations hand in to banks. Images of cases are told in batches, whose ends are in the store:
// all of a batch in the order of the reader's own ids, however small the pages are. So no page, snapshot or filter tells which came together.

import { setImmediate as nextTick } from 'node:timers/promises'
import { CASES_BANK_NAME } from '../../domain/organisations/bank.js'
import type { FeedLine } from '../../domain/organisations/feed.js'
import { Problem } from '../../domain/problem.js'
import type { FeedBatches } from '../../store/exchange/feed-batches.js'
import { changesAfter, digestAt } from '../../store/images/changes.js'
import type { Store } from '../../store/redis/client.js'
import type { Change, ImageOp, NamedOp } from '../../store/scripts/change-ops.js'
import type { Catalogue } from '../index/catalogue.js'
import type { CatalogueImage } from '../index/image-facts.js'
import { ID_PARTS } from '../index/ordinals-by-id.js'
import type { RecentChanges } from '../index/recent-changes.js'
import type { Replica } from '../index/replica.js'
import type { Audit } from '../records/audit.js'
import { type FeedCursors, type FeedPosition, type FeedReader, markOf } from './feed-cursor.js'
import { createImageParts, type FeedLines, IMAGES_AT_ONCE } from './feed-lines.js'

export interface FeedAsk {
  /** The cursor that a page ended with; `undefined` for a snapshot. */
  readonly after: string | undefined
  /** About how many signals a page has: it ends with the change that reaches it, and beside them are so many of a batch. */
  readonly limit: number
  /** How long to wait for something to tell. */
  readonly waitMs: number
  /** Ends the waiting. */
  readonly signal: AbortSignal
}

export interface Feed {
  /**
   * One page; its last line is the cursor that the next one begins at. A page that breaks off is read again from where it began.
   * Tombstones of what was removed come first. The order of the others says nothing: pictures that came together are not told as such.
   *
   * What is told of an image is what holds when the page is read. Should it change once more, a later page says so. A cursor that the
   * stream of changes does not reach back to leads to a new snapshot.
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
  /** A clock that never goes back, in milliseconds. */
  readonly clock: () => number
}

interface Stop {
  readonly place: Omit<FeedPosition, 'seen'>
  readonly more: boolean
}

/** What a page tells of. */
interface News {
  /** What was not told of. */
  readonly changes: readonly Change[]
  /** The images of the batch that is being told; `undefined` when all that ended were told. */
  readonly batch: { readonly end: number; readonly ids: readonly string[] } | undefined
  /** Where the last batch ended. */
  readonly lastEnd: number
}

const IS_GONE: Readonly<Record<ImageOp, boolean>> = { image: false, trustStatus: false, tombstone: true }
const NAMES_BANK: Readonly<Record<NamedOp, boolean>> = { bank: true, 'api-key': false }
const RETRY_AFTER_S = 2
/** Changes that are read at one time; one may name hundreds of images. */
const CHANGES_AT_ONCE = 500
/** Then a page of a snapshot ends even if its reader wants none of them: it is told how far it is. */
const MAX_LOOKED_AT = 50_000
/** Whoever waits asks no more often whether a batch has ended, and no less often: it may end early. */
const ASK_AGAIN_MS = { least: 50, most: 5000 } as const

export function createFeed({ store, lines, batches, replica, recent, cursors, audit, clock }: FeedParts): Feed {
  async function* page(asking: FeedReader, { after, limit, waitMs, signal }: FeedAsk): AsyncGenerator<FeedLine, void, void> {
    const endsAtMs = clock() + waitMs
    let place = after === undefined ? undefined : cursors.read(asking, after)
    if (after !== undefined && place === undefined) throw new Problem('cursor-unknown')
    audit.recordDaily('feed.read', `key:${asking.keyId}`, { orgId: asking.orgId })
    for (;;) {
      const catalogue = replica.catalogue
      const reader = withNamesOfStore(asking, catalogue)
      const until = replica.revision ?? 0
      const known: FeedPosition | undefined = place !== undefined && (await isInHistory(place)) ? place : undefined
      const { revision: lastEnd, againAfterMs } = await batches.end()
      const news = known === undefined || known.part !== undefined ? undefined : await newsFor(known, until, lastEnd, limit)
      const telling: AsyncGenerator<FeedLine, Stop, void> =
        known === undefined || news === undefined
          ? snapshot(reader, catalogue, known?.part === undefined ? undefined : known, until, lastEnd, limit)
          : tellNews(reader, catalogue, known, news, until, limit)
      let told = 0
      let step = await telling.next()
      for (; step.done !== true; step = await telling.next()) {
        told++
        yield step.value
      }
      place = { ...step.value.place, seen: seenNow(known) }
      const remainingMs = endsAtMs - clock()
      if (told === 0 && place.part === undefined && !signal.aborted && (step.value.more || remainingMs > 0)) {
        const askAgainMs = againAfterMs === undefined ? remainingMs : clamp(againAfterMs)
        if (!step.value.more) await advanced(place.removed, Math.min(remainingMs, askAgainMs), signal)
        continue
      }
      yield { op: 'cursor', cursor: cursors.write(asking, place), more: step.value.more }
      return
    }
  }

  /** Up to what the catalogue knows, since it says what the banks are. @returns `undefined` when a snapshot is needed. */
  async function newsFor(place: FeedPosition, until: number, lastEnd: number, limit: number): Promise<News | undefined> {
    const [changes, batch] = await Promise.all([
      changesAfter(store, place.removed, Math.min(limit, CHANGES_AT_ONCE)),
      batches.after(place.revision),
    ])
    if (changes === undefined || batch === 'unknown') return undefined
    return { changes: changes.filter((change) => change.revision <= until), batch, lastEnd }
  }

  async function* tellNews(
    reader: FeedReader,
    catalogue: Catalogue,
    from: FeedPosition,
    { changes, batch, lastEnd }: News,
    until: number,
    limit: number,
  ): AsyncGenerator<FeedLine, Stop, void> {
    const taken = upTo(limit, changes)
    const removed = taken.at(-1)?.revision ?? from.removed
    yield* tellAtOnce(reader, catalogue, taken, removed)
    if (batch === undefined) return { place: { ...from, removed }, more: removed < until }

    // A store that lost the end of a batch may end it elsewhere.
    const told = from.batch?.end === batch.end ? from.batch.told : 0
    const named = lines.inOwnOrder(reader, batch.ids).slice(told, told + limit)
    // What changed in a later batch that has ended is told there.
    const ids = named.flatMap(({ imageId }) => (recent.changedAfter(imageId, batch.end, lastEnd) ? [] : [imageId]))
    yield* lines.images(reader, catalogue, ids, 'batched')
    const place =
      told + limit < batch.ids.length
        ? { ...from, removed, batch: { end: batch.end, told: told + limit } }
        : { ...from, removed, revision: batch.end, batch: undefined }
    return { place, more: removed < until || place.revision < lastEnd }
  }

  async function* tellAtOnce(
    reader: FeedReader,
    catalogue: Catalogue,
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

  /** Part by part, and what changes meanwhile afterwards. An image that is there all the time is named in it. */
  async function* snapshot(
    reader: FeedReader,
    catalogue: Catalogue,
    from: FeedPosition | undefined,
    until: number,
    lastEnd: number,
    limit: number,
  ): AsyncGenerator<FeedLine, Stop, void> {
    const { revision, removed, part: first = 0 } = from ?? { revision: lastEnd, removed: Math.max(until, lastEnd) }
    // Another process may have begun it, which knew more.
    if (removed > until) await replica.reached(removed)
    if (from === undefined) {
      await audit.record('feed.snapshot', `key:${reader.keyId}`, { orgId: reader.orgId })
      yield { op: 'snapshot-begin' }
      yield* unnamed(reader, catalogue.silent, new Set())
    }
    const step = createImageParts(catalogue, Math.min(limit, IMAGES_AT_ONCE))
    let part = first
    let told = 0
    for (let seen = 0; told < limit && seen < MAX_LOOKED_AT && part < ID_PARTS; part += step) {
      const there = catalogue.createImageStore(part, Math.min(part + step, ID_PARTS))
      seen += there.length
      const named = new Set<string>()
      for await (const line of lines.images(reader, catalogue, await notToldLater(there, revision, removed), 'all')) {
        if (line.op !== 'upsert') continue
        told++
        named.add(line.id)
        yield line
      }
      yield* unnamed(
        reader,
        there.map(({ id }) => id),
        named,
      )
      await nextTick()
    }
    const place = { revision, removed, batch: undefined }
    if (part < ID_PARTS) return { place: { ...place, part }, more: true }
    yield { op: 'snapshot-end' }
    const now = replica.revision ?? 0
    return { place: { ...place, part: undefined }, more: removed < now || revision < lastEnd }
  }

  /** For who does not forget what a snapshot does not name, of images that are there: that it is not named now. Some of them are told later. */
  function* unnamed(reader: FeedReader, imageIds: readonly string[], named: ReadonlySet<string>): Generator<FeedLine> {
    if (reader.use === undefined) return
    for (const { id } of lines.inOwnOrder(reader, imageIds)) if (!named.has(id)) yield { op: 'tombstone', id }
  }

  /** Without new images that wait for a batch, and without what changed since the snapshot began and is told next. */
  async function notToldLater(there: readonly CatalogueImage[], revision: number, removed: number): Promise<string[]> {
    const ofCases = there.flatMap(({ id, bank }) => (bank === CASES_BANK_NAME ? [id] : []))
    const waiting = await batches.newAmong(ofCases)
    // In this order: what waits no longer is in a batch that has ended.
    const lastEnd = ofCases.length === 0 ? 0 : (await batches.end()).revision
    const isToldLater = ({ id, bank }: CatalogueImage) =>
      bank === CASES_BANK_NAME
        ? waiting.has(id) || recent.changedAfter(id, revision, lastEnd)
        : recent.changedAfter(id, removed)
    return there.flatMap((image) => (isToldLater(image) ? [] : [image.id]))
  }

  /** Does the store's history have all that was known when the page before was told, and the stream still reach back to it? */
  async function isInHistory({ removed, seen, part }: FeedPosition): Promise<boolean> {
    const [digest, begin] = await Promise.all([
      digestAt(store, seen.revision),
      part === undefined ? '' : digestAt(store, removed),
    ])
    return digest !== undefined && begin !== undefined && markOf(digest).equals(seen.mark)
  }

  /** @param before told by a process that perhaps knew more. */
  function seenNow(before: FeedPosition | undefined): FeedPosition['seen'] {
    const { position } = replica
    if (position === undefined) throw new Problem('index-loading', { retryAfterS: RETRY_AFTER_S })
    if (before !== undefined && before.seen.revision > position.revision) return before.seen
    return { revision: position.revision, mark: markOf(position.digest) }
  }

  function advanced(revision: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
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

  return { page }
}

function clamp(ms: number): number {
  return Math.min(ASK_AGAIN_MS.most, Math.max(ASK_AGAIN_MS.least, ms))
}

/** Whole changes, until they name as many images as are asked for; at least one. */
function upTo(limit: number, changes: readonly Change[]): readonly Change[] {
  let named = 0
  const end = changes.findIndex((change) => {
    named += 'imageIds' in change ? change.imageIds.length : 0
    return named >= limit
  })
  return end === -1 ? changes : changes.slice(0, end + 1)
}

/** Filters by the banks that its reader calls so now. */
function withNamesOfStore(reader: FeedReader, { banks }: Catalogue): FeedReader {
  const names = reader.filter.banks?.map((name) => banks.named(reader.orgId, name)?.name ?? name)
  return names === undefined ? reader : { ...reader, filter: { ...reader.filter, banks: names } }
}

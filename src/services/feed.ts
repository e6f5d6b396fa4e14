// The feed: everything a follower has to match by, then every change of it, in order and from wherever he stopped.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { isAnswering, isVisibleTo } from '../domain/bank.js'
import type { FeedLine } from '../domain/feed.js'
import { Problem } from '../domain/problem.js'
import type { RegisteredImage } from '../domain/signal.js'
import { tierWith } from '../domain/tier.js'
import { NO_STANDING, type Standing } from '../domain/trust.js'
import { type Change, changesAfter, digestAt } from '../store/changes.js'
import type { Images } from '../store/images.js'
import type { Store } from '../store/store.js'
import type { Trusts } from '../store/trust.js'
import type { Audit } from './audit.js'
import type { Catalogue } from './catalogue.js'
import { type FeedCursors, type FeedPlace, type FeedReader, markOf } from './feed-cursor.js'
import { ID_PARTS } from './image-table.js'
import type { MatchIds } from './match-ids.js'
import type { RecentChanges } from './recent-changes.js'
import type { Replica } from './replica.js'

export interface FeedAsk {
  /** The cursor that a page ended with; `undefined` for a snapshot. */
  readonly after: string | undefined
  /** About how many signals a page has: it ends with the change, or with the part of a snapshot, that reaches it. */
  readonly limit: number
  /** How long to wait for something to tell. */
  readonly waitMs: number
  /** Ends the waiting. */
  readonly signal: AbortSignal
}

export interface Feed {
  /**
   * One page; its last line is the cursor that the next one begins at. A page that breaks off is read again from where it began.
   * Tombstones come first. The order of the others says nothing: pictures that came together are not told as such.
   *
   * What is told of an image is what holds when the page is read. Should it change once more, a later page says so. A cursor that the
   * stream of changes does not reach back to leads to a new snapshot.
   * @throws {Problem} cursor-unknown, index-cold, store-away
   */
  page(reader: FeedReader, ask: FeedAsk): AsyncGenerator<FeedLine, void, void>
}

export interface FeedParts {
  readonly store: Store
  readonly images: Pick<Images, 'get'>
  readonly trusts: Pick<Trusts, 'standings'>
  readonly replica: Replica
  readonly recent: RecentChanges
  readonly matchIds: MatchIds
  readonly cursors: FeedCursors
  readonly audit: Pick<Audit, 'record' | 'recordDaily'>
  /** A clock that never goes back, in milliseconds. */
  readonly clock: () => number
}

interface Stop {
  readonly place: Omit<FeedPlace, 'seen'>
  readonly more: boolean
}

const RETRY_AFTER_S = 2
/** Changes that are read at one time; one may name hundreds of images. */
const CHANGES_AT_ONCE = 500
/** Unsealing so many takes about 2 ms, and then others of this process get their turn. */
const IMAGES_AT_ONCE = 200
/** Then a page of a snapshot ends even if its reader wants none of them: he is told how far it is. */
const MOST_LOOKED_AT = 50_000

export function feedOver({ store, images, trusts, replica, recent, matchIds, cursors, audit, clock }: FeedParts): Feed {
  async function* page(asking: FeedReader, { after, limit, waitMs, signal }: FeedAsk): AsyncGenerator<FeedLine, void, void> {
    const endsAtMs = clock() + waitMs
    let place = after === undefined ? undefined : cursors.read(asking, after)
    if (after !== undefined && place === undefined) throw new Problem('cursor-unknown')
    audit.recordDaily('feed.read', `key:${asking.keyId}`, { orgId: asking.orgId })
    for (;;) {
      const catalogue = replica.catalogue
      const reader = withNamesOfStore(asking, catalogue)
      const until = replica.revision ?? 0
      const known: FeedPlace | undefined = place !== undefined && (await isInHistory(place)) ? place : undefined
      const changes = known?.part === undefined && known !== undefined ? await changesFrom(known, until, limit) : undefined
      const lines: AsyncGenerator<FeedLine, Stop, void> =
        known === undefined || changes === undefined
          ? snapshot(reader, catalogue, known?.part === undefined ? undefined : known, until, limit)
          : tellChanges(reader, catalogue, known, changes, until, limit)
      let told = 0
      let step = await lines.next()
      for (; step.done !== true; step = await lines.next()) {
        told++
        yield step.value
      }
      place = { ...step.value.place, seen: seenNow(known) }
      const remainingMs = endsAtMs - clock()
      if (told === 0 && place.part === undefined && !signal.aborted && (step.value.more || remainingMs > 0)) {
        if (!step.value.more) await advanced(place.revision, remainingMs, signal)
        continue
      }
      yield { op: 'cursor', cursor: cursors.write(asking, place), more: step.value.more }
      return
    }
  }

  /** Up to what the catalogue knows, since it says what the banks are. @returns `undefined` when a snapshot is needed. */
  async function changesFrom({ revision }: FeedPlace, until: number, limit: number): Promise<Change[] | undefined> {
    const changes = await changesAfter(store, revision, Math.min(limit, CHANGES_AT_ONCE))
    return changes?.filter((change) => change.revision <= until)
  }

  async function* tellChanges(
    reader: FeedReader,
    catalogue: Catalogue,
    from: FeedPlace,
    changes: readonly Change[],
    until: number,
    limit: number,
  ): AsyncGenerator<FeedLine, Stop, void> {
    const taken = upTo(limit, changes)
    const last = taken.at(-1)
    if (last === undefined) return { place: from, more: false }
    const end = last.revision
    const ops = new Map<string, Change['op']>()
    for (const change of taken) if ('imageIds' in change) for (const id of change.imageIds) ops.set(id, change.op)
    const ids = [...ops.keys()].filter((id) => !recent.changedAfter(id, end))
    const banks = taken.flatMap((change) => (change.op === 'bank' ? [change.name] : []))
    const gone = ids.filter((id) => ops.get(id) === 'tombstone')
    for (const { id } of inOwnOrder(reader, gone)) yield { op: 'tombstone', id }
    yield* tellImages(
      reader,
      catalogue,
      ids.filter((id) => ops.get(id) !== 'tombstone'),
    )
    for (const name of new Set(banks)) yield* tellBank(reader, catalogue, name)
    return { place: { revision: end, part: undefined }, more: end < until }
  }

  async function* tellImages(reader: FeedReader, catalogue: Catalogue, ids: readonly string[]): AsyncGenerator<FeedLine> {
    const named = inOwnOrder(reader, ids)
    for (let at = 0; at < named.length; at += IMAGES_AT_ONCE) {
      const batch = named.slice(at, at + IMAGES_AT_ONCE)
      const imageIds = batch.map(({ imageId }) => imageId)
      const [found, standings] = await Promise.all([images.get(imageIds), trusts.standings(imageIds)])
      for (const [i, { id }] of batch.entries()) {
        const line = lineOf(reader, catalogue, id, found[i], standings[i])
        if (line !== undefined) yield line
      }
    }
  }

  /** Of a bank that changed, its readers for example: what holds now for each of its images. */
  async function* tellBank(reader: FeedReader, catalogue: Catalogue, name: string): AsyncGenerator<FeedLine> {
    const bank = catalogue.banks.get(name)
    if (reader.filter.banks?.includes(name) === false || bank?.purpose !== 'match') return
    const step = stepOver(catalogue, IMAGES_AT_ONCE)
    for (let part = 0; part < ID_PARTS; part += step) {
      const ids = catalogue
        .imagesIn(part, Math.min(part + step, ID_PARTS))
        .flatMap((image) => (image.bank === name ? [image.id] : []))
      if (isVisibleTo(bank, reader.orgId)) yield* tellImages(reader, catalogue, ids)
      else for (const { id } of inOwnOrder(reader, ids)) yield { op: 'tombstone', id }
      await nextTurn()
    }
  }

  /** Part by part, and what changes meanwhile afterwards. An image that is there all the time is named in it. */
  async function* snapshot(
    reader: FeedReader,
    catalogue: Catalogue,
    from: FeedPlace | undefined,
    until: number,
    limit: number,
  ): AsyncGenerator<FeedLine, Stop, void> {
    const { revision, part: first = 0 } = from ?? { revision: until }
    // Another process may have begun it, which knew more.
    if (revision > until) await replica.reached(revision)
    if (from === undefined) {
      await audit.record('feed.snapshot', `key:${reader.keyId}`, { orgId: reader.orgId })
      yield { op: 'snapshot-begin' }
    }
    const step = stepOver(catalogue, Math.min(limit, IMAGES_AT_ONCE))
    let part = first
    let told = 0
    for (let seen = 0; told < limit && seen < MOST_LOOKED_AT && part < ID_PARTS; part += step) {
      const there = catalogue.imagesIn(part, Math.min(part + step, ID_PARTS))
      seen += there.length
      const unchanged = there.filter(({ id }) => !recent.changedAfter(id, revision)).map(({ id }) => id)
      for await (const line of tellImages(reader, catalogue, unchanged)) {
        if (line.op !== 'upsert') continue
        told++
        yield line
      }
      await nextTurn()
    }
    if (part < ID_PARTS) return { place: { revision, part }, more: true }
    yield { op: 'snapshot-end' }
    return { place: { revision, part: undefined }, more: revision < (replica.revision ?? 0) }
  }

  /** Does the store's history have all that was known when the page before was told, and the stream still reach back to it? */
  async function isInHistory({ revision, seen, part }: FeedPlace): Promise<boolean> {
    const [digest, begin] = await Promise.all([
      digestAt(store, seen.revision),
      part === undefined ? '' : digestAt(store, revision),
    ])
    return digest !== undefined && begin !== undefined && markOf(digest).equals(seen.mark)
  }

  /** @param before told by a process that perhaps knew more. */
  function seenNow(before: FeedPlace | undefined): FeedPlace['seen'] {
    const { position } = replica
    if (position === undefined) throw new Problem('index-cold', { retryAfterS: RETRY_AFTER_S })
    if (before !== undefined && before.seen.revision > position.revision) return before.seen
    return { revision: position.revision, mark: markOf(position.digest) }
  }

  /** Sorted by ids that only the reader has, which are as good as random. */
  function inOwnOrder({ orgId }: FeedReader, imageIds: readonly string[]) {
    return imageIds
      .map((imageId) => ({ imageId, id: matchIds.idFor(orgId, imageId) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  function advanced(revision: number, withinMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        unwatch()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, withinMs)
      const unwatch = replica.watch(done)
      signal.addEventListener('abort', done)
      if (signal.aborted || (replica.revision ?? 0) > revision) done()
    })
  }

  return { page }
}

/** How many parts have about so many images. */
function stepOver({ images }: Catalogue, count: number): number {
  return Math.min(ID_PARTS, Math.ceil((count * ID_PARTS) / Math.max(1, images)))
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

/** @returns `undefined` for what is no business of this reader's: banks that he did not ask for or may not know of, and what is harmless. */
function lineOf(
  { orgId, filter }: FeedReader,
  catalogue: Catalogue,
  id: string,
  image: RegisteredImage | undefined,
  standing: Standing | undefined,
): Extract<FeedLine, { op: 'upsert' | 'tombstone' }> | undefined {
  if (image === undefined) return { op: 'tombstone', id }
  const { bank, category, signals } = image
  const policy = catalogue.banks.get(bank)
  if (filter.banks?.includes(bank) === false || policy?.purpose !== 'match' || !isVisibleTo(policy, orgId)) return undefined
  if (!isAnswering(policy)) return { op: 'tombstone', id }
  const { support, disputed, matches } = standing ?? NO_STANDING
  const tier = tierWith(image.tier, support)
  const isWanted =
    (filter.tiers?.includes(tier) ?? true) &&
    (filter.categories === undefined || (category !== undefined && filter.categories.includes(category)))
  if (!matches || !isWanted) return { op: 'tombstone', id }
  return { op: 'upsert', id, bank: catalogue.banks.shownTo(orgId, policy), tier, category, disputed, signals }
}

/** Filters by the banks that its reader calls so now. */
function withNamesOfStore(reader: FeedReader, { banks }: Catalogue): FeedReader {
  const names = reader.filter.banks?.map((name) => banks.named(reader.orgId, name)?.name ?? name)
  return names === undefined ? reader : { ...reader, filter: { ...reader.filter, banks: names } }
}

// Watches of organisations: sealed in the store, erased when they end.

import { setImmediate as nextTick } from 'node:timers/promises'
import { formatUuid } from '../../../packages/core/src/ids.js'
import type { RegisteredImage } from '../../../packages/core/src/matching/signal.js'
import { countedAsWatches } from '../../domain/organisations/watch.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { lastPosition, type Position, WATCH_STREAM } from '../images/changes.js'
import { decodeImage, encodeImage } from '../images/image-record.js'
import { type ShardedTable, sealedShards } from '../images/sealed-images.js'
import type { Store } from '../redis/client.js'
import type { Arg } from '../redis/durable-writer.js'
import { idBuffer, imageShard, keys, watchShard } from '../redis/keys.js'
import { cursorOf, pageOfSorted } from '../redis/paging.js'
import { discardDue } from '../scripts/images/discard-due.js'
import { filledWatchShards } from '../scripts/images/filled-shards.js'
import { holdOutbox } from '../scripts/organisations/outbox.js'
import { advanceWatching, eraseWatches, noteFound, putWatches } from '../scripts/organisations/watches.js'
import { WATCH_SHARDS } from '../scripts/shards.js'
import type { Keyring } from '../sealing/seal.js'

/** A watch as an index holds it. Its bank is the id of the organisation. */
export interface StoredWatch {
  readonly id: string
  readonly image: RegisteredImage
}

export interface ReadWatch {
  readonly id: string
  readonly image: RegisteredImage | undefined
}

export interface WatchEntry {
  readonly watchId: string
  readonly reference: string | undefined
  readonly untilMs: number
}

export interface WatchPage {
  readonly watches: readonly WatchEntry[]
  /** The cursor of the next page; `undefined` at the end. */
  readonly next: PageCursor | undefined
}

export interface DueWatch {
  readonly cursor: PageCursor
  /** `undefined` when the entry is not a watch. */
  readonly watch: { readonly orgId: string; readonly watchId: string } | undefined
}

export interface Watches {
  /**
   * All or none, durable when it returns.
   * @param most of an organisation, each counted as `countedAsWatches`.
   * @returns the revision that has them; `undefined` when the organisation would have more.
   */
  put(orgId: string, watches: readonly StoredWatch[], untilMs: number, most: number): Promise<number | undefined>
  /** The images of these watches, in their order; `undefined` for a watch that does not exist. */
  get(ids: readonly string[]): Promise<(RegisteredImage | undefined)[]>
  /** A page of an organisation's watches that have not ended, sorted by their end, soonest first. */
  list(orgId: string, after: PageCursor | undefined, limit: number, nowMs: number): Promise<WatchPage>
  /** Durable when it returns. Watches of other organisations are left alone. @returns whether any was erased. */
  erase(orgId: string, ids: readonly string[]): Promise<boolean>
  /** A page of the watches that have ended, with their organisations. */
  due(nowMs: number, after: PageCursor | undefined, limit: number): Promise<DueWatch[]>
  /** Removes an entry of the schedule that is not a watch. */
  discard(due: DueWatch): Promise<void>
  /** A page of the ids of an organisation's watches. */
  ofOrg(orgId: string, after: PageCursor | undefined, limit: number): Promise<DueWatch[]>
  orgs(): Promise<string[]>
  /** All watches, each once, a shard at a time, as in `Images.all`. An unreadable one has no image. */
  all(): AsyncGenerator<readonly ReadWatch[]>
  /** The end of the change stream of watches. */
  lastPosition(): Promise<Position>
  /** Acquires or renews the lease for comparing registrations with watches. Not on disk when it returns. @returns whether this process holds it. */
  hold(token: string, ttlMs: number): Promise<boolean>
  /** How far the change stream of images was compared; `undefined` before the first time. */
  cursor(): Promise<Position | undefined>
  /** Saves that position. Not on disk when it returns: comparing again from an earlier position notifies nobody twice. */
  advance(token: string, position: Position): Promise<void>
  /** Notifies the organisation, unless it was notified before or the watch or image is gone. Durable when it returns. @returns whether it did. */
  found(found: {
    readonly watchId: string
    readonly imageId: string
    readonly orgId: string
    readonly grade: string
    readonly atMs: number
  }): Promise<boolean>
}

const WATCH_TABLE: ShardedTable = { shards: WATCH_SHARDS, keyOf: keys.watches, filled: filledWatchShards }
const ID_BYTES = 16

export function createWatchStore(store: Store, keyring: Keyring): Watches {
  return { ...storedWatches(store, keyring), ...dueWatches(store), ...comparisonsIn(store) }
}

type StoredWatches = Pick<Watches, 'put' | 'get' | 'list' | 'erase' | 'all'>

/** The watches themselves, sealed. */
function storedWatches(store: Store, keyring: Keyring): StoredWatches {
  const open = (id: Buffer, sealed: Buffer) => decodeImage(keyring.unseal(sealed, watchContext(id)))
  const readable = (id: Buffer, sealed: Buffer) => {
    try {
      return open(id, sealed)
    } catch {
      return undefined
    }
  }
  const get = async (ids: readonly string[]) => {
    const all = ids.map(idBuffer)
    const sealed = await store.ask((redis) =>
      Promise.all(all.map((id) => redis.hgetBuffer(keys.watches(watchShard(id)), id))),
    )
    return all.map((id, i) => {
      const bytes = sealed[i]
      return bytes ? open(id, bytes) : undefined
    })
  }
  const placesOf = (orgId: string) => [
    keys.watchesOf(orgId),
    keys.watchSchedule,
    keys.watchOrgs,
    keys.watchRevision,
    keys.watchChanges,
    keys.watchMore(orgId),
  ]

  return {
    async put(orgId, watches, untilMs, most) {
      const shards: string[] = []
      const args: Arg[] = []
      for (const { id, image } of watches) {
        const bytes = idBuffer(id)
        shards.push(keys.watches(watchShard(bytes)))
        const sealed = keyring.seal(encodeImage(image), watchContext(bytes))
        args.push(bytes, sealed, countedAsWatches(image.signals.length))
      }
      const given = [orgId, idBuffer(orgId), most, untilMs, ...args]
      const reply = await store.write(putWatches, [...placesOf(orgId), ...shards], given)
      return reply === null ? undefined : Number(reply)
    },
    get,
    async list(orgId, after, limit, nowMs) {
      const page = await pageOfSorted(store, keys.watchesOf(orgId), { from: `(${nowMs}`, after, limit })
      const ids = page.flatMap(({ member, score }) =>
        member.length === ID_BYTES ? [{ watchId: formatUuid(member), score }] : [],
      )
      const found = await Promise.all(
        ids.map(async ({ watchId, score }): Promise<WatchEntry[]> => {
          const bytes = idBuffer(watchId)
          const sealed = await store.ask((redis) => redis.hgetBuffer(keys.watches(watchShard(bytes)), bytes))
          // An unreadable watch is listed too, so that it can be removed.
          return sealed === null ? [] : [{ watchId, untilMs: score, reference: readable(bytes, sealed)?.ref }]
        }),
      )
      const watches = found.flat()
      const last = page.at(-1)
      return { watches, next: last === undefined || page.length < limit ? undefined : cursorOf(last) }
    },
    async erase(orgId, ids) {
      const args = [orgId, idBuffer(orgId), keys.prefix, WATCH_SHARDS, ...ids.map(idBuffer)]
      return (await store.write(eraseWatches, [...placesOf(orgId), keys.watchErased], args)) !== null
    },
    async *all() {
      for await (const shard of sealedShards(store, WATCH_TABLE)) {
        yield shard.map(([id, sealed]) => ({ id: formatUuid(id), image: readable(id, sealed) }))
        await nextTick()
      }
    },
  }
}

/** Schedules by end and by organisation. */
function dueWatches(store: Store): Pick<Watches, 'due' | 'discard' | 'ofOrg' | 'orgs'> {
  return {
    async due(nowMs, after, limit) {
      const page = await pageOfSorted(store, keys.watchSchedule, { to: nowMs, after, limit })
      return page.map((entry) => {
        const { member } = entry
        if (member.length !== 2 * ID_BYTES) return { cursor: cursorOf(entry), watch: undefined }
        const watchId = formatUuid(member.subarray(0, ID_BYTES))
        return { cursor: cursorOf(entry), watch: { watchId, orgId: formatUuid(member.subarray(ID_BYTES)) } }
      })
    },
    async discard({ cursor: place }) {
      await store.write(discardDue, [keys.watchSchedule], [Buffer.from(place.member, 'hex'), place.score])
    },
    async ofOrg(orgId, after, limit) {
      const page = await pageOfSorted(store, keys.watchesOf(orgId), { after, limit })
      return page.map((entry) => {
        const { member } = entry
        const watch = member.length === ID_BYTES ? { watchId: formatUuid(member), orgId } : undefined
        return { cursor: cursorOf(entry), watch }
      })
    },
    orgs: () => store.ask((redis) => redis.smembers(keys.watchOrgs)),
  }
}

type Comparisons = Pick<Watches, 'lastPosition' | 'hold' | 'cursor' | 'advance' | 'found'>

/** The comparing process: its lock, its position, and what it found. */
function comparisonsIn(store: Store): Comparisons {
  return {
    lastPosition: () => lastPosition(store, WATCH_STREAM),
    async hold(token, ttlMs) {
      return Number(await store.ask((redis) => redis.eval(holdOutbox.lua, 1, keys.watchHolder, token, ttlMs))) > 0
    },
    async cursor() {
      const cursor = await store.ask((redis) => redis.get(keys.watchCursor))
      const [, revision, digest] = /^(\d+):(.+)$/.exec(cursor ?? '') ?? []
      return revision === undefined || digest === undefined ? undefined : { revision: Number(revision), digest }
    },
    async advance(token, { revision, digest }) {
      const cursor = `${revision}:${digest}`
      await store.ask((redis) => redis.eval(advanceWatching.lua, 2, keys.watchHolder, keys.watchCursor, token, cursor))
    },
    async found({ watchId, imageId, orgId, grade, atMs }) {
      const watch = idBuffer(watchId)
      const image = idBuffer(imageId)
      const scriptKeys = [
        keys.watches(watchShard(watch)),
        keys.watchSchedule,
        keys.images(imageShard(image)),
        keys.watchTold(orgId, image.toString('hex')),
        keys.watchToldOrgs(image.toString('hex')),
      ]
      const args = [watch, image, orgId, idBuffer(orgId), grade, atMs, keys.prefix]
      return Number(await store.write(noteFound, scriptKeys, args)) === 1
    },
  }
}

/** The context that a watch is sealed for. @param id [16 bytes] */
export function watchContext(id: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('watch:'), id])
}

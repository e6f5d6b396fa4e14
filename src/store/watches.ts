// What organisations watch for: sealed in, unsealed out, and gone when its time is over.

import { formatUuid, parseUuid } from '../domain/ids.js'
import type { RegisteredImage } from '../domain/signal.js'
import { lastPosition, type Position, WATCH_STREAM } from './changes.js'
import type { Arg } from './durable-writer.js'
import { decodeImage, encodeImage } from './image-record.js'
import { imageShard, keys, WATCH_SHARDS, watchShard } from './keys.js'
import { holdOutbox } from './scripts/outbox.js'
import { advanceWatching, eraseWatches, noteFound, putWatches } from './scripts/watches.js'
import type { Keyring } from './seal.js'
import type { Store } from './store.js'

/** A picture that an organisation watches for, as an index holds it: its bank is the organisation, by its id. */
export interface StoredWatch {
  readonly id: string
  readonly image: RegisteredImage
}

export interface WatchEntry {
  readonly watchId: string
  readonly reference: string | undefined
  readonly untilMs: number
}

export interface Watches {
  /** Durable when it returns; all or none. @returns the revision that has them; `undefined` when there would be more than `most`. */
  put(orgId: string, watches: readonly StoredWatch[], untilMs: number, most: number): Promise<number | undefined>
  /** Those of `ids` that are there, in their order. */
  get(ids: readonly string[]): Promise<(RegisteredImage | undefined)[]>
  /** Of an organisation, those that end first first, at most `limit`, behind one of them. */
  list(orgId: string, afterId: string | undefined, limit: number, nowMs: number): Promise<WatchEntry[]>
  /** Durable when it returns. Those of other organisations stay. @returns whether there was any. */
  erase(orgId: string, ids: readonly string[]): Promise<boolean>
  /** Some of those that end by now, with whose they are; or of one organisation, all. */
  due(nowMs: number, limit: number): Promise<{ readonly orgId: string; readonly watchId: string }[]>
  /** Ids, at most `limit`. */
  ofOrg(orgId: string, limit: number): Promise<string[]>
  orgs(): Promise<string[]>
  /** All, each once, a shard at a time; as `Images.all`. */
  all(): AsyncGenerator<readonly StoredWatch[]>
  /** The end of their stream. */
  lastPosition(): Promise<Position>
  /** Becomes, or stays, the process that compares registrations with watches. Not on disk when it returns. @returns whether it is. */
  hold(token: string, ttlMs: number): Promise<boolean>
  /** Up to where the images' stream was compared; `undefined` when nothing ever was. */
  cursor(): Promise<Position | undefined>
  /** Not on disk when it returns: who goes on from an earlier revision compares again, and tells nothing twice. */
  advance(token: string, position: Position): Promise<void>
  /** Tells the organisation, unless that was done or either is gone. Durable when it returns. @returns whether it is told. */
  found(found: {
    readonly watchId: string
    readonly imageId: string
    readonly orgId: string
    readonly grade: string
    readonly atMs: number
  }): Promise<boolean>
}

const SHARDS_AT_ONCE = 256

export function watchesIn(store: Store, keyring: Keyring): Watches {
  const open = (id: Buffer, sealed: Buffer) => decodeImage(keyring.unseal(sealed, watchContext(id)))
  const get = async (ids: readonly string[]) => {
    const all = ids.map(idBytes)
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
    keys.watchDues,
    keys.watchOrgs,
    keys.watchRevision,
    keys.watchChanges,
  ]

  return {
    async put(orgId, watches, untilMs, most) {
      const shards: string[] = []
      const args: Arg[] = []
      for (const { id, image } of watches) {
        const bytes = idBytes(id)
        shards.push(keys.watches(watchShard(bytes)))
        args.push(bytes, keyring.seal(encodeImage(image), watchContext(bytes)))
      }
      const given = [orgId, idBytes(orgId), most, untilMs, ...args]
      const reply = await store.write(putWatches, [...placesOf(orgId), ...shards], given)
      return reply === null ? undefined : Number(reply)
    },
    get,
    async list(orgId, afterId, limit, nowMs) {
      const place = keys.watchesOf(orgId)
      const rank = afterId === undefined ? null : await store.ask((redis) => redis.zrank(place, idBytes(afterId)))
      const from = rank === null ? 0 : rank + 1
      const flat = await store.ask((redis) =>
        redis.zrangeBuffer(place, String(from), String(from + limit - 1), 'WITHSCORES'),
      )
      const entries = pairs(flat).map(([id, untilMs]) => ({ watchId: formatUuid(id), untilMs: Number(untilMs) }))
      const images = await get(entries.map(({ watchId }) => watchId))
      return entries.flatMap((entry, i) => {
        const image = images[i]
        return image === undefined || entry.untilMs <= nowMs ? [] : [{ ...entry, reference: image.ref }]
      })
    },
    async erase(orgId, ids) {
      const args = [orgId, idBytes(orgId), keys.prefix, WATCH_SHARDS, ...ids.map(idBytes)]
      return (await store.write(eraseWatches, [...placesOf(orgId), keys.watchErased], args)) !== null
    },
    async due(nowMs, limit) {
      const members = await store.ask((redis) => redis.zrangebyscoreBuffer(keys.watchDues, '-inf', nowMs, 'LIMIT', 0, limit))
      return members.map((member) => ({
        watchId: formatUuid(member.subarray(0, 16)),
        orgId: formatUuid(member.subarray(16, 32)),
      }))
    },
    async ofOrg(orgId, limit) {
      const ids = await store.ask((redis) => redis.zrangeBuffer(keys.watchesOf(orgId), '0', String(limit - 1)))
      return ids.map((id) => formatUuid(id))
    },
    orgs: () => store.ask((redis) => redis.smembers(keys.watchOrgs)),
    async *all() {
      for (let from = 0; from < WATCH_SHARDS; from += SHARDS_AT_ONCE) {
        const shards = await store.ask((redis) =>
          Promise.all(Array.from({ length: SHARDS_AT_ONCE }, (_, i) => redis.callBuffer('HGETALL', keys.watches(from + i)))),
        )
        for (const flat of shards) {
          const found = pairs(flat).map(([id, sealed]) => ({ id: formatUuid(id), image: open(id, sealed) }))
          if (found.length === 0) continue
          yield found
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
    },
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
      const watch = idBytes(watchId)
      const image = idBytes(imageId)
      const places = [
        keys.watches(watchShard(watch)),
        keys.watchDues,
        keys.watchFound(watch.toString('hex')),
        keys.images(imageShard(image)),
      ]
      const args = [watch, image, orgId, idBytes(orgId), grade, atMs, keys.prefix]
      return Number(await store.write(noteFound, places, args)) === 1
    },
  }
}

/** @param id [16 bytes] */
export function watchContext(id: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('watch:'), id])
}

/** A flat list of members and scores, or fields and values, as RESP2 has it. */
function pairs(flat: unknown): [Buffer, Buffer][] {
  if (!Array.isArray(flat)) throw new Error('Redis answers with a list')
  const found: [Buffer, Buffer][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const one: unknown = flat[i]
    const other: unknown = flat[i + 1]
    if (Buffer.isBuffer(one) && Buffer.isBuffer(other)) found.push([one, other])
  }
  return found
}

function idBytes(id: string): Buffer {
  const bytes = parseUuid(id)
  if (bytes === undefined) throw new RangeError('ids of watches, images and organisations are UUIDs')
  return Buffer.from(bytes)
}

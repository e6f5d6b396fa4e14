// Reads the sealed records or points of images: of given ids, or all records shard by shard.

import type { Redis } from 'ioredis'
import type { Store } from '../redis/client.js'
import { detailShard, imageShard, keys } from '../redis/keys.js'
import { filledImageShards } from '../scripts/images/filled-shards.js'
import { readImages } from '../scripts/images/read-images.js'
import { IMAGE_SHARDS } from '../scripts/shards.js'

/** In which Redis hash an image's sealed bytes are, and how many are read per command. Redis serves no other client meanwhile. */
export interface Kept {
  readonly shardOf: (id: Buffer) => string
  readonly atOnce: number
}

export const RECORDS: Kept = { shardOf: (id) => keys.images(imageShard(id)), atOnce: 512 }
/** Points are about twenty times as large as a record. */
export const POINTS: Kept = { shardOf: (id) => keys.details(detailShard(id)), atOnce: 32 }

/** A reply that reaches this ends, however few images it has: it keeps Redis and this process busy for some milliseconds. */
const BYTES_AT_ONCE = 4 << 20

/** The sealed bytes of `ids` [16 bytes each], in their order. Uses a script: one command per id would dominate the cost. */
export async function sealedOf(redis: Redis, ids: readonly Buffer[], kept: Kept): Promise<(Buffer | undefined)[]> {
  const sealed: (Buffer | undefined)[] = []
  while (sealed.length < ids.length) for (const one of await firstSealedOf(redis, ids, sealed.length, kept)) sealed.push(one)
  return sealed
}

/** The same of the ids from an index on: at least one, and at most what a reply holds. */
export async function firstSealedOf(
  redis: Redis,
  ids: readonly Buffer[],
  from: number,
  { shardOf, atOnce }: Kept,
): Promise<(Buffer | undefined)[]> {
  const some = ids.slice(from, from + atOnce)
  const shards = some.map(shardOf)
  const replies = await redis.callBuffer('EVAL', readImages.lua, shards.length, ...shards, BYTES_AT_ONCE, ...some)
  if (!Array.isArray(replies) || replies.length === 0) throw new Error('a script of a list answers with a list')
  return replies.map((reply) => (Buffer.isBuffer(reply) ? reply : undefined))
}

/** A table in Redis hashes by the last bytes of an id. */
export interface ShardedTable {
  readonly shards: number
  readonly keyOf: (shard: number) => string
  /** Which shards of a range have an entry. */
  readonly filled: { readonly lua: string }
}

/** All registered images by their ids. */
export const IMAGE_TABLE: ShardedTable = { shards: IMAGE_SHARDS, keyOf: keys.images, filled: filledImageShards }

/** Shards that are looked at in one script call: about a millisecond of Redis. */
const SHARDS_LOOKED_AT = 4096
/** Shards read in one round trip. Fewer once they have much. */
const MAX_SHARDS_AT_ONCE = 256

/** All entries as [id, sealed], one non-empty shard at a time, each once. Concurrent changes may be included or not. */
export async function* sealedShards(store: Store, table: ShardedTable): AsyncGenerator<[Buffer, Buffer][]> {
  let count = MAX_SHARDS_AT_ONCE
  for (let first = 0; first < table.shards; first += SHARDS_LOOKED_AT) {
    const filled = await filledOf(store, table, first, Math.min(first + SHARDS_LOOKED_AT, table.shards) - 1)
    for (let at = 0; at < filled.length; ) {
      const shards = await readAtOnce(store, filled.slice(at, at + count).map(table.keyOf))
      at += shards.length
      let bytes = 0
      for (const flat of shards) {
        const found = [...pairs(flat)]
        for (const [, sealed] of found) bytes += sealed.length
        if (found.length > 0) yield found
      }
      count = bytes > BYTES_AT_ONCE ? Math.max(1, count >>> 1) : Math.min(MAX_SHARDS_AT_ONCE, 2 * count)
    }
  }
}

/** A small registry fills few shards: reading all of them would take most of the time of a start, or of an export. */
async function filledOf(store: Store, { filled }: ShardedTable, first: number, last: number): Promise<number[]> {
  const reply = await store.ask((redis) => redis.eval(filled.lua, 1, keys.prefix, first, last))
  if (!Array.isArray(reply)) throw new Error('a script of a list answers with a list')
  return reply.map(Number)
}

/** Flat replies of HGETALL, not objects: ids are binary, and keys of objects are text. */
function readAtOnce(store: Store, shards: readonly string[]): Promise<unknown[]> {
  return store.ask(async (redis) => {
    const pipeline = redis.pipeline() // one write to the socket: separate writes would take most of the time
    for (const shard of shards) pipeline.callBuffer('HGETALL', shard)
    const replies = (await pipeline.exec()) ?? []
    return replies.map(([error, flat]) => {
      if (error !== null) throw error
      return flat
    })
  })
}

/** A flat reply of HGETALL: id, sealed, id, sealed … */
function* pairs(flat: unknown): Generator<[Buffer, Buffer]> {
  if (!Array.isArray(flat)) throw new Error('HGETALL answers with a list')
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const id: unknown = flat[i]
    const sealed: unknown = flat[i + 1]
    if (Buffer.isBuffer(id) && Buffer.isBuffer(sealed)) yield [id, sealed]
  }
}

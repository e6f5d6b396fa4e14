// Reads the sealed records or points of images: of given ids, or all records shard by shard.

import type { Redis } from 'ioredis'
import type { Store } from '../redis/client.js'
import { detailShard, imageShard, keys } from '../redis/keys.js'
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

/** All sealed records as [id, sealed], one non-empty shard at a time, each once. Concurrent changes may be included or not. */
export async function* sealedShards(store: Store): AsyncGenerator<[Buffer, Buffer][]> {
  let count = MAX_SHARDS_AT_ONCE
  for (let from = 0; from < IMAGE_SHARDS; ) {
    const shards = await shardsFrom(store, from, Math.min(count, IMAGE_SHARDS - from))
    from += shards.length
    let bytes = 0
    for (const flat of shards) {
      const found = [...pairs(flat)]
      for (const [, sealed] of found) bytes += sealed.length
      if (found.length > 0) yield found
    }
    count = bytes > BYTES_AT_ONCE ? Math.max(1, count >>> 1) : Math.min(MAX_SHARDS_AT_ONCE, 2 * count)
  }
}

/** Shards read in one round trip: most may be empty. Fewer once they have much. */
const MAX_SHARDS_AT_ONCE = 256

/** Flat replies of HGETALL per shard. Not objects: ids are binary, and keys of objects are not. */
function shardsFrom(store: Store, from: number, count: number): Promise<unknown[]> {
  return store.ask(async (redis) => {
    const pipeline = redis.pipeline() // one write to the socket: separate writes would take most of the time
    for (let i = 0; i < count; i++) pipeline.callBuffer('HGETALL', keys.images(from + i))
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

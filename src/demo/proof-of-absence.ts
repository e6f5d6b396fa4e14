// Searches everything that the service left for traces of the pictures.

import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import type { Evidence } from './left-behind.js'

/** A place that was searched. `items` are keys, files or streams. */
export interface Searched {
  readonly items: number
  readonly bytes: number
  readonly found: number
}

const SCAN_COUNT = 500

/** Searches every key with all its values through the client: in the files they may be compressed. */
export async function searchRedis(redis: Redis, evidence: Evidence): Promise<Searched> {
  const seen = new Set<string>()
  let total: Searched = { items: 0, bytes: 0, found: 0 }
  let cursor = '0'
  do {
    const [next, keys] = await redis.scanBuffer(cursor, 'COUNT', SCAN_COUNT)
    cursor = next.toString()
    for (const key of keys) {
      if (seen.has(key.toString('hex'))) continue // SCAN may return a key twice
      seen.add(key.toString('hex'))
      total = sum(total, searchParts([key, ...(await valuesOf(redis, key))], evidence))
    }
  } while (cursor !== '0')
  return { ...total, items: seen.size }
}

/** Searches every file of a folder, such as Redis's append-only and snapshot files. */
export async function searchFolder(folder: string, evidence: Evidence): Promise<Searched> {
  let total: Searched = { items: 0, bytes: 0, found: 0 }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    total = sum(total, searchParts([Buffer.from(entry.name)], evidence))
    if (entry.isFile()) total = sum(total, await searchFile(join(entry.parentPath, entry.name), evidence))
  }
  return total
}

export function searchText(text: Buffer, evidence: Evidence): Searched {
  return { ...searchParts([text], evidence), items: 1 }
}

async function searchFile(path: string, evidence: Evidence): Promise<Searched> {
  let found = 0
  let carry = Buffer.alloc(0)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const piece = Buffer.concat([carry, chunk])
    const settledBytes = Math.max(0, piece.length - evidence.overlapBytes)
    found += evidence.countIn(piece, settledBytes)
    carry = piece.subarray(settledBytes)
  }
  return { items: 1, bytes: (await stat(path)).size, found: found + evidence.countIn(carry) }
}

async function valuesOf(redis: Redis, key: Buffer): Promise<Buffer[]> {
  switch (await redis.type(key)) {
    case 'string':
      return buffersIn(await redis.callBuffer('GET', key))
    case 'hash': // HGETALL would decode field names as text
      return buffersIn([await redis.callBuffer('HKEYS', key), await redis.callBuffer('HVALS', key)])
    case 'list':
      return buffersIn(await redis.callBuffer('LRANGE', key, '0', '-1'))
    case 'set':
      return buffersIn(await redis.callBuffer('SMEMBERS', key))
    case 'zset':
      return buffersIn(await redis.callBuffer('ZRANGE', key, '0', '-1'))
    case 'stream':
      return buffersIn(await redis.callBuffer('XRANGE', key, '-', '+'))
    default:
      return buffersIn(await redis.callBuffer('DUMP', key))
  }
}

function buffersIn(reply: unknown): Buffer[] {
  if (Buffer.isBuffer(reply)) return [reply]
  if (Array.isArray(reply)) return reply.flatMap(buffersIn)
  return reply === null || reply === undefined ? [] : [Buffer.from(String(reply))]
}

function searchParts(parts: readonly Buffer[], evidence: Evidence): Searched {
  let bytes = 0
  let found = 0
  for (const part of parts) {
    bytes += part.length
    found += evidence.countIn(part)
  }
  return { items: 0, bytes, found }
}

function sum(a: Searched, b: Searched): Searched {
  return { items: a.items + b.items, bytes: a.bytes + b.bytes, found: a.found + b.found }
}

// The two ways to Redis on a request's path: a read, and a write that is on disk when it returns.

import { createHash } from 'node:crypto'
import { Redis, type RedisOptions } from 'ioredis'
import { Problem } from '../domain/problem.js'

export interface RedisTarget {
  readonly url: string | undefined
  /** Path of a unix socket; wins over `url`. */
  readonly socket: string | undefined
}

/** A script and how many of its arguments are keys: one file each in scripts/. */
export interface Script {
  readonly numberOfKeys: number | 'some'
  readonly lua: string
}

/**
 * `fsync`: a write is answered when Redis says that its log is on disk. `unknown`: the server has no such command (before
 * 7.2). `none`: its log is switched off, and nothing that is written survives a crash.
 */
export type Durability = 'fsync' | 'unknown' | 'none'

export type Arg = string | number | Buffer

export interface Store {
  /** For reads, and for what may be lost in a crash (tokens, counters). @throws {Problem} store-away */
  ask<T>(question: (redis: Redis) => Promise<T>): Promise<T>
  /** Runs a script and waits for the disk. Strings in the reply are Buffers. @throws {Problem} store-away, also when the disk is not reached in time. */
  write(script: Script, keys: readonly string[], args: readonly Arg[]): Promise<unknown>
  readonly durability: Durability
  close(): Promise<void>
}

const COMMAND_TIMEOUT_MS = 3000
const FSYNC_TIMEOUT_MS = 2500
const RETRY_AFTER_S = 2
const FOLLOWER_SILENCE_MS = 3000

/** Connection that fails at once when Redis is away, instead of queueing what nobody will wait for. */
export function connectForRequests(target: RedisTarget): Redis {
  return connect(target, { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: COMMAND_TIMEOUT_MS })
}

/** Connection that waits for Redis however long it takes: for workers. */
export function connectForWaiting(target: RedisTarget): Redis {
  return connect(target, { maxRetriesPerRequest: null })
}

/** Connection that blocks for moments at a time: silence for longer means that the line is dead, and it is made anew. */
export function connectForFollowing(target: RedisTarget): Redis {
  return connect(target, { maxRetriesPerRequest: 1, enableOfflineQueue: true, socketTimeout: FOLLOWER_SILENCE_MS })
}

/**
 * Connects, and finds out what durability the server offers.
 * Reads and writes have a connection each: waiting for the disk holds up whatever is behind it.
 */
export async function openStore(target: RedisTarget): Promise<Store> {
  const reader = connectForRequests(target)
  const writer = connectForRequests(target)
  await Promise.all([reader.connect(), writer.connect()])
  let durability = await probeDurability(writer)
  writer.on('ready', () => {
    probeDurability(writer).then(
      (probed) => {
        durability = probed
      },
      () => {}, // gone again: the next 'ready' asks anew
    )
  })

  return {
    async ask(question) {
      try {
        return await question(reader)
      } catch (error) {
        throw awayOr(error)
      }
    },
    async write(script, keys, args) {
      try {
        return await runDurably(writer, script, keys, args, durability)
      } catch (error) {
        throw awayOr(error)
      }
    },
    get durability() {
      return durability
    },
    async close() {
      reader.disconnect()
      writer.disconnect()
    },
  }
}

async function runDurably(
  redis: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly Arg[],
  durability: Durability,
): Promise<unknown> {
  if (script.numberOfKeys !== 'some' && script.numberOfKeys !== keys.length)
    throw new RangeError('wrong number of keys for a script')
  for (const known of [true, false]) {
    const pipeline = redis.pipeline()
    const body = known ? sha1(script.lua) : script.lua
    pipeline.callBuffer(known ? 'EVALSHA' : 'EVAL', body, keys.length, ...keys, ...args)
    if (durability === 'fsync') pipeline.call('WAITAOF', 1, 0, FSYNC_TIMEOUT_MS)
    const [reply, synced] = (await pipeline.exec()) ?? []
    if (reply === undefined) throw new Problem('store-away', { retryAfterS: RETRY_AFTER_S })
    const [error, value] = reply
    if (error !== null) {
      if (known && error.message.startsWith('NOSCRIPT')) continue
      throw error
    }
    if (synced?.[0]) throw synced[0]
    if (synced !== undefined && !(Array.isArray(synced[1]) && Number(synced[1][0]) >= 1)) {
      throw new Problem('store-away', { retryAfterS: RETRY_AFTER_S })
    }
    return value
  }
  throw new Error('Redis does not know a script that it was given')
}

async function probeDurability(redis: Redis): Promise<Durability> {
  try {
    await redis.call('WAITAOF', 1, 0, 1)
    return 'fsync'
  } catch (error) {
    const text = error instanceof Error ? error.message : ''
    if (/appendonly/i.test(text)) return 'none'
    if (/unknown command/i.test(text)) return 'unknown'
    throw error
  }
}

// 'legacy': replies keep the shapes of RESP2 whatever the server speaks; parsers here rely on it.
function connect(target: RedisTarget, options: RedisOptions): Redis {
  const common = { ...options, lazyConnect: true, retryStrategy: retryDelayMs, replyMapping: 'legacy' as const }
  const redis =
    target.socket !== undefined
      ? new Redis(target.socket, common)
      : new Redis(target.url ?? 'redis://127.0.0.1:6379', common)
  redis.on('error', () => {}) // every command that fails says so itself; without a listener the process would end
  return redis
}

/** What ioredis throws when Redis cannot be reached, is loading, full or read-only is the caller's to retry; the rest is a bug. */
function awayOr(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Problem) return error
  const away =
    /Connection is closed|writeable and enableOfflineQueue|timed out|max retries|ECONNREFUSED|ECONNRESET|EPIPE|ENOENT/i.test(
      error.message,
    ) || /^(LOADING|MASTERDOWN|READONLY|OOM|MISCONF|BUSY|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED)/.test(error.message)
  return away ? new Problem('store-away', { retryAfterS: RETRY_AFTER_S, cause: error }) : error
}

function retryDelayMs(attempt: number): number {
  return Math.min(50 * attempt, 500)
}

function sha1(text: string): string {
  let digest = digests.get(text)
  if (digest === undefined) {
    digest = createHash('sha1').update(text).digest('hex')
    digests.set(text, digest)
  }
  return digest
}
const digests = new Map<string, string>()

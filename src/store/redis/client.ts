// The two ways to Redis on a request's path: a question, and a write that is on disk when it returns.

import { Redis, type RedisOptions } from 'ioredis'
import { Problem } from '../../domain/problem.js'
import type { UnavailableCause } from '../../domain/store-unavailable.js'
import type { Script } from '../scripts/script.js'
import { type Arg, type Durability, DurableWriter } from './durable-writer.js'
import { keys } from './keys.js'
import { tlsOf } from './master-connector.js'
import { parseRedisUrl, type RedisPlace } from './redis-url.js'
import { sentinelConnector } from './sentinel-connector.js'
import { isUnavailable, refusalIn, unavailableErrorFor } from './unavailable-cause.js'

export interface RedisTarget {
  readonly url: string | undefined
  /** Path of a unix socket; wins over `url`. */
  readonly socket: string | undefined
  /** How long an answer is waited for before Redis is unavailable; as is promised when left out, as it is outside tests. */
  readonly commandTimeoutMs?: number
}

export interface Store {
  /** For reads, and for what may be lost in a crash (tokens, counters). @throws {Problem} store-unavailable */
  ask<T>(question: (redis: Redis) => Promise<T>): Promise<T>
  /** Runs a script and waits for the disk. Strings in the reply are Buffers. @throws {Problem} store-unavailable */
  write(script: Script, keys: readonly string[], args: readonly Arg[]): Promise<unknown>
  readonly durability: Durability
  /** How often Redis could not be used, by why, since this process started. */
  readonly unavailableCounts: ReadonlyMap<UnavailableCause, number>
  /**
   * The digest that the stream of images had at a revision when this process wrote it; `undefined` for what it did not write or has forgotten.
   * A revision may be given twice, in two histories: the digest says in which of both a write is.
   */
  digestWritten(revision: number): string | undefined
  /** Forgets these digests: the store turned out to hold another history. */
  forgetWritten(): void
  /** How often `ask` was connected: answers between which it rises may be of two servers. */
  readonly connections: number
  close(): Promise<void>
}

/** Silence for so long, while something is asked for, means that the line is dead. */
const ANSWERS_TIMEOUT_MS = 3000
const RETRY_AFTER_S = 2
const REACHED_TIMEOUT_MS = 1000
/** How often the server is asked whether its log is still on: CONFIG SET changes that without a word. */
const PROBE_INTERVAL_MS = 5000
/** Digests of own writes: far more than are waited for at a time. */
const MAX_WRITTEN = 4096
/** BullMQ blocks for up to 10 s at a time. */
const WAITING_SILENCE_MS = 15_000

/** Connection that fails at once when Redis is unavailable, instead of queueing what nobody will wait for. */
export function connectForRequests(target: RedisTarget): Redis {
  return connect(target, { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: commandTimeoutMs(target) })
}

/**
 * The same, and what was sent when the connection broke is not sent again by itself: it may have happened, and whoever asked for it must hear
 * that nobody knows, not that there is such a case already.
 */
function connectForWrites(target: RedisTarget): Redis {
  return connect(target, { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: commandTimeoutMs(target) })
}

/** Connection that waits for Redis however long it takes: for workers. */
export function connectForWaiting(target: RedisTarget): Redis {
  return connect(target, { maxRetriesPerRequest: null })
}

/** Connection that blocks for moments at a time: silence for longer means that the line is dead, and it is made anew. */
export function connectForFollowing(target: RedisTarget): Redis {
  return connect(target, { maxRetriesPerRequest: 1, socketTimeout: commandTimeoutMs(target) })
}

/**
 * Ends what a connection waits for, and has it made again. One that is being made waits for nothing; to end it then would end it for good, since
 * ioredis connects again only after a socket was closed, and there may be none yet.
 */
export function interrupt(redis: Redis): void {
  if (redis.status === 'ready') redis.disconnect(true)
}

/** Connects a connection that was made here. @throws why not; then it is given up. */
export async function reach(redis: Redis): Promise<void> {
  let why: unknown
  const note = (error: unknown) => {
    why ??= error // what the promise is rejected with says only that the connection is closed
  }
  redis.on('error', note)
  try {
    await redis.connect()
  } catch (error) {
    redis.disconnect()
    throw why ?? error
  } finally {
    redis.off('error', note)
  }
}

/** @throws what ioredis throws when Redis cannot be reached; for an operator, with a remedy, when waiting does not help. */
export async function openStore(target: RedisTarget, probeIntervalMs = PROBE_INTERVAL_MS): Promise<Store> {
  const reader = connectForRequests(target)
  const writing = connectForWrites(target)
  const written = new Map<number, string>()
  const replicas = target.url === undefined ? 0 : parseRedisUrl(target.url).replicas
  const writer = new DurableWriter(writing, replicas, undefined, ({ stream, revision, digest }) => {
    if (stream !== keys.changes) return
    written.delete(revision)
    written.set(revision, digest)
    const [oldest] = written.size > MAX_WRITTEN ? written.keys() : []
    if (oldest !== undefined) written.delete(oldest)
  })
  let connections = 0
  reader.on('ready', () => {
    connections++
  })
  try {
    await Promise.all([reach(reader), reach(writing)])
    await writer.probe()
    requireNoCluster(await reader.info('cluster'))
  } catch (error) {
    reader.disconnect()
    writing.disconnect()
    throw refusalIn(unavailableErrorFor(error)) ?? error
  }
  const probing = setInterval(() => void writer.probe().catch(() => {}), probeIntervalMs).unref()

  const unavailableCounts = new Map<UnavailableCause, number>()
  let connectionError: unknown
  for (const redis of [reader, writing]) {
    redis.on('error', (error: unknown) => {
      connectionError = error
    })
    redis.on('ready', () => {
      connectionError = undefined
    })
  }
  /** What ioredis throws when Redis cannot be used is the caller's to retry; the rest is a bug. */
  const orUnavailable = async <T>(result: Promise<T>): Promise<T> => {
    try {
      return await result
    } catch (error) {
      const isOurs = error instanceof Problem && error.code === 'store-unavailable'
      if (!isOurs && !isUnavailable(error)) throw error
      const cause = unavailableErrorFor(isOurs ? error.cause : error, connectionError)
      unavailableCounts.set(cause.unavailableCause, (unavailableCounts.get(cause.unavailableCause) ?? 0) + 1)
      throw new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S, reason: 'store-unavailable', cause })
    }
  }

  return {
    ask: (question) => orUnavailable(question(reader)),
    write: (script, keys, args) => orUnavailable(writer.write(script, keys, args)),
    unavailableCounts,
    get durability() {
      return writer.durability
    },
    digestWritten: (revision) => written.get(revision),
    forgetWritten: () => written.clear(),
    get connections() {
      return connections
    },
    async close() {
      clearInterval(probing)
      reader.disconnect()
      writing.disconnect()
    },
  }
}

/** A script touches several keys, and commands are not routed: in a Cluster some would fail, and a failover would not be followed. */
function requireNoCluster(info: string): void {
  if (!/^cluster_enabled:1\b/m.test(info)) return
  throw new Error('This Redis runs in cluster mode, which Tabir does not support: use a single server, or Sentinels.')
}

// 'legacy': replies keep the shapes of RESP2 whatever the server speaks; parsers here rely on it.
function connect(target: RedisTarget, options: RedisOptions): Redis {
  const common = { ...options, lazyConnect: true, retryStrategy: retryDelayMs, replyMapping: 'legacy' as const }
  const redis =
    target.socket !== undefined
      ? new Redis(target.socket, common)
      : connectTo(parseRedisUrl(target.url ?? 'redis://127.0.0.1:6379'), common)
  redis.on('error', () => {}) // every command that fails says so itself; without a listener the process would end
  return redis
}

function connectTo({ address }: RedisPlace, given: RedisOptions & { readonly replyMapping: 'legacy' }): Redis {
  // A host that was cut off keeps its connections, and perhaps nobody says that it is gone: its silence does.
  const common = { ...given, socketTimeout: given.socketTimeout ?? given.commandTimeout ?? WAITING_SILENCE_MS }
  if (address.kind === 'server') return new Redis(address.url, common)
  const { username, password } = address
  return new Redis({
    ...common,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...tlsOf(address),
    Connector: sentinelConnector(address),
    // A host that is cut off refuses nothing: so long it is tried to reach the master on it.
    connectTimeout: REACHED_TIMEOUT_MS,
    // The server is a replica now: the new master has to be found.
    reconnectOnError: ({ message }) => /^READONLY\b/.test(message),
  })
}

export function commandTimeoutMs(target: RedisTarget): number {
  return target.commandTimeoutMs ?? ANSWERS_TIMEOUT_MS
}

function retryDelayMs(attempt: number): number {
  return Math.min(50 * attempt, 500)
}

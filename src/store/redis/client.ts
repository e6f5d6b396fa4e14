// How requests use Redis: reads (`ask`), and writes that are on disk when they return (`write`). Also makes the connections.

import { Redis, type RedisOptions } from 'ioredis'
import { Problem } from '../../domain/problem.js'
import type { UnavailableCause } from '../../domain/store-unavailable.js'
import type { Script } from '../scripts/script.js'
import { type Announced, type Arg, type Durability, DurableWriter } from './durable-writer.js'
import { keys } from './keys.js'
import { tlsOf } from './master-connector.js'
import { parseRedisUrl, type RedisPlace } from './redis-url.js'
import { sentinelConnector } from './sentinel-connector.js'
import { errorWithRemedy, isUnavailable, unavailableErrorFor } from './unavailable-cause.js'
import { ANSWERS_TIMEOUT_MS } from './write-deadline.js'

export interface RedisTarget {
  readonly url: string | undefined
  /** Path of a unix socket; wins over `url`. */
  readonly socket: string | undefined
  /** Redis counts as unavailable when it does not answer for this long. The default is 3 s, for requests. */
  readonly commandTimeoutMs?: number
}

export interface Store {
  /** For reads, and for writes that a crash may lose (tokens, counters). @throws {Problem} store-unavailable */
  ask<T>(question: (redis: Redis) => Promise<T>): Promise<T>
  /** Runs a script and waits for the disk. Strings in the reply are Buffers. @throws {Problem} store-unavailable */
  write(script: Script, keys: readonly string[], args: readonly Arg[]): Promise<unknown>
  readonly durability: Durability
  /** Failed uses of Redis since this process started, by cause. */
  readonly unavailableCounts: ReadonlyMap<UnavailableCause, number>
  /**
   * The digest of the change stream of images at a revision that this process wrote. `undefined` if it did not write that revision, or no
   * longer remembers. After a failover or a restore a revision number can be reused: the digest tells the two histories apart.
   */
  digestWritten(revision: number): string | undefined
  /** Forgets these digests. To be called when the store turns out to hold another history. */
  forgetWritten(): void
  /** How often `ask` has connected. If it rises between two answers, they may come from two servers. */
  readonly connections: number
  close(): Promise<void>
}

const RETRY_AFTER_S = 2
const REACHED_TIMEOUT_MS = 1000
/** How often to check that the append-only file is still on: CONFIG SET can switch it off at any time. */
const PROBE_INTERVAL_MS = 5000
/** Remembered digests of this process's writes: far more than are awaited at a time. */
const MAX_WRITTEN = 4096
const NO_DATABASE =
  'Redis has no database with the number at the end of REDIS_URL: it has as many as its setting `databases` says, from 0.'
/** BullMQ blocks for up to 10 s at a time. */
const WAITING_SILENCE_MS = 15_000

/** Connection that fails at once when Redis is unavailable: a queued command would outlive its request. */
export function connectForRequests(target: RedisTarget): Redis {
  return connect(target, { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: commandTimeoutMs(target) })
}

/**
 * The same without automatic retries. A write that was sent when the connection broke may have happened: the caller gets "unknown". A retry
 * could answer "this case exists already" instead.
 */
function connectForWrites(target: RedisTarget): Redis {
  return connect(target, { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: commandTimeoutMs(target) })
}

/** Connection that waits for Redis without a limit, for workers. */
export function connectForWaiting(target: RedisTarget): Redis {
  return connect(target, { maxRetriesPerRequest: null })
}

/** Connection for short blocking reads. Silence beyond the command timeout means that it is dead; then it reconnects. */
export function connectForFollowing(target: RedisTarget): Redis {
  return connect(target, { maxRetriesPerRequest: 1, socketTimeout: commandTimeoutMs(target) })
}

/**
 * Aborts pending commands of a connection and reconnects. Does nothing while it is still connecting: no command is pending then, and ioredis
 * reconnects only after a socket was closed, so disconnecting could end the connection for good.
 */
export function interrupt(redis: Redis): void {
  if (redis.status === 'ready') redis.disconnect(true)
}

/**
 * Connects. @throws the cause of the failure; the connection is closed then. Also where the database of the address does not exist: ioredis would
 * go on in database 0, which may be another service's.
 */
export async function reach(redis: Redis): Promise<void> {
  let why: unknown
  const note = (error: unknown) => {
    why ??= error // `connect` rejects with "Connection is closed", without the cause
  }
  redis.on('error', note)
  try {
    await redis.connect()
    if (redis.options.db) await redis.select(redis.options.db)
  } catch (error) {
    redis.disconnect()
    if (/DB index/.test(`${why} ${error}`)) throw new Error(NO_DATABASE)
    throw why ?? error
  } finally {
    redis.off('error', note)
  }
}

/**
 * Opens two connections, one for reads and one for writes.
 * @throws the error of ioredis when Redis cannot be reached; an error with a remedy for the operator when waiting does not help.
 */
export async function openStore(target: RedisTarget, probeIntervalMs = PROBE_INTERVAL_MS): Promise<Store> {
  const reader = connectForRequests(target)
  const writing = connectForWrites(target)
  const written = new Map<number, string>()
  const replicas = target.url === undefined ? 0 : parseRedisUrl(target.url).replicas
  const noteWritten = ({ stream, revision, digest }: Announced) => {
    if (stream !== keys.changes) return
    written.delete(revision)
    written.set(revision, digest)
    const [oldest] = written.size > MAX_WRITTEN ? written.keys() : []
    if (oldest !== undefined) written.delete(oldest)
  }
  const writer = new DurableWriter(writing, replicas, undefined, noteWritten, commandTimeoutMs(target))
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
    throw errorWithRemedy(unavailableErrorFor(error)) ?? error
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
  /** Turns errors of an unavailable Redis into `store-unavailable`, which callers may retry. Any other error is a bug. */
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

/** Commands are not routed between nodes: in a Cluster some scripts would fail, and a failover would not be followed. */
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
  redis.on('error', () => {}) // failing commands reject by themselves; without a listener the process would end
  return redis
}

function connectTo({ address }: RedisPlace, given: RedisOptions & { readonly replyMapping: 'legacy' }): Redis {
  // A host that was cut off does not close its connections. Only its silence shows it.
  const common = { ...given, socketTimeout: given.socketTimeout ?? given.commandTimeout ?? WAITING_SILENCE_MS }
  if (address.kind === 'server') return new Redis(address.url, common)
  const { username, password } = address
  return new Redis({
    ...common,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...tlsOf(address),
    Connector: sentinelConnector(address),
    // A host that was cut off does not refuse connections either.
    connectTimeout: REACHED_TIMEOUT_MS,
    // READONLY: the server became a replica. Reconnecting finds the new master.
    reconnectOnError: ({ message }) => /^READONLY\b/.test(message),
  })
}

export function commandTimeoutMs(target: RedisTarget): number {
  return target.commandTimeoutMs ?? ANSWERS_TIMEOUT_MS
}

function retryDelayMs(attempt: number): number {
  return Math.min(50 * attempt, 500)
}

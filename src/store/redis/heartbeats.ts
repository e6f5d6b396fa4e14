// Heartbeats of worker and messenger processes: each writes its id with the time of Redis's clock, so that clocks of hosts do not matter.

import type { Redis } from 'ioredis'
import type { IsolationLayer } from '../../domain/isolation-layers.js'
import type { Store } from './client.js'
import { keys } from './keys.js'
import { storeTimeMs } from './store-time.js'

export const HEARTBEAT_INTERVAL_MS = 5000
/** A process without a heartbeat for this long is silent: it missed three. */
export const SILENT_AFTER_MS = 15_000
/** A process without a heartbeat for this long is no longer counted. */
export const FORGOTTEN_AFTER_MS = 600_000

/** Redis key per kind of process. */
export const HEARTBEATS = { workers: keys.workerHeartbeats, messengers: keys.messengerHeartbeats } as const
export type ProcessKind = keyof typeof HEARTBEATS

export interface ProcessCount {
  readonly alive: number
  /** No heartbeat for `SILENT_AFTER_MS`, but one in the last `FORGOTTEN_AFTER_MS`: crashed or hanging. */
  readonly silent: number
}

/** Records a heartbeat. @param workerId of the process, from `createWorkerId`; new for each start. */
export async function heartbeat(redis: Redis, workerId: string, whose: ProcessKind = 'workers'): Promise<void> {
  await redis.zadd(HEARTBEATS[whose], await storeTimeMs(redis), workerId)
}

/** Removes a process that ends normally, so that it does not count as silent. */
export async function lastHeartbeat(redis: Redis, workerId: string, whose: ProcessKind = 'workers'): Promise<void> {
  await redis.zrem(HEARTBEATS[whose], workerId)
}

/** Counts the processes of one kind. Removes those that are no longer counted. @throws {Problem} store-unavailable */
export function countAlive(store: Store, whose: ProcessKind): Promise<ProcessCount> {
  const heartbeats = HEARTBEATS[whose]
  return store.ask(async (redis) => {
    const nowMs = await storeTimeMs(redis)
    await redis.zremrangebyscore(heartbeats, '-inf', nowMs - FORGOTTEN_AFTER_MS)
    // Left from when Redis's clock was ahead. A process that died since would count as alive until the clock gets there.
    await redis.zremrangebyscore(heartbeats, nowMs + SILENT_AFTER_MS, '+inf')
    const alive = await redis.zcount(heartbeats, nowMs - SILENT_AFTER_MS, '+inf')
    return { alive, silent: (await redis.zcard(heartbeats)) - alive }
  })
}

/** For a restore: heartbeats in the backup are of processes of the old service. */
export async function forgetHeartbeats(store: Store): Promise<void> {
  await store.ask((redis) => redis.del(...Object.values(HEARTBEATS)))
}

/** What a worker may lack: a layer of its sandbox, or the program that decodes videos. */
export type Lacking = IsolationLayer | 'ffmpeg'

/** @returns the id of a process, with what it lacks: `<random>|<lacking>,<lacking>…`. Readers ignore words that they do not know. */
export function createWorkerId(random: string, lacking: readonly Lacking[]): string {
  return `${random}|${lacking.join(',')}`
}

/** How many live workers lack each sandbox layer. @throws {Problem} store-unavailable */
export function countLacking(store: Store): Promise<Readonly<Record<IsolationLayer, number>>> {
  return store.ask(async (redis) => {
    const lacking = await lackingOfEach(redis)
    const count = (layer: IsolationLayer) => lacking.filter((layers) => layers.includes(layer)).length
    return {
      'no-network': count('no-network'),
      'no-capabilities': count('no-capabilities'),
      'no-new-privileges': count('no-new-privileges'),
      'no-core-dump': count('no-core-dump'),
      'no-bytes-written': count('no-bytes-written'),
      'node-permissions': count('node-permissions'),
      'no-writable-mounts': count('no-writable-mounts'),
      'no-other-processes': count('no-other-processes'),
      'no-secret-files': count('no-secret-files'),
      'one-process': count('one-process'),
      'few-threads': count('few-threads'),
    }
  })
}

/**
 * Whether no live worker has a program that decodes videos. False without any live worker, because one may be starting.
 * @throws {Problem} store-unavailable
 */
export function lackVideoDecoders(store: Store): Promise<boolean> {
  return store.ask(async (redis) => {
    const lacking = await lackingOfEach(redis)
    return lacking.length > 0 && lacking.every((words) => words.includes('ffmpeg' satisfies Lacking))
  })
}

async function lackingOfEach(redis: Redis): Promise<string[][]> {
  const nowMs = await storeTimeMs(redis)
  const alive = await redis.zrangebyscore(keys.workerHeartbeats, nowMs - SILENT_AFTER_MS, nowMs + SILENT_AFTER_MS)
  return alive.map((id) => id.slice(id.indexOf('|') + 1).split(','))
}

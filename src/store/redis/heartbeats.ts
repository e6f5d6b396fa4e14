// Signs of life of worker and messenger processes, by the clock of Redis: whose clock is right does not matter then.

import type { Redis } from 'ioredis'
import type { IsolationLayer } from '../../domain/isolation-layers.js'
import type { Store } from './client.js'
import { keys } from './keys.js'

export const HEARTBEAT_INTERVAL_MS = 5000
/** Three beats that did not come. */
export const SILENT_AFTER_MS = 15_000
/** A worker that ended without a word is told of for so long. */
export const FORGOTTEN_AFTER_MS = 600_000

/** Whose signs of life. */
export const HEARTBEATS = { workers: keys.workerHeartbeats, messengers: keys.messengerHeartbeats } as const
export type Heartbeat = keyof typeof HEARTBEATS

export interface WorkerCount {
  readonly alive: number
  /** Ended without a word, or standing still, less than `FORGOTTEN_AFTER_MS` ago. */
  readonly silent: number
}

/** @param workerId of one run of one process: as `createWorkerId` makes it. */
export async function heartbeat(redis: Redis, workerId: string, whose: Heartbeat = 'workers'): Promise<void> {
  await redis.zadd(HEARTBEATS[whose], await timeMs(redis), workerId)
}

/** For a worker that ends in order. */
export async function lastHeartbeat(redis: Redis, workerId: string, whose: Heartbeat = 'workers'): Promise<void> {
  await redis.zrem(HEARTBEATS[whose], workerId)
}

/** @throws {Problem} store-unavailable */
export function countAlive(store: Store, whose: Heartbeat): Promise<WorkerCount> {
  const heartbeats = HEARTBEATS[whose]
  return store.ask(async (redis) => {
    const nowMs = await timeMs(redis)
    await redis.zremrangebyscore(heartbeats, '-inf', nowMs - FORGOTTEN_AFTER_MS)
    const alive = await redis.zcount(heartbeats, nowMs - SILENT_AFTER_MS, '+inf')
    return { alive, silent: (await redis.zcard(heartbeats)) - alive }
  })
}

/** After a restore: the processes whose signs of life are in the backup are none of the restored service. */
export async function forgetHeartbeats(store: Store): Promise<void> {
  await store.ask((redis) => redis.del(...Object.values(HEARTBEATS)))
}

/** An id that also says which layers of the cage are lacking for what decodes there. */
export function createWorkerId(random: string, lacking: readonly IsolationLayer[]): string {
  return `${random}|${lacking.join(',')}`
}

/** For how many of those that live each layer is lacking. @throws {Problem} store-unavailable */
export function countLacking(store: Store): Promise<Readonly<Record<IsolationLayer, number>>> {
  return store.ask(async (redis) => {
    const alive = await redis.zrangebyscore(keys.workerHeartbeats, (await timeMs(redis)) - SILENT_AFTER_MS, '+inf')
    const lacking = alive.map((id) => id.slice(id.indexOf('|') + 1).split(','))
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
    }
  })
}

async function timeMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time()
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
}

// A worker, or a messenger, says from time to time that it lives: the api counts those that do, and an alert tells of one that went silent.

import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { IsolationLayer } from '../src/domain/isolation-layers.js'
import { createWorkerId, type Heartbeat, heartbeat, lastHeartbeat } from '../src/store/redis/heartbeats.js'

export interface HeartbeatOptions {
  readonly redis: Redis
  readonly intervalMs: number
  /** Whether it could take a picture now: a process that lives and takes none counts as silent. */
  readonly isFit: () => boolean
  /** The workers when left out. */
  readonly whose?: Heartbeat
  /** Layers of the cage that do not hold here. */
  readonly lacking?: readonly IsolationLayer[]
}

/** Until it is closed, which takes the sign of life back: who ends in order is not missed. */
export function keepHeartbeat({ redis, intervalMs, isFit, whose = 'workers', lacking = [] }: HeartbeatOptions): {
  close(): Promise<void>
} {
  const workerId = createWorkerId(randomBytes(8).toString('hex'), lacking)
  let last: Promise<void> | undefined
  const once = () => {
    if (last !== undefined || redis.status !== 'ready' || !isFit()) return // one that waits for Redis is enough
    last = heartbeat(redis, workerId, whose)
      .catch(() => {}) // the next one may come through
      .finally(() => {
        last = undefined
      })
  }
  once()
  const timer = setInterval(once, intervalMs)
  return {
    async close() {
      clearInterval(timer)
      if (redis.status !== 'ready') return
      await last
      await lastHeartbeat(redis, workerId, whose).catch(() => {})
    },
  }
}

// The heartbeat of a worker or messenger. The api counts processes with one, and an alert fires when one goes silent.

import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { createWorkerId, heartbeat, type Lacking, lastHeartbeat, type ProcessKind } from '../src/store/redis/heartbeats.js'

export interface HeartbeatOptions {
  readonly redis: Redis
  readonly intervalMs: number
  /** Whether the process can take work now. One that cannot sends no heartbeat. */
  readonly isFit: () => boolean
  /** Workers when left out. */
  readonly whose?: ProcessKind
  readonly lacking?: readonly Lacking[]
}

/** Sends heartbeats until it is closed. Closing removes the heartbeat, so that an orderly stop raises no alert. */
export function keepHeartbeat({ redis, intervalMs, isFit, whose = 'workers', lacking = [] }: HeartbeatOptions): {
  close(): Promise<void>
} {
  const workerId = createWorkerId(randomBytes(8).toString('hex'), lacking)
  let last: Promise<void> | undefined
  const once = () => {
    if (last !== undefined || redis.status !== 'ready' || !isFit()) return // at most one write is pending
    last = heartbeat(redis, workerId, whose)
      .catch(() => {}) // the next one may succeed
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

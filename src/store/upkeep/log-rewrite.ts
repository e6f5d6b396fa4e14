// Makes Redis write its log anew: what was deleted is then in no old line of it.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../domain/problem.js'
import type { Store } from '../redis/client.js'

/** `not-allowed`: this Redis keeps no log of its own, or gives nobody leave to have it rewritten, as hosted ones do. */
export type LogRewrite = 'rewritten' | 'not-allowed'

const POLL_MS = 50
const NOT_ALLOWED = /NOPERM|unknown command|not allowed|disabled/i
const UNDER_WAY = /already in progress|scheduled/i

/**
 * Resolves when a rewrite that began after the call is done and its file is the one in use. What was deleted before the call
 * is then in no log of this server; of the files that it replaced, Redis removes the names at once and the bytes in the
 * background.
 *
 * @throws {Error} when it is not done within `withinMs`, or failed: a full disk.
 * Cost: Redis forks and writes all its data; it goes on answering.
 */
export async function rewriteLog(store: Store, timeoutMs: number): Promise<LogRewrite> {
  const end = performance.now() + timeoutMs
  const idle = async () => {
    for (;;) {
      const status = await persistence(store)
      if (!status.isRewriting) return status
      if (performance.now() > end) throw new Error('Redis did not finish writing its log anew in time')
      await sleep(POLL_MS)
    }
  }
  for (;;) {
    // One that is under way began before the call, and may have what was deleted since.
    if (!(await idle()).isKept) return 'not-allowed'
    try {
      await store.ask((redis) => redis.bgrewriteaof())
      break
    } catch (error) {
      const cause = error instanceof Problem ? error.cause : error
      const reason = cause instanceof Error ? cause.message : ''
      if (NOT_ALLOWED.test(reason)) return 'not-allowed'
      if (!UNDER_WAY.test(reason)) throw error
    }
  }
  if (!(await idle()).isSound) throw new Error('Redis could not write its log anew')
  return 'rewritten'
}

async function persistence(store: Store) {
  const info = await store.ask((redis) => redis.info('persistence'))
  const is = (name: string, value: string) => new RegExp(`^${name}:${value}\r?$`, 'm').test(info)
  return {
    isKept: is('aof_enabled', '1'),
    isRewriting: is('aof_rewrite_in_progress', '1') || is('aof_rewrite_scheduled', '1'),
    isSound: is('aof_last_bgrewrite_status', 'ok'),
  }
}

// Makes Redis rewrite its append-only file (here called its log), so that deleted data is no longer in it.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../domain/problem.js'
import type { Store } from '../redis/client.js'

/** `not-allowed`: this Redis has no append-only file, or does not permit rewriting it (hosted ones do not). */
export type LogRewrite = 'rewritten' | 'not-allowed'

const POLL_MS = 50
const NOT_ALLOWED = /NOPERM|unknown command|not allowed|disabled/i
const UNDER_WAY = /already in progress|scheduled/i

/**
 * Resolves when a rewrite that began after the call is complete and its file is in use. Data deleted before the call is then in no append-only
 * file of this server. Redis unlinks the replaced files at once and frees their bytes in the background.
 *
 * @throws {Error} when it does not complete within `timeoutMs`, or fails (a full disk). {Problem} store-unavailable
 * Cost: Redis forks and writes all its data; it continues to answer.
 */
export async function rewriteLog(store: Store, timeoutMs: number): Promise<LogRewrite> {
  const end = performance.now() + timeoutMs
  const waitUntilIdle = async () => {
    for (;;) {
      const status = await persistence(store)
      if (!status.isRewriting) return status
      if (performance.now() > end) throw new Error('Redis did not finish rewriting its log in time')
      await sleep(POLL_MS)
    }
  }
  for (;;) {
    // A running rewrite began before the call, and may include data deleted since then: wait for it to end, then start another.
    if (!(await waitUntilIdle()).isEnabled) return 'not-allowed'
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
  if (!(await waitUntilIdle()).hasSucceeded) throw new Error('Redis could not rewrite its log')
  return 'rewritten'
}

/** Reads the state of the append-only file, and whether its last rewrite succeeded. */
async function persistence(store: Store) {
  const info = await store.ask((redis) => redis.info('persistence'))
  const is = (name: string, value: string) => new RegExp(`^${name}:${value}\r?$`, 'm').test(info)
  return {
    isEnabled: is('aof_enabled', '1'),
    isRewriting: is('aof_rewrite_in_progress', '1') || is('aof_rewrite_scheduled', '1'),
    hasSucceeded: is('aof_last_bgrewrite_status', 'ok'),
  }
}

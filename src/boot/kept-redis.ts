// Redis, which the supervisor restarts.

import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../domain/message-of.js'
import type { RedisServer } from '../store/embedded/embedded-redis.js'
import { backoff, type Keeping, type Kept } from './backoff.js'

export interface KeepingRedis extends Keeping {
  readonly openRedis: () => Promise<RedisServer>
}

/** Another process's private Redis, such as a command's, may end with that process. That is not a fault, so the wait is short. */
const REOPEN_AFTER_MS = 50

export interface KeptRedis extends Kept {
  server(): RedisServer
}

/** Opens Redis, and again whenever it ends. @returns `undefined` if the first attempt fails; the reason is on standard error. */
export async function keepRedis(context: KeepingRedis): Promise<KeptRedis | undefined> {
  const { openRedis, warn, now } = context
  const retryMs = backoff(context)
  const stopping = new AbortController()
  let reopening: Promise<void> | undefined
  let server: RedisServer
  try {
    server = await openRedis()
  } catch (error) {
    warn(messageOf(error))
    return undefined
  }
  watch()

  function watch() {
    const openedAtMs = now()
    server.exited.then((lastWords) => {
      if (stopping.signal.aborted) return
      if (server.owned) warn(`Redis ended unexpectedly; starting it again.\n${lastWords}`.trimEnd())
      reopening = reopen(server.owned ? retryMs(now() - openedAtMs) : REOPEN_AFTER_MS)
    })
  }
  async function reopen(firstDelayMs: number) {
    for (let delayMs = firstDelayMs; ; delayMs = retryMs(0)) {
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      try {
        server = await openRedis()
        return watch()
      } catch (error) {
        warn(messageOf(error))
      }
    }
  }
  return {
    server: () => server,
    async stop() {
      stopping.abort()
      await reopening
      await server.stop()
    },
    async kill() {
      stopping.abort()
      server.kill()
      if (server.owned) await server.exited
    },
  }
}

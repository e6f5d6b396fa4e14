// A start waits for Redis, which may be loading its log, be changing its master, or have no processor for some seconds.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../domain/problem.js'
import type { StoreUnavailableError } from '../domain/store-unavailable.js'
import { isUnavailable, refusalIn, unavailableErrorFor } from '../store/redis/unavailable-cause.js'

export interface Patience {
  /** Told in words, once, that it has to be waited for. */
  readonly onWaiting: (line: string) => void
  /** Ends it before its time. */
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** Longer than a failover, and than a machine is without time for it; shorter than an operator looks at a start. */
const TIMEOUT_MS = 30_000
const AGAIN_AFTER_MS = 500

/**
 * Does what a start needs of Redis, and does it again while Redis cannot be used: so it must be something that may be done twice.
 *
 * @throws {Error} for the operator, when Redis could not be used for all of `withinMs`; whatever else `work` throws, at once.
 */
export async function onceRedisAnswers<T>(
  work: () => Promise<T>,
  { onWaiting, signal, timeoutMs = TIMEOUT_MS }: Patience,
): Promise<T> {
  const begunAtMs = performance.now()
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await work()
    } catch (error) {
      const away = awayIn(error)
      if (away === undefined) throw error
      const refusal = refusalIn(away)
      if (refusal !== undefined) throw refusal
      const patienceS = timeoutMs / 1000
      if (performance.now() - begunAtMs >= timeoutMs)
        throw new Error(
          `Redis could not be used for ${patienceS} s (${away.message}). Does it run, and do REDIS_URL or REDIS_SOCKET lead to it?`,
        )
      if (isFirst) onWaiting(`Waiting for Redis, for ${patienceS} s at most: it cannot be used yet (${away.message}).`)
    }
    await sleep(AGAIN_AFTER_MS, undefined, signal === undefined ? {} : { signal })
  }
}

function awayIn(error: unknown): StoreUnavailableError | undefined {
  if (error instanceof Problem && error.code === 'store-unavailable') return unavailableErrorFor(error.cause)
  return isUnavailable(error) ? unavailableErrorFor(error) : undefined
}

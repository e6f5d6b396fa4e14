// A start waits for Redis, which may be loading its log, be changing its master, or have no processor for some seconds.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from './domain/problem.js'
import { isAway } from './store/store.js'

export interface Patience {
  /** Told in words, once, that it has to be waited for. */
  readonly onWaiting: (line: string) => void
  /** Ends it before its time. */
  readonly signal?: AbortSignal
  readonly withinMs?: number
}

/** Longer than a failover, and than a machine is without time for it; shorter than an operator looks at a start. */
const WITHIN_MS = 30_000
const AGAIN_AFTER_MS = 500

/**
 * Does what a start needs of Redis, and does it again while Redis cannot be used: so it must be something that may be done twice.
 *
 * @throws {Error} for the operator, when Redis could not be used for all of `withinMs`; whatever else `work` throws, at once.
 */
export async function onceRedisAnswers<T>(
  work: () => Promise<T>,
  { onWaiting, signal, withinMs = WITHIN_MS }: Patience,
): Promise<T> {
  const begunAtMs = performance.now()
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await work()
    } catch (error) {
      const why = whyAway(error)
      if (why === undefined) throw error
      const patienceS = withinMs / 1000
      if (performance.now() - begunAtMs >= withinMs)
        throw new Error(
          `Redis could not be used for ${patienceS} s (${why}). Does it run, and do REDIS_URL or REDIS_SOCKET lead to it?`,
        )
      if (isFirst) onWaiting(`Waiting for Redis, for ${patienceS} s at most: it cannot be used yet (${why}).`)
    }
    await sleep(AGAIN_AFTER_MS, undefined, signal === undefined ? {} : { signal })
  }
}

/** In the words of the library or of Redis; nothing when it is something else. */
function whyAway(error: unknown): string | undefined {
  if (error instanceof Problem && error.code === 'store-away')
    return error.cause instanceof Error ? error.cause.message : 'its disk does not answer'
  return isAway(error) && error instanceof Error ? error.message : undefined
}

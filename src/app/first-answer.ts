// Waits for Redis at a start: it may be loading its log, failing over, or starved of processor time.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../domain/problem.js'
import type { StoreUnavailableError } from '../domain/store-unavailable.js'
import { errorWithRemedy, isUnavailable, unavailableErrorFor } from '../store/redis/unavailable-cause.js'
import { SealError } from '../store/sealing/seal.js'

export interface Patience {
  /** Called once, with a message for the operator, when it has to wait. */
  readonly onWaiting: (line: string) => void
  /** Stops waiting. */
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** Longer than a failover of Redis takes; short enough that the operator still watches the start. */
const TIMEOUT_MS = 30_000
const AGAIN_AFTER_MS = 500

/**
 * Runs `work`, and repeats it while Redis is unavailable. `work` must be safe to repeat.
 * @throws {Error} for the operator, if Redis was unavailable for `timeoutMs`; any other error of `work`, at once
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
      const unavailable = unavailableIn(error)
      if (unavailable === undefined) throw error
      const lasting = errorWithRemedy(unavailable)
      if (lasting !== undefined) throw lasting
      const patienceS = timeoutMs / 1000
      if (performance.now() - begunAtMs >= timeoutMs)
        throw new Error(
          `Redis could not be used for ${patienceS} s (${unavailable.message}). Does it run, and do REDIS_URL or REDIS_SOCKET lead to it?`,
        )
      if (isFirst)
        onWaiting(`Waiting for Redis, for ${patienceS} s at most: it cannot be used yet (${unavailable.message}).`)
    }
    await sleep(AGAIN_AFTER_MS, undefined, signal === undefined ? {} : { signal })
  }
}

function unavailableIn(error: unknown): StoreUnavailableError | undefined {
  if (error instanceof SealError) return undefined // its message may have the word of a file system, such as ENOENT, that a socket has too
  if (error instanceof Problem && error.code === 'store-unavailable') return unavailableErrorFor(error.cause)
  return isUnavailable(error) ? unavailableErrorFor(error) : undefined
}

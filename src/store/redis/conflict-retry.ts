// Optimistic concurrency: read, decide, write if nothing changed since the read, else retry. Every such loop uses this helper.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../domain/problem.js'

/** Losing this many races in a row means overload. */
const MAX_TRIES = 20

/**
 * Use: `for (const retry = createConflictRetry(); ; await retry()) { … }`; the body returns when its write succeeded. The write is one script that
 * compares what was read (its version, or all of it) with what is stored.
 * @returns a function to await before the next try. It waits for a random time, so that two writers do not stay in step.
 *   It throws {Problem} overloaded after 20 tries.
 */
export function createConflictRetry(): () => Promise<void> {
  let tries = 1
  return async () => {
    if (tries === MAX_TRIES) throw new Problem('overloaded', { retryAfterS: 1 })
    await sleep(Math.random() * tries)
    tries++
  }
}

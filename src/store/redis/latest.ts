// Changing the latest state: read it, decide, write only if it still is what was read, and else once more. Every such loop is made with this.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../domain/problem.js'

/** Others may write between reading and writing; so often in a row they do not. */
const MAX_TRIES = 20

/**
 * `for (const again = untilUnchanged(); ; await again()) { … }`, which returns when its write was taken. The write is one script that compares
 * what was read (the version, or all of it) with what is there.
 * @returns what to await before the next try: a moment, drawn at random, so that two who write in step do not keep one of them out. It throws
 *   {Problem} overloaded when others were faster again and again.
 */
export function untilUnchanged(): () => Promise<void> {
  let tries = 1
  return async () => {
    if (tries === MAX_TRIES) throw new Problem('overloaded', { retryAfterS: 1 })
    await sleep(Math.random() * tries)
    tries++
  }
}

// Proof of work for opening a case, if the operator requires it: the device solves a puzzle, and nobody has to prove who they are.

import { type Challenge, solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'

export type { Challenge }

/** A solved challenge, as it is sent back. */
export interface Proof {
  readonly challenge: Challenge
  readonly solution: { readonly counter: number; readonly derivedKey: string }
}

/** Shorter than the five minutes for which a challenge is valid: a later solution would be refused. */
const TIMEOUT_MS = 240_000

/**
 * Solves the challenge without blocking the page: the browser computes on another thread.
 * @returns `undefined` when it took too long.
 */
export async function proven(challenge: Challenge): Promise<Proof | undefined> {
  const solution = await solveChallenge({ challenge, deriveKey, timeout: TIMEOUT_MS })
  return solution === null
    ? undefined
    : { challenge, solution: { counter: solution.counter, derivedKey: solution.derivedKey } }
}

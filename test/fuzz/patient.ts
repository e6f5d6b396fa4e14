// A store that was unavailable for a moment, because the machine had no time for it, is no fault; one that stays unavailable for whoever asks for this is.

import { setTimeout as sleep } from 'node:timers/promises'

/** What of an answer tells whether to come again. */
export interface Answered {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
}

export interface Patience {
  /** How many times it is asked again at most. */
  readonly again: number
  readonly wait: (ms: number) => Promise<unknown>
}

/** So many times that a machine with more to do than it can has caught up, and no request that always fails gets by. */
export const PATIENCE: Patience = { again: 8, wait: sleep }

/**
 * Does what a client does who is told to come again: asks the same, when it was said. Every other answer is the last one; so is a 503
 * that does not say when, or that comes again each time.
 * @returns the last answer; `undefined` as soon as there was none.
 */
export async function askedPatiently<A extends Answered>(
  ask: () => Promise<A | undefined>,
  { again, wait }: Patience = PATIENCE,
): Promise<A | undefined> {
  let answer = await ask()
  for (let i = 0; i < again && answer?.statusCode === 503; i++) {
    const retryAfterS = Number(answer.headers['retry-after'])
    if (!(retryAfterS >= 1)) return answer
    await wait(1000 * retryAfterS)
    answer = await ask()
  }
  return answer
}

// A store that was briefly unavailable because the machine was busy is no finding; one that stays unavailable for a request
// is.

import { setTimeout as sleep } from 'node:timers/promises'

/** The parts of an answer that decide whether to repeat the request. */
export interface Answered {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
}

export interface Patience {
  /** The maximum number of repetitions. */
  readonly again: number
  readonly wait: (ms: number) => Promise<unknown>
}

/** Enough for a busy machine to catch up, while a request that always fails is still found. */
export const PATIENCE: Patience = { again: 8, wait: sleep }

/**
 * Acts as a client that honours Retry-After: repeats the request when told to. Every other answer is final; so is a 503
 * without a time, or one that is repeated each time.
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

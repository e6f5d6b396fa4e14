// A file of any length to the service, in one request that tells how far it is, and that goes on where it broke off.

import { newKey } from '../src/domain/random-key.js'
import type { Api, Outcome } from './ask-api.js'

const TRIES = 5
const WAIT_MS = 2000

/**
 * What was not answered is sent again under the same key, by which the service knows what it has done with already.
 * @param tell how many bytes have gone out. @returns `undefined` when it was stopped.
 */
export async function sendFile<T>(
  api: Api,
  path: string,
  file: Blob,
  signal: AbortSignal,
  tell: (sentBytes: number) => void,
): Promise<Outcome<T> | undefined> {
  const key = newKey()
  return untilAnswered(() => api.upload<T>(path, { file, key, signal, tell }), signal)
}

/**
 * Asks again while nothing answers, a few times.
 * @param ask what may be asked again without a second effect. @returns the last answer; `undefined` when it was stopped before there was one.
 */
export async function untilAnswered<T>(
  ask: () => Promise<Outcome<T>>,
  signal: AbortSignal,
): Promise<Outcome<T> | undefined> {
  for (let tries = 1; !signal.aborted; tries++) {
    const outcome = await ask()
    if ('value' in outcome) return outcome
    if (signal.aborted) return undefined
    if (tries === TRIES || (outcome.status !== 0 && outcome.status < 500)) return outcome
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS * tries))
  }
  return undefined
}

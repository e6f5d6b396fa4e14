// Uploads a file of any length in one request that reports progress. A broken upload is sent again, and the service skips what it has done already.

import { newKey } from '../src/domain/random-key.js'
import type { Api, Outcome } from './ask-api.js'

const TRIES = 5
const WAIT_MS = 2000

/**
 * Sends again under the same idempotency key when there is no answer, so the service does nothing twice.
 * @param tell gets the number of bytes sent. @returns `undefined` when it was stopped.
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
 * Retries a few times while the service does not answer, or answers with a fault of its own.
 * @param ask an idempotent request. @returns the last answer; `undefined` when it was stopped before there was one.
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

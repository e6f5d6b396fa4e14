// What the panels of the case page share: the open case, and requests that are repeated while the service is away.

import type { Access } from '../api.js'
import { one, setText } from '../dom.js'
import { type Said, say } from '../messages.js'
import type { Answer, Failure } from '../sending/requests.js'
import { sentenceFor } from '../sending/sentences.js'
import { STEP } from '../steps.js'
import { waited } from '../waited.js'

export interface CaseContext {
  readonly access: () => Access | undefined
  /** Shows why a request failed, or asks for number and PIN again if the token has expired. */
  readonly onFailure: (failure: Failure, errorId: string) => void
  /** Fetches the case and draws the page. */
  readonly refresh: () => Promise<void>
  /** Stops following the case, before something that ends the token. */
  readonly pause: () => void
  /** Fetches the case, shows its page and follows it. */
  readonly resume: () => Promise<void>
  /** Whether pictures are still being sent. */
  readonly isSending: () => boolean
}

const FIRST_WAIT_MS = 1000
const MAX_WAIT_MS = 30_000

/** @returns the sentence for a failed request of the case page. A rejection means that number, PIN or token is wrong. */
export function sentenceForCase(failure: Failure): Said {
  if (failure.kind !== 'rejected') return sentenceFor(failure)
  return say('run.case.wrong')
}

/** Shows what is wrong with a field and focuses it. */
export function showFieldError(errorId: string, text: Said, inputId: string): void {
  setText(errorId, text)
  one(inputId, HTMLInputElement).focus()
}

export interface RequestOptions<T> {
  /** Disabled until the answer. */
  readonly buttons: readonly HTMLButtonElement[]
  /** Element that shows why there is no answer yet. */
  readonly errorId?: string
  /** Must be idempotent: it is sent again when the answer was lost. */
  readonly send: () => Promise<Answer<T>>
  /** False once the answer is not needed any more. Then the requests end. */
  readonly isWanted: () => boolean
  /** The request changes nothing and has no retry button, so it is repeated after a fault of the server, too. */
  readonly isReadOnly?: true
}

/**
 * Sends a request and repeats it while the device is offline or the service is away or busy. Meanwhile it shows when it tries again.
 * @returns the answer, which may be a rejection or a fault; `undefined` once it is not wanted any more.
 */
export async function requestUntilAnswered<T>({
  buttons,
  errorId,
  send,
  isWanted,
  isReadOnly,
}: RequestOptions<T>): Promise<Answer<T> | undefined> {
  const tell = (text: Said | '') => errorId !== undefined && setText(errorId, text)
  for (const button of buttons) button.disabled = true
  try {
    for (let tries = 0; ; tries++) {
      const answer = await send()
      if (!isWanted()) return undefined
      if ('value' in answer) tell('')
      if ('value' in answer || answer.failure.kind === 'rejected') return answer
      const isFault = answer.failure.kind === 'fault'
      if (isFault && isReadOnly !== true) return answer
      const failure: Failure = isFault ? { kind: 'away', retryAfterS: undefined } : answer.failure
      const askedMs = 1000 * (('retryAfterS' in failure ? failure.retryAfterS : undefined) ?? 0)
      const waitMs = Math.max(Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** tries), askedMs)
      tell(sentenceFor(failure, new Date(Date.now() + waitMs)))
      await connected(waitMs, isWanted)
      if (!isWanted()) return undefined
    }
  } finally {
    for (const button of buttons) button.disabled = false
  }
}

/** Waits until the time has passed, the device is online again, or the answer is not wanted any more: another step, or other input. */
async function connected(timeoutMs: number, isWanted: () => boolean): Promise<void> {
  const over = new AbortController()
  const unwanted = new AbortController()
  for (const kind of [STEP, 'input']) addEventListener(kind, () => isWanted() || unwanted.abort(), { signal: over.signal })
  await waited(timeoutMs, unwanted.signal)
  over.abort()
}

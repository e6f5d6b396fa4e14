// What the parts of her page have in common when they ask: whose case it is, a button that waits, why not in words.

import type { Access, Answer, Failure } from '../api.js'
import { one, setText } from '../dom.js'
import { say } from '../messages.js'
import { sentenceFor } from '../sending/sending.js'
import { STEP } from '../steps.js'
import { waited } from '../waited.js'

export interface Asking {
  readonly access: () => Access | undefined
  /** It was not answered, or she has been here for too long. */
  readonly lost: (failure: Failure, errorId: string) => void
  /** Draws her page again. */
  readonly look: () => Promise<void>
  /** Stops following the case, before something that ends the token. */
  readonly pause: () => void
  /** Draws her page again, shows it, and follows the case. */
  readonly resume: () => Promise<void>
  /** Are pictures still being sent? */
  readonly isSending: () => boolean
}

const FIRST_WAIT_MS = 1000
const MAX_WAIT_MS = 30_000

/** What is said when number and PIN were not taken, or nobody answered. */
export function sentenceOf(failure: Failure): string {
  if (failure.kind !== 'rejected') return sentenceFor(failure)
  return say('run.case.wrong')
}

/** Says what is wrong, and leads to where it is put right. */
export function refuse(errorId: string, text: string, inputId: string): void {
  setText(errorId, text)
  one(inputId, HTMLInputElement).focus()
}

export interface Question<T> {
  /** Disabled until there is an answer. */
  readonly buttons: readonly HTMLButtonElement[]
  /** Where it is said that there is none yet; nowhere when left out. */
  readonly errorId?: string
  /** May be asked again when the answer was lost. */
  readonly ask: () => Promise<Answer<T>>
  /** Does she still wait for it? */
  readonly isWanted: () => boolean
  /** Asking changes nothing, and she has no button to try again: a fault is asked again as well. */
  readonly isReading?: true
}

/**
 * Asks until there is an answer. While that is a matter of waiting, it says so, and asks again by itself: that is what the sentences say.
 * @returns the answer, which may be a refusal or a fault; `undefined` when it is not wanted any more.
 */
export async function untilAnswered<T>({
  buttons,
  errorId,
  ask,
  isWanted,
  isReading,
}: Question<T>): Promise<Answer<T> | undefined> {
  const tell = (text: string) => errorId !== undefined && setText(errorId, text)
  for (const button of buttons) button.disabled = true
  try {
    for (let tries = 0; ; tries++) {
      const answer = await ask()
      if (!isWanted()) return undefined
      if ('value' in answer) tell('')
      if ('value' in answer || answer.failure.kind === 'rejected') return answer
      const isFault = answer.failure.kind === 'fault'
      if (isFault && isReading !== true) return answer
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

/** Until time has passed, the device has a connection again, or nobody waits any more: she went elsewhere, or typed something else. */
async function connected(timeoutMs: number, isWanted: () => boolean): Promise<void> {
  const over = new AbortController()
  const unwanted = new AbortController()
  for (const kind of [STEP, 'input']) addEventListener(kind, () => isWanted() || unwanted.abort(), { signal: over.signal })
  await waited(timeoutMs, unwanted.signal)
  over.abort()
}

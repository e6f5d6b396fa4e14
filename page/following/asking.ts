// What the parts of her page have in common when they ask: whose case it is, a button that waits, why not in words.

import type { Access, Answer, Failure } from '../api.js'
import { one, setText } from '../dom.js'
import { say, sayTime } from '../messages.js'
import { sentenceFor } from '../sending/sending.js'

export interface Asking {
  readonly access: () => Access | undefined
  /** It was not answered, or she has been here for too long. */
  readonly lost: (failure: Failure, errorId: string) => void
  /** Draws her page anew. */
  readonly look: () => Promise<void>
}

/** What is said when number and PIN were not taken, or nobody answered. */
export function sentenceOf(failure: Failure): string {
  if (failure.kind !== 'refused') return sentenceFor(failure)
  if (failure.code !== 'pin-locked') return say('run.case.wrong')
  return say('run.case.locked', { time: sayTime(new Date(Date.now() + 1000 * (failure.retryAfterS ?? 3600))) })
}

/** Says what is wrong, and leads to where it is put right. */
export function refuse(errorId: string, text: string, inputId: string): void {
  setText(errorId, text)
  one(inputId, HTMLInputElement).focus()
}

export async function whileDisabled<T>(id: string, work: () => Promise<Answer<T>>): Promise<Answer<T>> {
  const button = one(id, HTMLButtonElement)
  button.disabled = true
  try {
    return await work()
  } finally {
    button.disabled = false
  }
}

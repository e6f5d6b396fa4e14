// What the parts of her page have in common when they ask: whose case it is, a button that waits, why not in words.

import type { Access, Answer, Failure } from '../api.js'
import { one, setText } from '../dom.js'
import { say, sayTime } from '../messages.js'

export interface Asking {
  readonly access: () => Access | undefined
  /** It was not answered, or she has been here for too long. */
  readonly lost: (failure: Failure, errorId: string) => void
  /** Draws her page anew. */
  readonly look: () => Promise<void>
}

/** What is said when number and PIN were not taken, or nobody answered. */
export function sentenceOf(failure: Failure): string {
  if (failure.kind === 'refused') {
    if (failure.code !== 'pin-locked') return say('run.case.wrong')
    return say('run.case.locked', { time: sayTime(inSeconds(failure.retryAfterS ?? 3600)) })
  }
  if (failure.kind === 'busy') return say('run.ask.busy', { time: sayTime(inSeconds(failure.retryAfterS ?? 60)) })
  return say(failure.kind === 'fault' ? 'run.net.fault' : `run.ask.${failure.kind}`)
}

function inSeconds(seconds: number): Date {
  return new Date(Date.now() + 1000 * seconds)
}

const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 60_000

/**
 * Asks until there is an answer, as it says meanwhile.
 * @param isWanted whether somebody still waits for it.
 * @returns an answer, or a refusal; `undefined` when nobody waits for it any more.
 */
export async function patiently<T>(
  ask: () => Promise<Answer<T>>,
  isWanted: () => boolean,
  held: (failure: Failure) => void,
): Promise<Answer<T> | undefined> {
  for (let tries = 0; isWanted(); tries++) {
    const answer = await ask()
    if (!isWanted()) return undefined
    if ('value' in answer || answer.failure.kind === 'refused') return answer
    held(answer.failure)
    await waited(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries))
  }
  return undefined
}

/** Until time has passed, the device has a connection again, or nobody waits any more. */
export function waited(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = new AbortController()
    const timer = setTimeout(go, ms)
    addEventListener('online', go, { signal: done.signal })
    signal?.addEventListener('abort', go, { signal: done.signal })
    function go(): void {
      clearTimeout(timer)
      done.abort()
      resolve()
    }
  })
}

/** Says what is wrong, and leads to where it is put right. */
export function refuse(errorId: string, text: string, inputId: string): void {
  setText(errorId, text)
  one(inputId, HTMLInputElement).focus()
}

export async function whileDisabled<T>(id: string, work: () => Promise<T>): Promise<T> {
  const button = one(id, HTMLButtonElement)
  button.disabled = true
  try {
    return await work()
  } finally {
    button.disabled = false
  }
}

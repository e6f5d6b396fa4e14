// Follows a case while it is open on the page: reports each event as it happens, and reconnects after lost connections and restarts.

import { type Access, api, type CaseEvent } from '../api.js'
import type { Failure } from '../sending/requests.js'
import { waited } from '../waited.js'
import { sentEvents } from './sent-events.js'

const MAX_WAIT_MS = 60_000

export interface FollowTimes {
  /** Before the second try, twice as long before each further one. */
  readonly waitMs: number
  /**
   * After this time without a byte, the connection counts as dead: the service sends a comment every 15 s. A changed network or a device that slept
   * leaves a dead connection without an error.
   */
  readonly silentMs: number
}
const TIMES: FollowTimes = { waitMs: 3000, silentMs: 45_000 }

export interface Follower {
  readonly happened: (event: CaseEvent) => void
  /** The token was rejected: following has ended. */
  readonly refused: (failure: Failure) => void
}

/**
 * @param afterId the last event that is known. Every event after it is reported, once.
 * @returns a function that stops following.
 */
export function follow(
  access: Access,
  afterId: string,
  { happened, refused }: Follower,
  { waitMs, silentMs }: FollowTimes = TIMES,
): () => void {
  const stop = new AbortController()
  void run()
  return () => stop.abort()

  async function run(): Promise<void> {
    let last = afterId
    for (let tries = 0; !stop.signal.aborted; tries++) {
      const line = silenceOf(silentMs, stop.signal)
      try {
        const answer = await api.events(access, last, line.signal)
        if (stop.signal.aborted) return
        if ('failure' in answer && answer.failure.kind === 'rejected') return refused(answer.failure)
        if ('value' in answer) {
          tries = 0
          for await (const data of sentEvents(answer.value, line.heard)) {
            const event: CaseEvent = JSON.parse(data)
            if (stop.signal.aborted) return
            last = event.id
            happened(event)
            if (event.kind === 'erased') return // nothing can come after it
          }
        }
      } catch {
        // The connection was lost. The next one continues after `last`.
      } finally {
        line.release()
      }
      await waited(Math.min(MAX_WAIT_MS, waitMs * 2 ** tries), stop.signal)
    }
  }
}

/** Aborts when nothing arrives for `silentMs`, or with `outer`. Call `release` when it is no longer needed. */
function silenceOf(silentMs: number, outer: AbortSignal) {
  const line = new AbortController()
  const abort = () => line.abort()
  outer.addEventListener('abort', abort)
  let timer = setTimeout(abort, silentMs)
  return {
    signal: line.signal,
    heard() {
      clearTimeout(timer)
      timer = setTimeout(abort, silentMs)
    },
    release() {
      clearTimeout(timer)
      outer.removeEventListener('abort', abort)
    },
  }
}

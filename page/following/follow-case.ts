// Follows a case while it is open on the page: each event as it happens, over lost lines and restarts.

import { type Access, api, type CaseEvent } from '../api.js'
import type { Failure } from '../sending/requests.js'
import { waited } from '../waited.js'
import { sentEvents } from './sent-events.js'

const LONGEST_WAIT_MS = 60_000

export interface FollowTimes {
  /** Before the second try, twice as long before each further one. */
  readonly waitMs: number
  /**
   * The service sends a comment every 15 s. After so long without one the connection is dead, although nobody has said so: a network that
   * changed, or a device that slept.
   */
  readonly silentMs: number
}
const TIMES: FollowTimes = { waitMs: 3000, silentMs: 45_000 }

export interface Follower {
  readonly happened: (event: CaseEvent) => void
  /** The token is no good any more: following has ended. */
  readonly refused: (failure: Failure) => void
}

/**
 * @param afterId the last event that is known; from there on none is left out and none comes twice.
 * @returns what ends it.
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
        // The line was lost: the next one goes on after `last`.
      } finally {
        line.release()
      }
      await waited(Math.min(LONGEST_WAIT_MS, waitMs * 2 ** tries), stop.signal)
    }
  }
}

/** Aborts when nothing was heard for so long, or with `outer`. To be released, so that it aborts no more. */
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

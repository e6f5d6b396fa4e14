// Follows a case while it is open on the page: each event as it happens, over lost lines and restarts.

import { type Access, api, type CaseEvent, type Failure } from '../api.js'
import { waited } from './asking.js'
import { sentEvents } from './sent-events.js'

const WAIT_MS = 3000
const LONGEST_WAIT_MS = 60_000

export interface Follower {
  readonly happened: (event: CaseEvent) => void
  /** The token is no good any more: following has ended. */
  readonly refused: (failure: Failure) => void
}

/**
 * @param afterId the last event that is known; from there on none is left out and none comes twice.
 * @returns what ends it.
 */
export function follow(access: Access, afterId: string, { happened, refused }: Follower): () => void {
  const stop = new AbortController()
  void run()
  return () => stop.abort()

  async function run(): Promise<void> {
    let last = afterId
    for (let tries = 0; !stop.signal.aborted; tries++) {
      const answer = await api.events(access, last, stop.signal)
      if (stop.signal.aborted) return
      if ('failure' in answer && answer.failure.kind === 'refused') return refused(answer.failure)
      if ('value' in answer) {
        tries = 0
        try {
          for await (const data of sentEvents(answer.value)) {
            const event: CaseEvent = JSON.parse(data)
            if (stop.signal.aborted) return
            last = event.id
            happened(event)
            if (event.kind === 'erased') return // nothing can come after it
          }
        } catch {
          // The line was lost: the next one goes on after `last`.
        }
      }
      await waited(Math.min(LONGEST_WAIT_MS, WAIT_MS * 2 ** tries), stop.signal)
    }
  }
}

// Pictures that were let in and are arriving: they wait for no worker yet, and will in a moment.

import type { EventEmitter } from 'node:events'

export interface ComingPictures {
  /** One was let in. */
  note(request: EventEmitter, response: EventEmitter): void
  /** How many are still arriving. Without them, a burst would be let in for the same free worker. */
  count(): number
}

/** Whoever sends slowly keeps no worker busy until he is done, and is not reckoned with. */
const COMING_FOR_MS = 250

/** @param now in milliseconds, never goes back. */
export function comingPictures(now: () => number): ComingPictures {
  const letInAtMs = new Map<EventEmitter, number>() // in the order in which they were let in
  return {
    note(request, response) {
      letInAtMs.set(request, now())
      const isHere = () => letInAtMs.delete(request)
      request.once('end', isHere)
      response.once('close', isHere) // refused, or gone
    },
    count() {
      for (const [request, atMs] of letInAtMs) {
        if (now() - atMs < COMING_FOR_MS) break
        letInAtMs.delete(request)
      }
      return letInAtMs.size
    },
  }
}

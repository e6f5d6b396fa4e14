// Counts pictures that were admitted and are still being received, so that they are not in the queue of a worker yet.

import type { EventEmitter } from 'node:events'

export interface ArrivingPictures {
  /** Counts an admitted picture until its request has been read or its response closes. */
  note(request: EventEmitter, response: EventEmitter): void
  /** How many are still being received. Admission needs this, or it would admit a burst for the same free worker. */
  count(): number
}

/** A picture that arrives more slowly than this is not counted: it needs no worker soon. */
const MAX_ARRIVING_MS = 250

/** @param now in milliseconds, never goes back. */
export function createArrivingPictures(now: () => number): ArrivingPictures {
  const admittedAtMs = new Map<EventEmitter, number>() // in the order of admission
  return {
    note(request, response) {
      admittedAtMs.set(request, now())
      const forget = () => admittedAtMs.delete(request)
      request.once('end', forget)
      response.once('close', forget) // refused, or the client disconnected
    },
    count() {
      for (const [request, atMs] of admittedAtMs) {
        if (now() - atMs < MAX_ARRIVING_MS) break
        admittedAtMs.delete(request)
      }
      return admittedAtMs.size
    },
  }
}

// How many uploaded videos this process holds at a time, and how many of one caller.

import type { VideoLimits } from '../../domain/media/video-limits.js'
import { Problem } from '../../domain/problem.js'

export interface VideoRoom {
  /** [bytes] The largest video that there can ever be room for. */
  readonly maxBytes: number
  /**
   * Reserves room for a video.
   * @param caller an organisation, or a network address.
   * @param most how many videos it may have here.
   * @returns a function that releases the room.
   * @throws {Problem} overloaded
   */
  enter(caller: string, sizeBytes: number, most?: number): () => void
}

const MAX_AT_ONCE = 32
const RETRY_AFTER_S = 10

interface Held {
  count: number
  bytes: number
}

/** One caller may hold half of the room. A caller that holds nothing may send a video of any allowed size. */
export function createVideoRoom({
  maxInFlightBytes,
  maxBytes,
}: Pick<VideoLimits, 'maxInFlightBytes' | 'maxBytes'>): VideoRoom {
  const all: Held = { count: 0, bytes: 0 }
  const ofCallers = new Map<string, Held>()
  return {
    maxBytes: Math.min(maxBytes, maxInFlightBytes),
    enter(caller, sizeBytes, most = MAX_AT_ONCE / 2) {
      const own = ofCallers.get(caller) ?? { count: 0, bytes: 0 }
      const isTooMuch = all.count >= MAX_AT_ONCE || all.bytes + sizeBytes > maxInFlightBytes
      const isTooMuchOfOne = own.count > 0 && (own.count >= most || own.bytes + sizeBytes > maxInFlightBytes / 2)
      if (isTooMuch || isTooMuchOfOne) throw new Problem('overloaded', { retryAfterS: RETRY_AFTER_S })
      ofCallers.set(caller, own)
      const add = (count: number, bytes: number) => {
        for (const held of [all, own]) {
          held.count += count
          held.bytes += bytes
        }
      }
      add(1, sizeBytes)
      let isLeft = false
      return () => {
        if (isLeft) return
        isLeft = true
        add(-1, -sizeBytes)
        if (own.count === 0) ofCallers.delete(caller)
      }
    },
  }
}

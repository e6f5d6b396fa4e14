// Keeps decoding within a budget of processor time: decides which packets are decoded. Pure: the caller measures.

import { REGISTERED_INTERVAL_MS } from '../../../packages/hash/src/video-frames.js'

/** Processor time of the decoder for each minute of video: nearly three times what 1080p at 30 frames a second costs. */
export const DECODING_MS_PER_MINUTE = 15_000
/** Additional processor time for each video, for starting the decoder and for short videos. */
export const DECODING_START_MS = 5_000
/** Beyond the budget, key frames are still decoded if they are at least this far apart. */
const MIN_KEY_INTERVAL_MS = 2_000

export interface Pace {
  /** Reports how much processor time the decoder has used in total. */
  used(cpuMs: number): void
  /** Reports up to which time frames have been decoded. */
  reached(atMs: number): void
  /** @returns whether to decode this packet, the next one in decoding order. */
  takes(packet: { readonly atMs: number; readonly isKey: boolean }): boolean
  /** @returns whether the frame that is shown at this time was decoded: not if the last packet that starts at or before it was left out. */
  isShown(atMs: number): boolean
  /** Whether any packet was left out. */
  readonly isKeyFramesOnly: boolean
}

/**
 * Beyond the budget only key frames are decoded, until the decoder is within it again at a key frame. The budget grows with the time that was
 * reached, so it is spread over the whole video. Once a packet is left out, all packets up to the next key frame are, because each depends on the
 * previous ones.
 */
export function createPace(): Pace {
  let cpuMs = 0
  let reachedMs = 0
  let isSkipping = false
  let lastKeyMs = Number.NEGATIVE_INFINITY
  let isKeyFramesOnly = false
  /** The last packet that starts in each interval of `REGISTERED_INTERVAL_MS`, by the index of the interval's end. */
  const lastIn = new Map<number, { readonly atMs: number; readonly isTaken: boolean }>()
  return {
    used: (ms) => {
      cpuMs = Math.max(cpuMs, ms)
    },
    reached: (atMs) => {
      reachedMs = Math.max(reachedMs, atMs)
    },
    takes({ atMs, isKey }) {
      const isOver = cpuMs > DECODING_START_MS + (DECODING_MS_PER_MINUTE * reachedMs) / 60_000
      if (isKey) isSkipping = isOver
      else isSkipping ||= isOver
      const isTaken = !isSkipping || (isKey && Math.abs(atMs - lastKeyMs) >= MIN_KEY_INTERVAL_MS)
      if (isKey && isTaken) lastKeyMs = atMs
      isKeyFramesOnly ||= !isTaken
      const interval = Math.ceil(atMs / REGISTERED_INTERVAL_MS)
      const last = lastIn.get(interval)
      if (last === undefined || last.atMs <= atMs) lastIn.set(interval, { atMs, isTaken })
      return isTaken
    },
    isShown(atMs) {
      for (let interval = Math.floor(atMs / REGISTERED_INTERVAL_MS); interval >= 0; interval--) {
        const last = lastIn.get(interval)
        if (last !== undefined) return last.isTaken
      }
      return true
    },
    get isKeyFramesOnly() {
      return isKeyFramesOnly
    },
  }
}

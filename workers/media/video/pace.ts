// Keeps decoding within a budget of processor time: decides which packets are decoded. Pure: the caller measures.

import { REGISTERED_INTERVAL_MS } from '../../../packages/hash/src/video-frames.js'
import { DECODING_MS_PER_MINUTE, DECODING_START_MS } from '../../../src/domain/media/video-limits.js'

/** Beyond the budget, the first key frame in each interval of this length is still decoded. */
const KEY_INTERVAL_MS = 2_000

export interface Pace {
  /** Reports how much processor time the decoder has used in total. */
  used(cpuMs: number): void
  /** Reports up to which time frames have been decoded. */
  reached(atMs: number): void
  /** @returns whether to decode this packet, the next one in decoding order. */
  shouldDecode(packet: { readonly atMs: number; readonly isKey: boolean }): boolean
  /**
   * @param atMs a multiple of `REGISTERED_INTERVAL_MS`.
   * @returns when the last frame that was decoded at or before this time is shown: at this time, or only when it starts, if packets that start
   *   between the two were left out; `undefined` if an edit list hides it.
   */
  shownMs(atMs: number): number | undefined
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
  let isKeyFramesOnly = false
  /** Intervals of `KEY_INTERVAL_MS` of which a key frame was decoded. */
  const keyIntervals = new Set<number>()
  /** When the last packet, and the last decoded one, of each interval of `REGISTERED_INTERVAL_MS` starts, by the index of the interval's end. */
  const [lastMs, lastTakenMs] = [new Map<number, number>(), new Map<number, number>()]
  return {
    used: (ms) => {
      cpuMs = Math.max(cpuMs, ms)
    },
    reached: (atMs) => {
      reachedMs = Math.max(reachedMs, atMs)
    },
    shouldDecode({ atMs, isKey }) {
      const isOver = cpuMs > DECODING_START_MS + (DECODING_MS_PER_MINUTE * reachedMs) / 60_000
      if (isKey) isSkipping = isOver
      else isSkipping ||= isOver
      const keyInterval = Math.floor(atMs / KEY_INTERVAL_MS)
      const isTaken = !isSkipping || (isKey && !keyIntervals.has(keyInterval))
      if (isKey && isTaken) keyIntervals.add(keyInterval)
      isKeyFramesOnly ||= !isTaken
      const interval = Math.ceil(atMs / REGISTERED_INTERVAL_MS)
      for (const last of isTaken ? [lastMs, lastTakenMs] : [lastMs])
        last.set(interval, Math.max(atMs, last.get(interval) ?? atMs))
      return isTaken
    },
    shownMs(atMs) {
      const last = lastUntil(lastMs, atMs)
      const lastTaken = lastUntil(lastTakenMs, atMs)
      if (lastTaken === last) return atMs
      return lastTaken !== undefined && lastTaken >= 0 ? lastTaken : undefined
    },
    get isKeyFramesOnly() {
      return isKeyFramesOnly
    },
  }
}

/** @returns the last of these times at or before `atMs`, a multiple of `REGISTERED_INTERVAL_MS`. Does not look further back than one interval before 0. */
function lastUntil(times: ReadonlyMap<number, number>, atMs: number): number | undefined {
  for (let interval = Math.floor(atMs / REGISTERED_INTERVAL_MS); interval >= 0; interval--) {
    const found = times.get(interval)
    if (found !== undefined) return found
  }
  return undefined
}

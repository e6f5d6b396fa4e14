// Chooses which frames of an animation are looked at, so that it is registered like a video. Workers and browsers both use it.

import { FRAME_INTERVAL_MS, MAX_VIDEO_MS, REGISTERED_INTERVAL_MS } from '../video-frames.js'

/** Maximum frames of an animation that are looked at. For more, the interval is doubled. */
export const MAX_LOOKED_FRAMES = 120

/** A frame of an animation that is compared with those before it. */
export interface LookedFrame {
  readonly index: number
  /** Each time for which a frame is wanted, while this one is shown. At least one. */
  readonly timesMs: readonly number[]
  /** The index of the frame that is shown halfway between the last looked frame and this one, if it is neither of the two. */
  readonly between?: number
}

/**
 * The frames that a video of the same pictures at the same times would be looked at by: what is shown every 250 ms. If those are too many, it is what is
 * shown every 500 ms, every second and so on.
 * @param durationsMs of all frames as displayed (`shownMs`), in the order in which they are shown.
 * @param fits whether there is time to look at these frames.
 * @returns by ascending index, within the first `MAX_VIDEO_MS`: none, or two to `MAX_LOOKED_FRAMES`. At most 2,400 times in all.
 */
export function lookedFrames(
  durationsMs: readonly number[],
  fits: (looked: readonly LookedFrame[]) => boolean = () => true,
): LookedFrame[] {
  for (let intervalMs = FRAME_INTERVAL_MS; intervalMs < MAX_VIDEO_MS; intervalMs *= 2) {
    const looked = framesAt(intervalMs, durationsMs)
    if (looked.length < 2) break
    if (looked.length <= MAX_LOOKED_FRAMES && fits(looked)) return looked
  }
  return []
}

function framesAt(intervalMs: number, durationsMs: readonly number[]): LookedFrame[] {
  const looked: LookedFrame[] = []
  let [nextMs, startMs, halfway] = [0, 0, -1]
  for (const [index, durationMs] of durationsMs.entries()) {
    const endMs = Math.min(startMs + durationMs, MAX_VIDEO_MS)
    const timesMs: number[] = []
    for (; nextMs < endMs; nextMs += intervalMs) timesMs.push(nextMs)
    if (timesMs.length > 0) {
      const isOther = halfway > (looked.at(-1)?.index ?? index)
      looked.push({ index, timesMs, ...(isOther && { between: halfway }) })
    }
    const halfwayMs = nextMs - REGISTERED_INTERVAL_MS
    if (intervalMs === FRAME_INTERVAL_MS && halfwayMs >= startMs && halfwayMs < endMs) halfway = index
    if (endMs >= MAX_VIDEO_MS) break
    startMs = endMs
  }
  return looked
}

/** @returns how long an animation is, as far as it is looked at. */
export function lookedMs(durationsMs: readonly number[]): number {
  return Math.min(MAX_VIDEO_MS, Math.round(durationsMs.reduce((sum, ms) => sum + ms, 0)))
}

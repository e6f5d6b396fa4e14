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
    if (nextMs < endMs) {
      nextMs += intervalMs * Math.ceil((endMs - nextMs) / intervalMs)
      const timesMs = timesIn(startMs, endMs)
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

/** All times within a frame, also if the interval was doubled: they say for how long the frame is shown, and cost little. */
function timesIn(startMs: number, endMs: number): number[] {
  const timesMs: number[] = []
  for (let atMs = FRAME_INTERVAL_MS * Math.ceil(startMs / FRAME_INTERVAL_MS); atMs < endMs; atMs += FRAME_INTERVAL_MS)
    timesMs.push(atMs)
  return timesMs
}

export interface AnimationLength {
  /** How long all frames are shown. */
  readonly lengthMs: number
  /** The same, as far as they are looked at as a video; `undefined` if they are not, because that would take too long. */
  readonly lookedMs: number | undefined
  /** How long those are shown that are not looked at, although what is shown every 250 ms includes them. */
  readonly missedMs: number
}

/** @param durationsMs of all frames. @param looked of `lookedFrames`. */
export function lengthOf(durationsMs: readonly number[], looked: readonly LookedFrame[]): AnimationLength {
  const seen = new Set(looked.map(({ index }) => index))
  let [lengthMs, missedMs] = [0, 0]
  for (const [index, durationMs] of durationsMs.entries()) {
    lengthMs += durationMs
    if (durationMs >= FRAME_INTERVAL_MS && !seen.has(index)) missedMs += durationMs
  }
  return { lengthMs, missedMs, lookedMs: looked.length === 0 ? undefined : Math.min(MAX_VIDEO_MS, Math.round(lengthMs)) }
}

/**
 * @param film what was found by looking at the animation as at a video; `undefined` if it was not.
 * @param picturesMs how long those frames are shown that were hashed as pictures and can be found.
 * @returns the share of its length in which an animation can be found, 0…1, in the better of the two ways.
 */
export function protectedShareOf(
  film: { readonly durationMs: number; readonly protectedShare: number } | undefined,
  { lengthMs, missedMs }: AnimationLength,
  picturesMs: number,
): number {
  const filmMs = film === undefined ? 0 : Math.min(film.protectedShare * film.durationMs, lengthMs - missedMs)
  const foundMs = Math.max(filmMs, picturesMs)
  return foundMs >= lengthMs - ROUNDING_MS ? 1 : foundMs / lengthMs
}

/** Durations of frames may be fractions of a millisecond; times of a film are not. */
const ROUNDING_MS = 1

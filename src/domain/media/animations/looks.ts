// Plans which frames of an animation are looked at as in a video, within a time limit. Decodes nothing.

import { type LookedFrame, lookedFrames } from '../../../../packages/hash/src/video/animation-frames.js'

export interface LookPlan {
  readonly looked: readonly LookedFrame[]
  /** Indexes of the frames that have to be decoded for these, besides those that are decoded anyway. */
  readonly further: readonly number[]
  /** Estimated time for all this. */
  readonly timeMs: number
}

export const NO_LOOKS: LookPlan = { looked: [], further: [], timeMs: 0 }

/** Time for each looked frame: encoding it as a still picture, decoding, comparing and, if it is kept, hashing it. */
const MS_PER_LOOK = 10
const NS_PER_LOOKED_PIXEL = 15
/** The same for a frame halfway, which has one view. */
const MS_PER_BETWEEN = 4

interface Costs {
  /** How long the frames are shown. */
  readonly durationsMs: readonly number[]
  readonly pixels: number
  /** The frames that are decoded anyway. */
  readonly decoded: ReadonlySet<number>
  /** The frames that have to be decoded for a frame, without those in `done`. */
  readonly missingFor: (index: number, done: ReadonlySet<number>) => readonly number[]
  /** Time to decode a frame. */
  readonly costOf: (index: number) => number
}

/** @returns the frames of `lookedFrames` that fit in the time. */
export function looksWithin(restMs: number, { durationsMs, pixels, decoded, missingFor, costOf }: Costs): LookPlan {
  const lookMs = MS_PER_LOOK + (pixels * NS_PER_LOOKED_PIXEL) / 1e6
  const betweenMs = MS_PER_BETWEEN + (pixels * NS_PER_LOOKED_PIXEL) / 1e6
  let further: number[] = []
  let timeMs = 0
  const looked = lookedFrames(durationsMs, (frames) => {
    const done = new Set(decoded)
    further = []
    timeMs = 0
    for (const { index, between } of frames) {
      timeMs += lookMs + (between === undefined ? 0 : betweenMs)
      for (const wanted of between === undefined ? [index] : [between, index])
        for (const missing of missingFor(wanted, done)) {
          done.add(missing)
          further.push(missing)
          timeMs += costOf(missing)
        }
      if (timeMs > restMs) return false
    }
    return true
  })
  return looked.length === 0 ? NO_LOOKS : { looked, further, timeMs }
}

// What the headers of an animated file declare about its frames, and which frames are worth drawing. Decodes nothing.

import { chooseFrames, MAX_CHOSEN_FRAMES } from '../../../../packages/hash/src/file-frames.js'
import { type LookPlan, looksWithin, NO_LOOKS } from './looks.js'

/** Offsets in a file; `to` is exclusive. */
export type ByteRange = readonly [from: number, to: number]

export interface FrameHeader {
  /** Where the frame is drawn on the canvas. */
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** How long browsers show it. */
  readonly durationMs: number
  /** Whether the frame replaces what is beneath, even where it is transparent. */
  readonly isSource: boolean
  /** Whether no pixel of the frame is transparent. */
  readonly isOpaque: boolean
  /** What happens to its area before the next frame is drawn: nothing; it becomes transparent; or it becomes what it was before this frame. */
  readonly disposal: 'keep' | 'clear' | 'restore'
  /** `false` if the file ends within the frame. */
  readonly isWhole: boolean
  /** The compressed pixels. */
  readonly data: readonly ByteRange[]
}

export interface Animation<Frame extends FrameHeader = FrameHeader> {
  readonly width: number
  readonly height: number
  readonly frames: readonly Frame[]
}

/**
 * Frames after this one are not read. Browsers show each frame for 11 ms or more, so such a frame appears after 3 minutes at the earliest; in a GIF
 * after 6.
 */
export const MAX_LISTED_FRAMES = 20_000

/** What drawing one frame costs. */
export interface DrawingCost {
  readonly msPerFrame: number
  readonly nsPerPixel: number
}

/** Maximum time for the chosen frames and the frames that they are drawn on. Frames that would take longer cannot be chosen. */
const MAX_ANIMATION_MS = 1500
/** Time for drawing further frames, to find pictures that are shown long in total. */
const FURTHER_DRAWING_MS = 300
/** A small file may take less time. Both values are below those for still pictures, so no file is refused because of its number of frames. */
const FREE_MS = 400
const MS_PER_KB = 12

/** Time for each chosen frame: encoding it as a still picture, decoding and hashing that. */
const MS_PER_CHOSEN = 30
const NS_PER_CHOSEN_PIXEL = 25

/** @returns how long decoding and hashing the frames of a file may take. */
export function allowedMs(sizeBytes: number): number {
  return Math.min(MAX_ANIMATION_MS, FREE_MS + (MS_PER_KB * sizeBytes) / 1000)
}

/** @returns what a chosen frame costs once it is drawn. */
export function chosenMs({ width, height }: Pick<Animation, 'width' | 'height'>): number {
  return MS_PER_CHOSEN + (width * height * NS_PER_CHOSEN_PIXEL) / 1e6
}

/** Maximum memory for the pixels of frames that are kept until they are hashed. */
const MAX_KEPT_BYTES = 128e6
const BYTES_PER_PIXEL = 4

/** @returns how many frames represent an animation: `MAX_CHOSEN_FRAMES`, fewer with more than 4 megapixels, at least one. */
export function mostFrames({ width, height }: Pick<Animation, 'width' | 'height'>): number {
  const kept = Math.floor(MAX_KEPT_BYTES / (BYTES_PER_PIXEL * width * height))
  return Math.min(MAX_CHOSEN_FRAMES, Math.max(1, kept))
}

export interface DrawingPlan {
  /** Indexes of the frames that represent the animation, the one shown longest first. At least one, if there are frames. */
  readonly chosen: readonly number[]
  /** Indexes of the frames to draw, in ascending order: the chosen ones, those that they are drawn on, and further ones. */
  readonly drawn: readonly number[]
  /** The frames to look at as in a video, in the time that is left. */
  readonly looks: LookPlan
  /** Estimated time for all this. */
  readonly timeMs: number
}

/**
 * Plans which frames are drawn, within a time limit: a frame that takes too long to reach is not chosen. Decodes nothing.
 *
 * @param maxFrames maximum number of chosen frames.
 * @param sizeBytes of the file.
 */
export function planOf(
  { width, height, frames }: Animation,
  cost: DrawingCost,
  sizeBytes: number,
  maxFrames: number,
): DrawingPlan {
  const limitMs = allowedMs(sizeBytes)
  const onceDrawnMs = chosenMs({ width, height })
  const costs = frames.map((frame) => cost.msPerFrame + (frame.width * frame.height * cost.nsPerPixel) / 1e6)
  const starts = startsOf({ width, height, frames })
  const chainMs = chainCosts(starts, costs)
  const reachable = frames
    .map((_, index) => index)
    .filter((index) => index === 0 || (chainMs[index] ?? 0) + onceDrawnMs <= limitMs)

  const drawn = new Set<number>()
  let timeMs = 0
  /** The frames that a frame is drawn on, and itself, without those in `done`. */
  const missingFor = (index: number, done: ReadonlySet<number>): number[] => {
    const missing: number[] = []
    const start = starts[index] ?? 0
    for (let at = index; at >= start; at--) {
      if (!done.has(at)) missing.push(at)
      else if ((starts[at] ?? 0) <= start) break // then all earlier ones are drawn, too
    }
    return missing
  }
  /** Adds a frame and those it is drawn on. @returns false, without adding any, if that would take more than `mostMs` in total. */
  const add = (index: number, extraMs: number, mostMs: number): boolean => {
    const missing = missingFor(index, drawn)
    const addedMs = missing.reduce((sum, at) => sum + (costs[at] ?? 0), extraMs)
    if (drawn.size > 0 && timeMs + addedMs > mostMs) return false
    for (const at of missing) drawn.add(at)
    timeMs += addedMs
    return true
  }

  const preferred = chooseFrames(reachable.map((index) => frames[index]?.durationMs ?? 0)).map((at) => reachable[at] ?? 0)
  const chosen = preferred
    .slice(0, Math.min(maxFrames, mostFrames({ width, height })))
    .filter((index) => add(index, onceDrawnMs, limitMs))
  if (maxFrames > 1) {
    // The chosen frames may turn out to look the same, so further ones are drawn in what is left of their time.
    const furtherMs = Math.min(limitMs, timeMs + FURTHER_DRAWING_MS)
    for (const index of reachable) if (!add(index, 0, furtherMs)) break
  }
  const looks =
    maxFrames === 1
      ? NO_LOOKS
      : looksWithin(limitMs - timeMs, {
          durationsMs: frames.map(({ durationMs }) => durationMs),
          pixels: width * height,
          costOf: (index) => costs[index] ?? 0,
          decoded: drawn,
          missingFor,
        })
  return { chosen, drawn: [...drawn].sort((a, b) => a - b), looks, timeMs: timeMs + looks.timeMs }
}

/** @returns for each frame, the index of the first frame that has to be drawn for it to look as displayed. */
export function startsOf({ width, height, frames }: Animation): number[] {
  const starts: number[] = []
  /** The first frame that the canvas depends on, before the next frame is drawn. */
  let base = 0
  for (const [index, frame] of frames.entries()) {
    const isFull =
      frame.left <= 0 && frame.top <= 0 && frame.left + frame.width >= width && frame.top + frame.height >= height
    const hidesAll = isFull && (frame.isSource || frame.isOpaque)
    starts.push(hidesAll ? index : base)
    if (frame.disposal === 'clear' && isFull) base = index + 1
    else if (frame.disposal !== 'restore' && hidesAll) base = index
  }
  return starts
}

function chainCosts(starts: readonly number[], costs: readonly number[]): number[] {
  const before = [0]
  for (const [index, cost] of costs.entries()) before.push((before[index] ?? 0) + cost)
  return starts.map((start, index) => (before[index + 1] ?? 0) - (before[start] ?? 0))
}

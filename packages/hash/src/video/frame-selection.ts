// The interface of the two ways to choose frames of a video: for registrations and for queries.

import type { Hash256 } from '../hash256.js'
import type { ImageSignal } from '../image-hasher.js'
import type { Extent } from '../views.js'

export interface VideoFrame {
  /** Whole milliseconds since the video's start. */
  readonly atMs: number
  /** The whole frame's `pdq` first. */
  readonly signals: readonly ImageSignal[]
  /** Queries only, as in `ImageSignals`. */
  readonly isForm?: true
}

/** A frame with enough structure to be hashed. Only `pdq` of the whole is computed yet; `look` computes the rest. */
export interface SeenFrame {
  /** Greater than that of the previous frame. */
  readonly atMs: number
  readonly hash: Hash256
  /**
   * Hashes its parts. @returns all signals, the whole's first; `undefined` if it shows a sign, as thousands of videos do, and must not be registered.
   */
  look(extent: Extent): readonly ImageSignal[] | undefined
}

export interface FrameSelection {
  /** @returns whether what the frame shows can be found: the frame is chosen, or is near one that was. */
  add(frame: SeenFrame): boolean
  /**
   * Registrations only. Adds the frame halfway between the last two. It changes nothing of what `add` answered.
   * @param around the hashes of these two.
   */
  addBetween?(frame: SeenFrame, around: readonly [Hash256, Hash256]): void
  /** @returns the chosen frames by ascending time. */
  frames(): VideoFrame[]
  /** Whether frames or views of them were left out because there were too many signals. */
  isThinned(): boolean
}

/** @returns the index of the interval in which a time lies. */
export function slotOf(atMs: number, intervalMs: number): number {
  return Math.floor(atMs / intervalMs)
}

export function countSignals(frames: readonly Pick<VideoFrame, 'signals'>[]): number {
  return frames.reduce((sum, { signals }) => sum + signals.length, 0)
}

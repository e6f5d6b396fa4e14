// A file that was opened: the pictures in it that are hashed.

import type { AnimationLength } from '../../packages/hash/src/video/animation-frames.js'
import type { MediaFormat } from '../../src/domain/media/media-formats.js'
import type { Outcome } from './outcome.js'
import type { Source } from './source.js'

export interface ChosenFile {
  readonly file: Blob
  /** The first bytes. */
  readonly head: Uint8Array
  readonly format: MediaFormat
}

export interface Opened {
  /** At least 1. */
  readonly count: number
  /**
   * @param index less than `count`; 0 is the most telling picture.
   * @returns a source that is open until the next call, or until `close`; `undefined` for a further picture that cannot be shown.
   */
  source(index: number): Promise<Source | undefined>
  /** Of an animation. */
  readonly animation?: OpenedAnimation
  close(): void
}

export interface OpenedAnimation {
  readonly length: AnimationLength
  /** How long each picture of `source` is shown, in the unit of `length`. */
  readonly shownMs: readonly number[]
  /** The frames that are looked at as in a video; none if `lookedMs` is `undefined`. */
  readonly moments: () => AsyncIterable<ShownMoment>
}

export interface ShownMoment {
  /** As of `LookedFrame`. */
  readonly timesMs: readonly number[]
  /** Open until the next call of either, or until the next moment. */
  readonly source: () => Promise<Source | undefined>
  readonly between: () => Promise<Source | undefined>
}

/** @returns an outcome for a file that it cannot open. Throws only for lack of memory, or where the platform lacks what it needs. */
export type Opener = (chosen: ChosenFile) => Promise<Opened | Outcome>

/** A file with one picture. */
export function openedPicture(source: Source, close: () => void = source.close): Opened {
  return { count: 1, source: async () => source, close }
}

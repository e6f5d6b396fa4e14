// The interface of a decoder.

import type { AnimationLength } from '../../packages/hash/src/video/animation-frames.js'
import type { Purpose } from '../../packages/hash/src/views.js'
import type { MediaFormat } from '../../src/domain/media/media-formats.js'
import type { DecodedPicture } from './decoded-picture.js'

/** One of the pictures in a file, as a viewer shows it. The caller overwrites its pixels. */
export interface Frame {
  readonly pixels: DecodedPicture
  /** Set for the picture of the frame before, shown in another way, such as on another background. */
  readonly isSamePicture?: true
  /** Set for a window of a long picture, which comes after the picture itself. */
  readonly isWindow?: true
  /** Set for a frame of an animation that is looked at as in a video. It comes before those that represent the animation, which it may show, too. */
  readonly moment?: Moment
  /** Of a frame that represents an animation: how long it is shown, in the unit of `begin`. */
  readonly shownMs?: number
}

/** When a frame is shown, in milliseconds, for each time that one is wanted; or `halfway` between the last two. */
export type Moment = readonly number[] | 'halfway'

interface Size {
  readonly width: number
  readonly height: number
}

export interface FrameLimits {
  /** The size to which a frame larger than `FULL_RESOLUTION_PIXELS` is reduced. Nothing is ever enlarged. */
  readonly sizeFor: (full: Size) => Size
  /** A query is read more leniently: what a viewer still shows of a damaged file is decoded. */
  readonly purpose: Purpose
  /** Decode no more frames than this, windows included. */
  readonly maxFrames?: number
  /** Present if an animation is looked at as a video. */
  readonly moments?: {
    /** Called once, before the first frame of an animation. The unit is any other if no frames are looked at. */
    readonly begin: (length: AnimationLength) => void
    /** Called after each moment: whether the frame halfway from the one before is wanted. */
    readonly wantsHalfway: () => boolean
  }
}

export interface Decoder {
  /**
   * Yields the frames that represent a file: at least one and at most `MAX_FRAMES`, the most representative one first. Each is decoded when it is
   * requested.
   * @param format of the file, by its first bytes.
   * @throws {Problem} `image-too-many-pixels`; `image-undecodable` for a damaged file; `media-unsupported` for a variant of the format that this
   *   build does not read; `hashing-unavailable` when memory ran out. Never a library's own message.
   */
  open(bytes: Buffer, format: MediaFormat, limits: FrameLimits): AsyncIterable<Frame>
}

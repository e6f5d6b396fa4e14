// The interface of a decoder.

import type { Purpose } from '../../packages/hash/src/views.js'
import type { MediaFormat } from '../../src/domain/media/media-formats.js'
import type { DecodedPicture } from './decoded-picture.js'

/** One of the pictures in a file, as a viewer shows it. The caller overwrites its pixels. */
export interface Frame {
  readonly pixels: DecodedPicture
  /** Set for a window of a long picture, which comes after the picture itself. */
  readonly isWindow?: true
}

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

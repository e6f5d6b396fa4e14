// The interface of a decoder.

import type { MediaFormat } from '../../src/domain/media/media-formats.js'
import type { DecodedPicture } from './decoded-picture.js'

/** One of the pictures in a file, as a viewer shows it. The caller overwrites its pixels. */
export interface Frame {
  readonly pixels: DecodedPicture
}

interface Size {
  readonly width: number
  readonly height: number
}

export interface FrameLimits {
  /** The size to which a frame larger than `FULL_RESOLUTION_PIXELS` is reduced. Nothing is ever enlarged. */
  readonly sizeFor: (full: Size) => Size
}

export interface Decoder {
  /**
   * The frames that represent a file, at least one. The next one is decoded once the previous one was used.
   * @param format of the file, by its first bytes.
   * @throws {Problem} `image-too-many-pixels`; `image-undecodable` for a damaged file; `media-unsupported` for a variant of the format that this
   *   build does not read; `hashing-unavailable` when memory ran out. Never a library's own message.
   */
  open(bytes: Buffer, format: MediaFormat, limits: FrameLimits): AsyncIterable<Frame>
}

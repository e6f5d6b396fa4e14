// What a decoder is asked, and what it gives.

import type { MediaFormat } from '../../src/domain/media/media-formats.js'
import type { DecodedPicture } from './decoded-picture.js'

/** One of the pictures that a file shows, as a viewer shows it. Whoever asked for it overwrites its pixels. */
export interface Frame {
  readonly pixels: DecodedPicture
}

interface Size {
  readonly width: number
  readonly height: number
}

export interface FrameLimits {
  /** To which size a frame larger than `FULL_RESOLUTION_PIXELS` is made small. Nothing is ever enlarged. */
  readonly sizeFor: (full: Size) => Size
}

export interface Decoder {
  /**
   * The frames that stand for a file, one at least. The next one is decoded once the one before was used.
   * @param format of the file, by its first bytes.
   * @throws {Problem} `image-too-many-pixels`; `image-undecodable` for what is broken; `media-unsupported` for a kind of the format that
   *   this build does not read; `hashing-unavailable` when memory ran out. Never the words of a library.
   */
  open(bytes: Buffer, format: MediaFormat, limits: FrameLimits): AsyncIterable<Frame>
}

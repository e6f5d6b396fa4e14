// What the demuxing child finds out about a video before any frame is decoded.

import type { VideoCodecName } from '../../../src/domain/media/video-limits.js'

/** Which decoders of ffmpeg may open a codec. */
export const VIDEO_DECODERS: Readonly<Record<VideoCodecName, string>> = {
  avc: 'h264',
  hevc: 'hevc',
  vp8: 'vp8,libvpx',
  vp9: 'vp9,libvpx-vp9',
  av1: 'libdav1d,libaom-av1,av1',
}

/**
 * Times of the stream between the children are later by this much, so that those before the beginning, which an edit list hides, are not negative.
 * A multiple of the interval in which frames are looked at.
 */
export const STREAM_SHIFT_MS = 600_000

export const ROTATIONS = [0, 90, 180, 270] as const

export interface VideoFacts {
  readonly codec: VideoCodecName
  /** By the container; what is decoded may be shorter. */
  readonly durationMs: number
  /** Size to which frames are reduced, before they are rotated. */
  readonly width: number
  readonly height: number
  /** Clockwise, in degrees. */
  readonly rotation: (typeof ROTATIONS)[number]
  /** Whether it is mirrored after that. */
  readonly isFlipped: boolean
}

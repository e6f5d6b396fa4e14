// What the child reads from a video's container before any frame is decoded.

import type { VideoCodecName } from '../../../src/domain/media/video-limits.js'

/** The decoders of ffmpeg that may decode each codec. */
export const VIDEO_DECODERS: Readonly<Record<VideoCodecName, string>> = {
  avc: 'h264',
  hevc: 'hevc',
  vp8: 'vp8,libvpx',
  vp9: 'vp9,libvpx-vp9',
  av1: 'libdav1d,libaom-av1,av1',
}

/**
 * Added to all times in the stream between the children: packets that an edit list hides have times before 0, and cluster times of Matroska cannot be
 * negative. A multiple of `FRAME_INTERVAL_MS`.
 */
export const STREAM_SHIFT_MS = 600_000

export const ROTATIONS = [0, 90, 180, 270] as const

export interface VideoFacts {
  readonly codec: VideoCodecName
  /** Declared by the container. What can be decoded may be shorter. */
  readonly durationMs: number
  /** Size to which frames are scaled, before rotation. */
  readonly width: number
  readonly height: number
  /** Clockwise, in degrees. */
  readonly rotation: (typeof ROTATIONS)[number]
  /** Whether frames are mirrored horizontally after rotation. */
  readonly isFlipped: boolean
}

// The facts of a video, which one child process reads from its container, and how a second one, ffmpeg, is told to decode it.

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
 * Added to all times in the Matroska stream between the two children: packets that an edit list hides have times before 0, and cluster times of
 * Matroska cannot be negative. A multiple of `FRAME_INTERVAL_MS`.
 */
export const STREAM_SHIFT_MS = 600_000

/** Clockwise, in degrees. */
export const ROTATIONS = [0, 90, 180, 270] as const

export interface VideoFacts {
  readonly codec: VideoCodecName
  /** Declared by the container. What can be decoded may be shorter. */
  readonly durationMs: number
  /** Size to which frames are scaled, before rotation. */
  readonly width: number
  readonly height: number
  readonly rotation: (typeof ROTATIONS)[number]
  /** Whether frames are mirrored horizontally after rotation. */
  readonly isFlipped: boolean
  /** Whether its first picture begins after the sound. Players show it until then. */
  readonly isLate: boolean
}

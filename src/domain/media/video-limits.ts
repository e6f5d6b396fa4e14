// Limits of uploaded video files. Limits of decoding are in workers/media/video and video-frame-size.ts.

/** Maximum size of a video file. Up to three processes hold it in memory: the api until a worker has it, the worker, and the child that reads it. */
export const MAX_VIDEO_BYTES = 200 * 1024 * 1024

export interface VideoLimits {
  /** One file. */
  readonly maxBytes: number
  /** All video files that one process holds at a time. */
  readonly maxInFlightBytes: number
  /** How long an upload may take. */
  readonly uploadTimeoutMs: number
  /** How long an uploaded video may wait for a worker and be hashed. */
  readonly ttlMs: number
  /** Processor time. A video that may cost more is large: it waits behind others. */
  readonly largeMs: number
  /** How long it does so at most. Then it gets every other turn. */
  readonly patienceMs: number
}

/** One and a half minutes of any kind cost less. */
export const LARGE_VIDEO_MS = 30_000

/** The two times add up to 20 minutes: docs/data-inventory.md and the API's description promise that no video is in memory for longer. */
export const VIDEO_LIMITS: VideoLimits = {
  maxBytes: MAX_VIDEO_BYTES,
  maxInFlightBytes: 2 * MAX_VIDEO_BYTES,
  uploadTimeoutMs: 600_000,
  ttlMs: 600_000,
  largeMs: LARGE_VIDEO_MS,
  patienceMs: 60_000,
}

/** Processor time of the decoder for each minute of video: nearly three times what 1080p at 30 frames a second costs. Beyond it, only key frames. */
export const DECODING_MS_PER_MINUTE = 15_000
/** Additional processor time for each video, for starting the decoder and for short videos. */
export const DECODING_START_MS = 5_000

/** Codecs that the service decodes where it has ffmpeg, by mediabunny's names. */
export const VIDEO_CODECS = ['avc', 'hevc', 'vp8', 'vp9', 'av1'] as const
export type VideoCodecName = (typeof VIDEO_CODECS)[number]

/** The containers and codecs that are read, for messages. */
export const VIDEO_FORMATS = 'MP4, MOV, WebM or Matroska, with H.264, HEVC, VP8, VP9 or AV1'

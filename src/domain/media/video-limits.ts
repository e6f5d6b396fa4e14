// Limits of uploaded videos. Those of what is decoded: workers/media/video.

/** Of a video file. It is held in memory up to three times: by the api until a worker has it, by the worker, and by the child that reads it. */
export const MAX_VIDEO_BYTES = 200 * 1024 * 1024

export interface VideoLimits {
  /** One file. */
  readonly maxBytes: number
  /** All files that one process holds at a time. */
  readonly maxInFlightBytes: number
  /** How long an upload may take. */
  readonly uploadTimeoutMs: number
  /** How long an uploaded video may wait for a worker and be hashed. */
  readonly ttlMs: number
}

/** So a video is held in memory for at most 20 minutes, which data-inventory.md and the API's description promise. */
export const VIDEO_LIMITS: VideoLimits = {
  maxBytes: MAX_VIDEO_BYTES,
  maxInFlightBytes: 2 * MAX_VIDEO_BYTES,
  uploadTimeoutMs: 600_000,
  ttlMs: 600_000,
}

/** Codecs that the service decodes where it has ffmpeg, by mediabunny's names. */
export const VIDEO_CODECS = ['avc', 'hevc', 'vp8', 'vp9', 'av1'] as const
export type VideoCodecName = (typeof VIDEO_CODECS)[number]

/** What is read, as people call it. */
export const VIDEO_FORMATS = 'MP4, MOV, WebM or Matroska, with H.264, HEVC, VP8, VP9 or AV1'

/** Of a video file. It is held in memory twice: by the worker and by the child that reads it. */
export const MAX_VIDEO_BYTES = 200 * 1024 * 1024

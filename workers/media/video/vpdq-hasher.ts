// Hashes a video as vPDQ does: the PDQ hash of a frame each second, whatever its quality.

import { MIN_USABLE_QUALITY } from '../../../packages/hash/src/file-frames.js'
import type { ImageHasher } from '../../../packages/hash/src/image-hasher.js'
import { checkDuration, type VideoFrame, type VideoHasher } from '../../../packages/hash/src/video-frames.js'

/** The published vPDQ takes every n-th frame, where n is the frame rate rounded down: at 29.97 frames a second, one frame every 0.968 s. */
const INTERVAL_MS = 1000

/** Takes the frame that is shown at each full second. A second for which no frame was decoded is left out. */
export function createVpdqHasher(hasher: Pick<ImageHasher, 'whole'>): VideoHasher {
  const frames: VideoFrame[] = []
  let nextMs = 0
  return {
    get nextMs() {
      return nextMs
    },
    add(givenMs, pixels) {
      if (givenMs < nextMs) return
      const atMs = Math.round(givenMs)
      frames.push({ atMs, signals: [hasher.whole(pixels)] })
      nextMs = INTERVAL_MS * (Math.floor(atMs / INTERVAL_MS) + 1)
    },
    betweenMs: undefined,
    addBetween: () => {},
    result(givenMs) {
      checkDuration(givenMs)
      const usable = frames.filter(({ signals: [whole] }) => (whole?.quality ?? 0) >= MIN_USABLE_QUALITY.register)
      const durationMs = Math.max(Math.round(givenMs), frames.at(-1)?.atMs ?? 0)
      return { durationMs, frames: [...frames], protectedShare: usable.length / Math.max(1, frames.length) }
    },
  }
}

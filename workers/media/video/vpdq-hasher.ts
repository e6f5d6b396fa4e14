// vPDQ of a video: the PDQ hash of each second, whatever its quality, as the published vPDQ has it.

import { MIN_USABLE_QUALITY } from '../../../packages/hash/src/file-frames.js'
import type { ImageHasher } from '../../../packages/hash/src/image-hasher.js'
import { checkDuration, type VideoFrame, type VideoHasher } from '../../../packages/hash/src/video-frames.js'

/** The published one takes every n-th frame, n being the whole frames in a second: with 29.97 in a second, 33 ms earlier each time. */
const INTERVAL_MS = 1000

/** Takes what is shown at each second. A second that was not decoded is left out. */
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
    result(givenMs) {
      checkDuration(givenMs)
      const usable = frames.filter(({ signals: [whole] }) => (whole?.quality ?? 0) >= MIN_USABLE_QUALITY.register)
      const durationMs = Math.max(Math.round(givenMs), frames.at(-1)?.atMs ?? 0)
      return { durationMs, frames: [...frames], protectedShare: usable.length / Math.max(1, frames.length) }
    },
  }
}

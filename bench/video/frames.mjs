// Decodes the frames that the hasher takes: grey, a few per second, in the size at which pictures are hashed.

import { hashedSize } from '../../dist/packages/hash/src/reduced-side.js'
import { FRAME_INTERVAL_MS } from '../../dist/packages/hash/src/video-frames.js'
import { MAX_CLIP_MS } from './clips.mjs'
import { greyFrames } from './ffmpeg.mjs'
import { createY4mReader } from './y4m.mjs'

/**
 * @param size of the displayed frames, which may be larger than what is hashed.
 * @param onFrame receives `{ atMs, pixels, aspect }`; the pixels are overwritten after the call.
 * @param intervalMs between frames.
 * @returns `durationMs`, and `cpuMs`, the decoder's processor time.
 */
export async function eachFrame(file, size, onFrame, intervalMs = FRAME_INTERVAL_MS) {
  const hashed = size === undefined ? undefined : hashedSize(size)
  const isReduced = hashed !== undefined && (hashed.width !== size.width || hashed.height !== size.height)
  const filter = isReduced ? `,scale=${hashed.width}:${hashed.height}:flags=bilinear` : ''
  let frames = 0
  const reader = createY4mReader(({ pixels, sampleAspect }) => {
    const aspect = isReduced ? size.width / size.height : (pixels.width / pixels.height) * sampleAspect
    onFrame({ atMs: intervalMs * frames++, pixels, aspect })
  })
  const how = { framesPerSecond: 1000 / intervalMs, seconds: MAX_CLIP_MS / 1000, filter }
  const cpuMs = await greyFrames(file, how, reader.add)
  reader.end()
  return { durationMs: intervalMs * frames, cpuMs }
}

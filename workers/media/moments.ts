// Registers an animation as a video would be registered.

import type { ImageHasher } from '../../packages/hash/src/image-hasher.js'
import { createVideoHasher, type VideoSignals } from '../../packages/hash/src/video-frames.js'
import type { DecodedPicture } from './decoded-picture.js'
import type { FrameLimits, Moment } from './decoder.js'

export interface Moments extends NonNullable<FrameLimits['moments']> {
  readonly add: (pixels: DecodedPicture, moment: Moment) => void
  /** @returns `undefined` with less than two different frames. */
  readonly result: () => VideoSignals | undefined
  /** Overwrites pixels that were kept. */
  readonly wipe: () => void
}

export function createMoments(hasher: ImageHasher): Moments {
  const video = createVideoHasher(hasher, 'register')
  let lastsMs = 0
  /** The last frame and further times at which it is shown, while the frame halfway before it may still come. */
  let pending: { readonly pixels: DecodedPicture; readonly timesMs: readonly number[] } | undefined
  function flush(): void {
    if (pending === undefined) return
    const { pixels, timesMs } = pending
    for (const atMs of timesMs) video.add(atMs, pixels, pixels.aspect)
    pixels.data.fill(0)
    pending = undefined
  }
  return {
    begin(durationMs) {
      lastsMs = durationMs
    },
    wantsHalfway: () => video.betweenMs !== undefined,
    add(pixels, moment) {
      if (moment === 'halfway') {
        video.addBetween(pixels, pixels.aspect)
        flush()
        return
      }
      flush()
      const [first = 0, ...timesMs] = moment
      video.add(first, pixels, pixels.aspect)
      if (timesMs.length > 0 && video.betweenMs !== undefined)
        pending = { pixels: { ...pixels, data: Buffer.from(pixels.data) }, timesMs }
      else for (const atMs of timesMs) video.addAgain(atMs)
    },
    wipe: () => void pending?.pixels.data.fill(0),
    result() {
      flush()
      const found = video.result(lastsMs)
      return found.frames.length < 2 ? undefined : found
    },
  }
}

// Registers an animation as a video would be registered.

import type { ImageHasher } from '../../packages/hash/src/image-hasher.js'
import { type AnimationLength, protectedShareOf } from '../../packages/hash/src/video/animation-frames.js'
import { createVideoHasher, MAX_VIDEO_MS, type VideoSignals } from '../../packages/hash/src/video-frames.js'
import type { DecodedPicture } from './decoded-picture.js'
import type { FrameLimits, Moment } from './decoder.js'

export interface Moments extends NonNullable<FrameLimits['moments']> {
  readonly add: (pixels: DecodedPicture, moment: Moment) => void
  /** Notes for how long a frame is shown that was hashed as a picture and can be found. */
  readonly addPicture: (shownMs: number) => void
  /**
   * @returns `undefined` for a picture, and for an animation that is found by its pictures all the time. Without frames, if those that it was looked
   *   at by are less than two: then `protectedShare` is that of its pictures.
   */
  readonly result: () => VideoSignals | undefined
  /** Overwrites pixels that were kept. */
  readonly wipe: () => void
}

export function createMoments(hasher: ImageHasher): Moments {
  const video = createVideoHasher(hasher, 'register')
  let length: AnimationLength | undefined
  let picturesMs = 0
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
    begin(its) {
      length = its
    },
    addPicture(shownMs) {
      picturesMs += shownMs
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
      if (length === undefined) return undefined
      const { lengthMs, lookedMs } = length
      const film = lookedMs === undefined ? undefined : video.result(lookedMs)
      const protectedShare = protectedShareOf(film, length, picturesMs)
      if (film !== undefined && film.frames.length >= 2) return { ...film, protectedShare }
      return protectedShare === 1
        ? undefined
        : { durationMs: Math.min(MAX_VIDEO_MS, Math.round(lengthMs)), frames: [], protectedShare }
    },
  }
}

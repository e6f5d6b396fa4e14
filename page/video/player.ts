// Plays a video for a worker that cannot decode it: seeks one time after another and hands each frame over. The page does not read the frames.

import { afterRunning } from '../../src/domain/running-time.js'
import { type PackedFile, unpacked } from '../unpacking/packed-file.js'
import type { FromPlayer, ToPlayer } from './played-frames.js'

/** A browser may report nothing for a video that it cannot play. */
const TIMEOUT_MS = 20_000
/** Wait for a frame to be drawn, after a seek. */
const DRAWN_TIMEOUT_MS = 250
/** Seek slightly later, because times are rounded and the frame that starts at this time is wanted. */
const AFTER_S = 0.001

export interface Player {
  readonly port: MessagePort
  close(): void
}

export function createPlayer(file: Blob | PackedFile): Player {
  const { port1, port2 } = new MessageChannel()
  let video: HTMLVideoElement | undefined
  port1.onmessage = ({ data }: MessageEvent<ToPlayer>) => {
    const answer = data === 'open' ? open() : shown(data.atMs)
    answer.then(
      (content) => port1.postMessage(content, 'frame' in content ? [content.frame] : []),
      () => port1.postMessage('failed' satisfies FromPlayer),
    )
  }
  return {
    port: port2,
    close() {
      port1.close()
      if (video === undefined) return
      URL.revokeObjectURL(video.src)
      video.removeAttribute('src')
      video.load()
      video = undefined
    },
  }

  async function open(): Promise<Exclude<FromPlayer, 'failed'>> {
    const content = await unpacked(file)
    const element = document.createElement('video')
    video = element
    element.muted = true
    element.playsInline = true
    element.preload = 'auto'
    element.src = URL.createObjectURL(content)
    await happened(element, 'loadeddata')
    const { duration, videoWidth: width, videoHeight: height } = element
    if (!(duration >= 0) || width === 0) throw new TypeError('there is no picture')
    return { durationMs: Math.round(1000 * Math.min(duration, Number.MAX_SAFE_INTEGER)), width, height }
  }

  async function shown(atMs: number): Promise<Exclude<FromPlayer, 'failed'>> {
    if (video === undefined) throw new TypeError('there is no video')
    const isThere = happened(video, 'seeked')
    const isDrawn = new Promise<void>((resolve) => video?.requestVideoFrameCallback?.(() => resolve()))
    video.currentTime = atMs / 1000 + AFTER_S
    await isThere
    // A busy browser still shows the frame before when the seek is over. The same frame is not drawn again.
    await Promise.race([isDrawn, new Promise((resolve) => setTimeout(resolve, DRAWN_TIMEOUT_MS))])
    return { frame: await createImageBitmap(video) }
  }
}

function happened(video: HTMLVideoElement, event: 'loadeddata' | 'seeked'): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = new AbortController()
    const settle = (isWell: boolean) => {
      cancel()
      over.abort()
      if (isWell) resolve()
      else reject(new TypeError('the browser does not play it'))
    }
    const cancel = afterRunning(TIMEOUT_MS, () => settle(false))
    video.addEventListener(event, () => settle(true), { signal: over.signal })
    video.addEventListener('error', () => settle(false), { signal: over.signal })
  })
}

// The frames of a video that the page plays, where the browser has no WebCodecs or cannot decode this video with them. A worker has no player, so it
// asks the page for one frame after the other, through a port.

import { FRAME_INTERVAL_MS, MAX_VIDEO_MS, REGISTERED_INTERVAL_MS } from '../../packages/hash/src/video-frames.js'
import type { ShownFrame, ShownFrames } from './decoded-frames.js'

export type ToPlayer = 'open' | { readonly atMs: number }
export type FromPlayer =
  | { readonly durationMs: number; readonly width: number; readonly height: number }
  | { readonly frame: ImageBitmap }
  | 'failed'

export interface PlayedFrames extends ShownFrames {
  /** As it is shown: turned, with square pixels. */
  readonly width: number
  readonly height: number
}

/** @returns `undefined` where the browser does not play it either. */
export async function playedFrames(port: MessagePort): Promise<PlayedFrames | undefined> {
  const opened = await ask(port, 'open')
  if (opened === 'failed' || 'frame' in opened) return undefined
  const { durationMs, width, height } = opened
  return { durationMs, width, height, frames: () => framesUntil(port, Math.min(durationMs, MAX_VIDEO_MS)) }
}

async function* framesUntil(port: MessagePort, endMs: number): AsyncGenerator<ShownFrame> {
  for (let atMs = 0; atMs === 0 || atMs < endMs; atMs += FRAME_INTERVAL_MS) {
    const frame = await frameAt(port, atMs)
    if (frame === undefined) return
    yield { timesMs: [atMs], frame, between: () => frameAt(port, atMs - REGISTERED_INTERVAL_MS) }
    frame.close()
  }
}

async function frameAt(port: MessagePort, atMs: number): Promise<ImageBitmap | undefined> {
  const answer = await ask(port, { atMs })
  return answer === 'failed' || !('frame' in answer) ? undefined : answer.frame
}

function ask(port: MessagePort, message: ToPlayer): Promise<FromPlayer> {
  return new Promise((resolve) => {
    port.onmessage = ({ data }: MessageEvent<FromPlayer>) => resolve(data)
    port.postMessage(message)
  })
}

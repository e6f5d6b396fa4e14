// The frames of a video, decoded by the browser with WebCodecs: for each quarter of a second, the frame that is shown then.

import { MAX_VIDEO_MS } from '../../packages/hash/src/video-frames.js'
import type { Container } from './container.js'
import { timesShown } from './shown-times.js'

export interface ShownFrame {
  /** The wanted times at which the frame is shown; at least one, ascending. */
  readonly timesMs: readonly number[]
  /** Open until the next one is asked for. */
  readonly frame: VideoFrame | ImageBitmap
}

export interface ShownFrames {
  frames(): AsyncGenerator<ShownFrame>
  readonly durationMs: number
}

/** Packets that wait for the decoder. */
const MAX_WAITING_PACKETS = 8
/** Frames that wait to be hashed: decoders of phones have few buffers in all. */
const MAX_WAITING_FRAMES = 2

/** @returns `undefined` where the browser has no decoder for it. */
export async function decodedFrames(container: Container): Promise<ShownFrames | undefined> {
  const { config } = container
  if (config === undefined || typeof VideoDecoder === 'undefined') return undefined
  const { supported = false } = await VideoDecoder.isConfigSupported(config).catch(() => ({ supported: false }))
  if (!supported) return undefined
  return { durationMs: container.durationMs, frames: () => framesOf(container, config) }
}

/** The newest decoded frame. How long it is shown is known only when the next one is decoded. */
interface Current {
  readonly frame: VideoFrame
  readonly atMs: number
}

/**
 * Memory: the frames that wait and those in the decoder, some 15.
 * Ends early when the file ends early, or the decoder cannot read on.
 */
async function* framesOf(container: Container, config: VideoDecoderConfig): AsyncGenerator<ShownFrame> {
  const waiting: { readonly timesMs: readonly number[]; readonly frame: VideoFrame }[] = []
  let current: Current | undefined
  let state: 'decoding' | 'ended' | 'failed' = 'decoding'
  let wake = () => {}
  const changed = () => new Promise<void>((resolve) => (wake = resolve))

  /** @param untilMs when the next one is shown. */
  const finishCurrent = (untilMs: number) => {
    if (current === undefined) return
    const timesMs = timesShown(current.atMs, untilMs)
    if (timesMs.length > 0) waiting.push({ timesMs, frame: current.frame })
    else current.frame.close()
    current = undefined
  }
  const decoder = new VideoDecoder({
    output(frame) {
      const atMs = frame.timestamp / 1000
      if (state !== 'decoding' || (current !== undefined && atMs <= current.atMs) || atMs > MAX_VIDEO_MS) frame.close()
      else {
        finishCurrent(atMs)
        current = { frame, atMs }
      }
      wake()
    },
    error() {
      state = 'failed'
      wake()
    },
  })
  decoder.addEventListener('dequeue', () => wake())

  const feed = async () => {
    let lastEndMs = 0
    for await (const { atMs, endMs, packet } of container.packets()) {
      while (state === 'decoding' && (decoder.decodeQueueSize >= MAX_WAITING_PACKETS || waiting.length > MAX_WAITING_FRAMES))
        await drained()
      if (state !== 'decoding') return
      const { type, data } = packet
      decoder.decode(new EncodedVideoChunk({ type, data, timestamp: 1000 * atMs }))
      lastEndMs = Math.max(lastEndMs, endMs)
    }
    await decoder.flush()
    if (state !== 'decoding') return
    finishCurrent(Math.max(lastEndMs, (current?.atMs ?? 0) + 1))
    state = 'ended'
  }
  let drain = () => {}
  const drained = () => new Promise<void>((resolve) => (drain = resolve))

  try {
    decoder.configure(config)
    feed()
      .catch(() => {
        if (state === 'decoding') state = 'failed'
      })
      .finally(() => wake())
    for (;;) {
      drain()
      const next = waiting.shift()
      if (next !== undefined) {
        yield next
        next.frame.close()
      } else if (state === 'decoding') await changed()
      else return
    }
  } finally {
    if (state === 'decoding') state = 'ended'
    for (const { frame } of waiting) frame.close()
    current?.frame.close()
    if (decoder.state !== 'closed') decoder.close()
    drain()
  }
}

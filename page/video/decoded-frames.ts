// The frames of a video, decoded by the browser with WebCodecs: for each quarter of a second, the frame that is shown then, and the one before it.

import { MAX_VIDEO_MS } from '../../packages/hash/src/video-frames.js'
import type { Container } from './container.js'
import { isShownBetween, timesShown } from './shown-times.js'

export interface ShownFrame {
  /** The wanted times at which the frame is shown; at least one, ascending. */
  readonly timesMs: readonly number[]
  /** Open until the next one is asked for. */
  readonly frame: VideoFrame | ImageBitmap
  /** Gives what is shown halfway between the first of these times and the one before; `undefined` if that is the frame before. The caller closes it. */
  between(): Promise<VideoFrame | ImageBitmap | undefined>
}

export interface ShownFrames {
  frames(): AsyncGenerator<ShownFrame>
  readonly durationMs: number
}

/** Packets that wait for the decoder. */
const MAX_WAITING_PACKETS = 8
/** Frames that wait to be hashed, each with one before it: decoders of phones have few buffers in all. */
const MAX_WAITING_FRAMES = 1

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

/** A frame that waits to be hashed. */
interface Waiting {
  readonly timesMs: readonly number[]
  readonly frame: VideoFrame
  readonly halfway: VideoFrame | undefined
}

function close({ frame, halfway }: Waiting): void {
  frame.close()
  halfway?.close()
}

/** Lets frames wait if they are wanted, and closes the others. */
function createQueue() {
  const waiting: Waiting[] = []
  /** Shown halfway between the last wanted time and the next one. */
  let halfway: VideoFrame | undefined
  return {
    waiting,
    /** @param untilMs when the next one is shown. */
    add({ frame, atMs }: Current, untilMs: number): void {
      const timesMs = timesShown(atMs, untilMs)
      if (timesMs.length > 0) {
        waiting.push({ timesMs, frame, halfway })
        halfway = undefined
      } else if (isShownBetween(atMs, untilMs)) {
        halfway?.close()
        halfway = frame
      } else frame.close()
    },
    close(): void {
      for (const one of waiting) close(one)
      halfway?.close()
    },
  }
}

/**
 * Memory: the frames that wait and those in the decoder, some 15.
 * Ends early when the file ends early, or the decoder cannot read on.
 */
async function* framesOf(container: Container, config: VideoDecoderConfig): AsyncGenerator<ShownFrame> {
  const queue = createQueue()
  const { waiting } = queue
  let current: Current | undefined
  let state: 'decoding' | 'ended' | 'failed' = 'decoding'
  let wake = () => {}
  const changed = () => new Promise<void>((resolve) => (wake = resolve))

  let firstMs = Number.NEGATIVE_INFINITY
  let isFirst = true
  /** @param untilMs when the next one is shown. */
  const finishCurrent = (untilMs: number) => {
    if (current !== undefined) queue.add(current, untilMs)
    current = undefined
  }
  const decoder = new VideoDecoder({
    output(frame) {
      const atMs = frame.timestamp / 1000
      if (state !== 'decoding' || (current !== undefined && atMs <= current.atMs) || atMs > MAX_VIDEO_MS) frame.close()
      else {
        finishCurrent(atMs)
        // Players show the first picture until it begins. The service counts it as well.
        current = { frame, atMs: isFirst && atMs <= firstMs ? Math.min(atMs, 0) : atMs }
        isFirst = false
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
      if (firstMs === Number.NEGATIVE_INFINITY) firstMs = atMs
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
        const { timesMs, frame, halfway: before } = next
        yield { timesMs, frame, between: async () => before }
        close(next)
      } else if (state === 'decoding') await changed()
      else return
    }
  } finally {
    if (state === 'decoding') state = 'ended'
    queue.close()
    current?.frame.close()
    if (decoder.state !== 'closed') decoder.close()
    drain()
  }
}

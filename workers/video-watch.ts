// Watches the two children that hash a video: how much processor time they use, and whether they still move.

import type { ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { DECODING_MS_PER_MINUTE, DECODING_START_MS } from '../src/domain/media/video-limits.js'
import { writeFrame } from './frames.js'
import type { VideoFacts } from './media/video/video-facts.js'
import { processorTimeMs } from './processor-time.js'
import { innermost, isStarved as isStarvedHere } from './starved.js'

export interface WatchedChild {
  readonly process: ChildProcess
  readonly isDead: boolean
}

export const UNAVAILABLE = { problem: 'hashing-unavailable' } as const
export const UNDECODABLE = { problem: 'video-undecodable' } as const
type Ended = typeof UNAVAILABLE | typeof UNDECODABLE

const MAX_UINT32 = 2 ** 32 - 1
/** Processor time until the container is understood. */
const OPENING_CPU_MS = 20_000
const INTERVAL_MS = 200

/** More than the budget of `pace`, which is not exact to the packet. */
export function decodingLimitMs({ durationMs }: VideoFacts): number {
  return 10_000 + 2 * (DECODING_START_MS + (DECODING_MS_PER_MINUTE * durationMs) / 60_000)
}

export interface VideoWatchParts {
  readonly children: () => { readonly reader: WatchedChild; readonly decoder: WatchedChild | undefined }
  readonly settle: (answer: Ended) => void
  readonly channel: Duplex
  readonly stuckMs: number
  /** Processor time of the decoder after which the reader is told that none is left, so that it sends key frames only. */
  readonly wholeMs?: number | undefined
  /** Calls `look` until the function that it returns is called. Tests replace it, and the next two. */
  readonly every?: (ms: number, look: () => void) => () => void
  /** [ms] */
  readonly cpuOf?: (child: WatchedChild | undefined) => number | undefined
  readonly isStarved?: (pid: number) => Promise<boolean>
}

/**
 * Tells the reader how much processor time the decoder has used, and ends what takes too long. Its time is the number of its own looks: in a pause of
 * the whole machine the children were paused as well.
 */
export function createVideoWatch(parts: VideoWatchParts) {
  const { children, settle, channel, stuckMs, wholeMs = MAX_UINT32, every = onInterval, cpuOf = cpuOfChild } = parts
  const { isStarved = isStarvedHere } = parts
  let nowMs = 0
  let maxMs = WALL_TIMES * OPENING_CPU_MS
  let isOpening = true
  let seen = { cpuMs: 0, atMs: 0 }
  // The most of each: a child that has ended reports nothing any more.
  const cost = { reader: 0, decoder: 0 }
  const look = () => {
    nowMs += INTERVAL_MS
    const { reader, decoder } = children()
    const [readerMs = 0, decoderMs = 0] = [reader, decoder].map(cpuOf)
    const cpuMs = readerMs + decoderMs
    cost.reader = Math.max(cost.reader, readerMs)
    cost.decoder = Math.max(cost.decoder, decoderMs)
    if (cpuMs !== seen.cpuMs) seen = { cpuMs, atMs: nowMs }
    if (decoder !== undefined && channel.writable) writeFrame(channel, uint32(decoderMs > wholeMs ? MAX_UINT32 : decoderMs))
    const isStuck = cpuMs > 0 && nowMs - seen.atMs > stuckMs
    if (isOpening && readerMs > OPENING_CPU_MS) settle(UNDECODABLE)
    else if (isStuck || nowMs > maxMs) explainSlow(decoder ?? reader, isStarved).then(settle)
  }
  const end = every(INTERVAL_MS, look)
  return {
    /** [ms] Processor time of both children, up to the last look. */
    get costMs() {
      return cost.reader + cost.decoder
    },
    begin(facts: VideoFacts) {
      isOpening = false
      maxMs = nowMs + WALL_TIMES * decodingLimitMs(facts)
    },
    end,
  }
}

function onInterval(ms: number, look: () => void): () => void {
  const timer = setInterval(look, ms)
  return () => clearInterval(timer)
}

/** How much longer than their processor time children may take, because other processes need the processors. */
const WALL_TIMES = 3

/** @param child the decoder, if there is one: the reader runs for an instant each time that it is told of the decoder's time. */
async function explainSlow(
  { process: { pid } }: WatchedChild,
  isStarved: (pid: number) => Promise<boolean>,
): Promise<Ended> {
  return pid !== undefined && (await isStarved(innermost(pid))) ? UNAVAILABLE : UNDECODABLE
}

function cpuOfChild(child: WatchedChild | undefined): number | undefined {
  const pid = child?.isDead === false ? child.process.pid : undefined
  return pid === undefined ? undefined : processorTimeMs(innermost(pid))
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

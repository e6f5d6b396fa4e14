// Watches the two children that hash a video: how much processor time they use, and whether they still move.

import type { ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { writeFrame } from './frames.js'
import { DECODING_MS_PER_MINUTE, DECODING_START_MS } from './media/video/pace.js'
import type { VideoFacts } from './media/video/video-facts.js'
import { processorTimeMs } from './processor-time.js'
import { innermost, isStarved } from './starved.js'

export interface WatchedChild {
  readonly process: ChildProcess
  readonly isDead: boolean
}

export const UNAVAILABLE = { problem: 'hashing-unavailable' } as const
export const UNDECODABLE = { problem: 'video-undecodable' } as const
type Ended = typeof UNAVAILABLE | typeof UNDECODABLE

/** Processor time until the container is understood. */
const OPENING_CPU_MS = 20_000
const INTERVAL_MS = 200

/** More than the budget of `pace`, which is not exact to the packet. */
export function decodingLimitMs({ durationMs }: VideoFacts): number {
  return 10_000 + 2 * (DECODING_START_MS + (DECODING_MS_PER_MINUTE * durationMs) / 60_000)
}

/** Tells the reader how much processor time the decoder has used, and ends what takes too long. */
export function createVideoWatch(
  children: () => { readonly reader: WatchedChild; readonly decoder: WatchedChild | undefined },
  settle: (answer: Ended) => void,
  channel: Duplex,
  stuckMs: number,
) {
  let maxMs = performance.now() + WALL_TIMES * OPENING_CPU_MS
  let isOpening = true
  let seen = { cpuMs: 0, atMs: performance.now() }
  const look = () => {
    const { reader, decoder } = children()
    const [readerMs = 0, decoderMs = 0] = [reader, decoder].map(cpuOf)
    const cpuMs = readerMs + decoderMs
    const nowMs = performance.now()
    if (cpuMs !== seen.cpuMs) seen = { cpuMs, atMs: nowMs }
    if (decoder !== undefined && channel.writable) writeFrame(channel, uint32(decoderMs))
    const isStuck = cpuMs > 0 && nowMs - seen.atMs > stuckMs
    if (isStuck || (isOpening && readerMs > OPENING_CPU_MS)) settle(UNDECODABLE)
    else if (nowMs > maxMs) explainSlow(decoder ?? reader).then(settle)
  }
  const timer = setInterval(look, INTERVAL_MS)
  return {
    begin(facts: VideoFacts) {
      isOpening = false
      maxMs = performance.now() + WALL_TIMES * decodingLimitMs(facts)
    },
    end: () => clearInterval(timer),
  }
}

/** How much longer than their processor time children may take, because other processes need the processors. */
const WALL_TIMES = 3

async function explainSlow({ process: { pid } }: WatchedChild): Promise<Ended> {
  return pid !== undefined && (await isStarved(innermost(pid))) ? UNAVAILABLE : UNDECODABLE
}

function cpuOf(child: WatchedChild | undefined): number | undefined {
  const pid = child?.isDead === false ? child.process.pid : undefined
  return pid === undefined ? undefined : processorTimeMs(innermost(pid))
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

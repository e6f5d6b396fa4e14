// Hashes a video in two child processes of its own, in the same sandbox as those for pictures: one reads the container and hashes frames, the other
// is the system's ffmpeg. They talk over a socket that only they have. Neither outlives its video.

import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { HashedVideo } from '../src/domain/matching/hashed-image.js'
import type { VideoPurpose } from '../src/jobs/hash-video-job.js'
import { readFrames, VIDEO_PURPOSE_BYTES, writeFrame } from './frames.js'
import { ffmpegArguments } from './media/video/ffmpeg-arguments.js'
import { DECODING_MS_PER_MINUTE, DECODING_START_MS } from './media/video/pace.js'
import type { VideoProblem } from './media/video/video-answer.js'
import type { VideoFacts } from './media/video/video-facts.js'
import { MAX_VIDEO_MESSAGE_BYTES, parseVideoMessage, type VideoMessage } from './media/video/video-message.js'
import { processorTimeMs } from './processor-time.js'
import type { SandboxCommand } from './sandbox-command.js'
import { nodeCommand, spawnSandboxed } from './sandboxed.js'
import { innermost, isStarved } from './starved.js'

export type VideoAnswer = { readonly video: HashedVideo } | { readonly problem: Refusal }
type Refusal = VideoProblem | 'video-unavailable'

export interface VideoSandbox {
  /**
   * Decodes and hashes in two children. Does not overwrite `video`, given in one or several pieces: it belongs to the caller. When this settles,
   * both children have ended and nothing reads `video` any more.
   *
   * The answer is `video-undecodable` if a child dies by a fault of its own, or uses more processor time than a video of this length may. It is
   * `hashing-unavailable` if the system kills a child, or a child runs out of memory or gets no processor: then nothing is wrong with the video. It
   * is `video-unavailable` if there is no ffmpeg, or it does not run in the sandbox.
   *
   * @param disconnected ends it, with `hashing-unavailable`.
   */
  hash(video: Buffer | readonly Buffer[], purpose: VideoPurpose, disconnected?: AbortSignal): Promise<VideoAnswer>
  /** Pids of the children that are alive, for tests. */
  readonly pids: readonly number[]
  /** Ends all children. What is being hashed then settles with `hashing-unavailable`. */
  close(): Promise<void>
}

export interface VideoSandboxOptions {
  /** Path of the program; `undefined` when there is none. */
  readonly ffmpeg: string | undefined
  readonly sandboxCommand: SandboxCommand
  /** Program of the first child. Tests replace it. */
  readonly entry?: readonly string[]
  /** Children that use no processor time for this long wait for each other. */
  readonly stuckMs?: number
  /** Called with each child when it has started. For tests. */
  readonly onStart?: (which: 'reader' | 'decoder', pid: number) => void
}

const READER = fileURLToPath(new URL('./media/video/video-child.js', import.meta.url))
/** The file, its packets on their way, and hashes. */
const READER_MEMORY_MB = 1024
/** 4K HEVC of 10 bits needs 450 MB. */
const DECODER_MEMORY_MB = 900
/** Processor time of the child that hashes, for the longest video. */
const READER_CPU_S = 120
/** Processor time until the container is understood. */
const OPENING_CPU_MS = 20_000
const WATCH_INTERVAL_MS = 200
const STUCK_MS = 15_000
/** A decoder whose output has ended is gone soon. */
const EXIT_TIMEOUT_MS = 5_000

const UNAVAILABLE = { problem: 'hashing-unavailable' } as const
const UNDECODABLE = { problem: 'video-undecodable' } as const

export function openVideoSandbox(options: VideoSandboxOptions): VideoSandbox {
  const runs = new Set<Run>()
  let isClosing = false
  return {
    async hash(video, purpose, disconnected) {
      if (options.ffmpeg === undefined) return { problem: 'video-unavailable' }
      if (isClosing || disconnected?.aborted) return UNAVAILABLE
      const run = startRun(options, options.ffmpeg, Buffer.isBuffer(video) ? [video] : video, purpose)
      runs.add(run)
      disconnected?.addEventListener('abort', run.stop)
      try {
        return await run.answer
      } finally {
        disconnected?.removeEventListener('abort', run.stop)
        runs.delete(run)
      }
    },
    get pids() {
      return [...runs].flatMap(({ pids }) => pids)
    },
    async close() {
      isClosing = true
      for (const run of runs) run.stop()
      await Promise.all([...runs].map(({ answer }) => answer))
    },
  }
}

interface Run {
  readonly answer: Promise<VideoAnswer>
  readonly pids: readonly number[]
  stop(): void
}

interface Child {
  readonly process: ChildProcess
  readonly dead: Promise<void>
  isDead: boolean
}

function startRun(options: VideoSandboxOptions, ffmpeg: string, video: readonly Buffer[], purpose: VideoPurpose): Run {
  const reader = startReader(options)
  let decoder: Child | undefined
  let settle = (_: VideoAnswer) => {}
  const settled = new Promise<VideoAnswer>((resolve) => {
    settle = resolve
  })
  const watch = createWatch(() => ({ reader, decoder }), settle, reader.channel, options.stuckMs ?? STUCK_MS)

  reader.dead.then(() => settle(afterDeath(reader.process)))
  readFrames(reader.channel, MAX_VIDEO_MESSAGE_BYTES, (frame) => {
    const message = messageIn(frame, purpose)
    if (message === undefined || ('facts' in message && decoder !== undefined)) return settle(UNDECODABLE)
    if (!('facts' in message)) return void settleWith(message, decoder).then(settle)
    decoder = startDecoder(options, [ffmpeg, ...ffmpegArguments(message.facts, purpose)], message.facts, reader.link)
    watch.begin(message.facts)
  })
  writeFrame(reader.channel, Buffer.of(VIDEO_PURPOSE_BYTES[purpose]), ...video)

  const finish = async (): Promise<VideoAnswer> => {
    const answer = await settled
    watch.end()
    reader.channel.destroy() // stops pending writes: the memory may soon hold another video
    reader.link.destroy()
    const children = [reader, ...(decoder === undefined ? [] : [decoder])]
    for (const { process } of children) process.kill('SIGKILL') // they hold nothing that has to be saved
    await Promise.all(children.map(({ dead }) => dead))
    return answer
  }
  return {
    answer: finish(),
    get pids() {
      return [reader, decoder].flatMap((child) => (child === undefined || child.isDead ? [] : (child.process.pid ?? [])))
    },
    stop: () => settle(UNAVAILABLE),
  }
}

/** An answer counts only if the decoder ended well. How the decoder died explains what the other child reports. */
async function settleWith(
  message: { readonly video: HashedVideo } | { readonly problem: Refusal },
  decoder: Child | undefined,
): Promise<VideoAnswer> {
  if (decoder === undefined) return 'video' in message ? UNDECODABLE : message
  if ('problem' in message && message.problem !== UNDECODABLE.problem) return message
  const isOver = await Promise.race([decoder.dead.then(() => true), later(EXIT_TIMEOUT_MS)])
  if (!isOver) return UNDECODABLE
  if (decoder.process.exitCode === 0) return message
  return afterDeath(decoder.process)
}

function later(ms: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref()
  })
}

const { signals } = constants
/** Signals of a process that got no memory, or that the system ended. In a PID namespace they show in the exit code, as in shells. */
const OF_THE_SYSTEM = ['SIGABRT', 'SIGTRAP', 'SIGKILL', 'SIGTERM'] as const
/** Exit codes of a shell that cannot start the program. */
const NOT_STARTED = [126, 127]

function afterDeath({ signalCode, exitCode }: ChildProcess): VideoAnswer {
  if (exitCode !== null && NOT_STARTED.includes(exitCode)) return { problem: 'video-unavailable' }
  const isOfTheSystem = OF_THE_SYSTEM.some((name) => signalCode === name || exitCode === 128 + signals[name])
  return isOfTheSystem ? UNAVAILABLE : UNDECODABLE
}

function messageIn(frame: Buffer, purpose: VideoPurpose): VideoMessage | undefined {
  try {
    return parseVideoMessage(frame.toString('utf8'), purpose)
  } catch {
    return undefined
  }
}

function startReader({ sandboxCommand, entry = [READER], onStart }: VideoSandboxOptions) {
  const process = spawnSandboxed(nodeCommand(entry, sandboxCommand), {
    memoryMb: READER_MEMORY_MB,
    cpuS: READER_CPU_S,
    sandboxCommand,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const [, , , channel, link] = process.stdio
  if (!(channel instanceof Duplex && link instanceof Duplex)) throw new Error('a child needs sockets')
  for (const socket of [channel, link]) socket.on('error', () => {}) // 'close' follows
  if (process.pid !== undefined) onStart?.('reader', process.pid)
  return { ...watched(process), channel, link }
}

/** The decoder gets this process's end of the link, and this process closes it. */
function startDecoder(
  { sandboxCommand, onStart }: VideoSandboxOptions,
  command: readonly string[],
  facts: VideoFacts,
  link: Duplex,
): Child {
  const process = spawnSandboxed(command, {
    memoryMb: DECODER_MEMORY_MB,
    cpuS: Math.ceil(decodingLimitMs(facts) / 1000),
    sandboxCommand,
    stdio: [link, link, 'ignore'],
  })
  link.destroy()
  if (process.pid !== undefined) onStart?.('decoder', process.pid)
  return watched(process)
}

function watched(process: ChildProcess): Child {
  const dead = new Promise<void>((resolve) => {
    process.once('exit', () => resolve())
    process.once('error', () => resolve())
  })
  const child: Child = { process, dead, isDead: false }
  dead.then(() => {
    child.isDead = true
  })
  return child
}

/** More than the budget of `pace`, which is not exact to the packet. */
function decodingLimitMs({ durationMs }: VideoFacts): number {
  return 10_000 + 2 * (DECODING_START_MS + (DECODING_MS_PER_MINUTE * durationMs) / 60_000)
}

/** Tells the reader how much processor time the decoder has used, and ends what takes too long. */
function createWatch(
  children: () => { readonly reader: Child; readonly decoder: Child | undefined },
  settle: (answer: VideoAnswer) => void,
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
  const timer = setInterval(look, WATCH_INTERVAL_MS)
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

async function explainSlow({ process: { pid } }: Child): Promise<VideoAnswer> {
  return pid !== undefined && (await isStarved(innermost(pid))) ? UNAVAILABLE : UNDECODABLE
}

function cpuOf(child: Child | undefined): number | undefined {
  const pid = child?.isDead === false ? child.process.pid : undefined
  return pid === undefined ? undefined : processorTimeMs(innermost(pid))
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

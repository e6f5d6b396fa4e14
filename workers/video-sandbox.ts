// Hashes a video in two child processes of its own, in the same sandbox as those for pictures: one reads the container and hashes frames, the other
// is the system's ffmpeg. They talk over a socket that only they have. Neither outlives its video.

import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { HashedVideo } from '../packages/core/src/matching/hashed-image.js'
import type { VideoCodecName } from '../src/domain/media/video-limits.js'
import { afterRunning } from '../src/domain/running-time.js'
import type { VideoCost } from '../src/handoff/video-answers.js'
import type { VideoPurpose } from '../src/jobs/hash-video-job.js'
import { readFrames, VIDEO_PURPOSE_BYTES, writeFrame } from './frames.js'
import { ffmpegArguments } from './media/video/ffmpeg-arguments.js'
import { READER_GREETING, type VideoProblem } from './media/video/video-answer.js'
import type { VideoFacts } from './media/video/video-facts.js'
import { MAX_VIDEO_MESSAGE_BYTES, parseVideoMessage, type VideoMessage } from './media/video/video-message.js'
import type { SandboxCommand } from './sandbox-command.js'
import { nodeCommand, spawnSandboxed } from './sandboxed.js'
import { type VideoStarts, watchVideoStarts } from './video-starts.js'
import { createVideoWatch, decodingLimitMs, UNAVAILABLE, UNDECODABLE } from './video-watch.js'

export type VideoAnswer = { readonly video: HashedVideo } | { readonly problem: Refusal }
type Refusal = VideoProblem | 'video-unavailable'

export interface VideoSandbox {
  /**
   * Decodes and hashes in two children. Does not overwrite `video`, given in one or several pieces: it belongs to the caller. When this settles,
   * both children have ended and nothing reads `video` any more.
   *
   * The answer is `video-undecodable` if a child dies by a fault of its own, or uses more processor time than a video of this length may. It is
   * `hashing-unavailable` if the system kills a child, or a child runs out of memory, gets no processor or ends at its start: then nothing is wrong
   * with the video. It is `video-unavailable` if there is no ffmpeg, or it does not run in the sandbox.
   *
   * @param disconnected ends it, with `hashing-unavailable`.
   * @param wholeMs processor time of the decoder after which only key frames are decoded.
   */
  hash(
    video: Buffer | readonly Buffer[],
    purpose: VideoPurpose,
    disconnected?: AbortSignal,
    wholeMs?: number,
  ): Promise<VideoAnswer & Partial<VideoCost>>
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
  /** Called with the reason when a child ends at its start, once until a video is hashed. For the operator's log. */
  readonly onFailedStart?: (reason: string) => void
  /** Called with each child when it has started. For tests. */
  readonly onStart?: (which: 'reader' | 'decoder', pid: number) => void
}

const READER = fileURLToPath(new URL('./media/video/video-child.js', import.meta.url))
/** The file, its packets on their way, and hashes. */
const READER_MEMORY_MB = 1024
/** 4K HEVC of 10 bits needs 450 MB. */
const DECODER_MEMORY_MB = 900
/** Address space of ffmpeg for what is not counted as memory: its program and libraries, some 300 MB. */
const LIBRARIES_MB = 1024
/** Processor time of the child that hashes, for the longest video. */
const READER_CPU_S = 120
const STUCK_MS = 15_000
/** A decoder whose output has ended is gone soon. */
const EXIT_TIMEOUT_MS = 5_000

export function openVideoSandbox(options: VideoSandboxOptions): VideoSandbox {
  const { ffmpeg, sandboxCommand, entry = [READER], onFailedStart = () => {} } = options
  const runs = new Set<Run>()
  const memoryMb = { reader: READER_MEMORY_MB, decoder: DECODER_MEMORY_MB }
  const starts = ffmpeg && watchVideoStarts({ ffmpeg, entry, memoryMb, sandboxCommand, tell: onFailedStart })
  let isClosing = false
  return {
    async hash(video, purpose, disconnected, wholeMs) {
      if (!ffmpeg || !starts) return { problem: 'video-unavailable' }
      if (isClosing || disconnected?.aborted) return UNAVAILABLE
      const run = startRun(options, ffmpeg, Buffer.isBuffer(video) ? [video] : video, purpose, wholeMs)
      runs.add(run)
      disconnected?.addEventListener('abort', run.stop)
      try {
        return { ...(await explained(await run.answer, run, starts)), costMs: run.costMs }
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
  /** Whether the reader was ready. */
  readonly hasBegun: boolean
  readonly isStopped: boolean
  /** [ms] Processor time of both children. */
  readonly costMs: number
  /** What the decoder was started for. */
  readonly codec: VideoCodecName | undefined
  stop(): void
}

/** A video is not to blame when the programs do not run. */
async function explained(answer: VideoAnswer, run: Run, starts: VideoStarts): Promise<VideoAnswer> {
  if ('video' in answer) starts.hashed()
  if ('video' in answer || run.isStopped) return answer
  if (!run.hasBegun) {
    await starts.readerFailed()
    return UNAVAILABLE
  }
  const { problem } = answer
  const isOfDecoder = problem === 'video-undecodable' || problem === 'video-unavailable'
  if (!isOfDecoder || run.codec === undefined || (await starts.canDecode(run.codec))) return answer
  return problem === 'video-undecodable' ? UNAVAILABLE : answer
}

interface Child {
  readonly process: ChildProcess
  readonly dead: Promise<void>
  isDead: boolean
}

function startRun(
  options: VideoSandboxOptions,
  ffmpeg: string,
  video: readonly Buffer[],
  purpose: VideoPurpose,
  wholeMs: number | undefined,
): Run {
  const reader = startReader(options)
  let decoder: Child | undefined
  let codec: VideoCodecName | undefined
  let [hasBegun, isStopped] = [false, false]
  let settle = (_: VideoAnswer) => {}
  const settled = new Promise<VideoAnswer>((resolve) => {
    settle = resolve
  })
  const watch = createVideoWatch({
    children: () => ({ reader, decoder }),
    settle,
    channel: reader.channel,
    stuckMs: options.stuckMs ?? STUCK_MS,
    wholeMs,
  })

  reader.dead.then(() => settle(afterDeath(reader.process)))
  readFrames(reader.channel, MAX_VIDEO_MESSAGE_BYTES, (frame) => {
    const isGreeting = !hasBegun && frame.equals(READER_GREETING)
    hasBegun = true
    if (isGreeting) return
    const message = messageIn(frame, purpose)
    if (message === undefined || ('facts' in message && decoder !== undefined)) return settle(UNDECODABLE)
    if (!('facts' in message)) return void settleWith(message, decoder).then(settle)
    codec = message.facts.codec
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
    get hasBegun() {
      return hasBegun
    },
    get isStopped() {
      return isStopped
    },
    get codec() {
      return codec
    },
    get costMs() {
      return watch.costMs
    },
    stop() {
      isStopped = true
      settle(UNAVAILABLE)
    },
  }
}

/** An answer counts only if the decoder ended well. How the decoder died explains what the other child reports. */
async function settleWith(
  message: { readonly video: HashedVideo } | { readonly problem: Refusal },
  decoder: Child | undefined,
): Promise<VideoAnswer> {
  if (decoder === undefined) return 'video' in message ? UNDECODABLE : message
  if ('problem' in message && message.problem !== UNDECODABLE.problem) return message
  const isOver = await new Promise<boolean>((resolve) => {
    const cancel = afterRunning(EXIT_TIMEOUT_MS, () => resolve(false))
    decoder.dead.then(cancel).then(() => resolve(true))
  })
  if (!isOver) return UNDECODABLE
  if (decoder.process.exitCode === 0) return message
  return afterDeath(decoder.process)
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
    addressSpaceMb: DECODER_MEMORY_MB + LIBRARIES_MB,
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

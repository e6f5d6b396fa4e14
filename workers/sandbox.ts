// Child processes that decode strangers' files: no Redis, no keys, hard limits, replaced when they die.

import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { Duplex } from 'node:stream'
import { z } from 'zod'
import type { HashedImage, HashedSignal } from '../packages/core/src/matching/hashed-image.js'
import { ISOLATION_LAYERS, type IsolationLayer } from '../src/domain/isolation-layers.js'
import { afterRunning } from '../src/domain/running-time.js'
import { type HandoffAnswer, parseAnswer, type Wanted } from '../src/handoff/message.js'
import type { DetailsWanted, JobPurpose } from '../src/jobs/hash-image-job.js'
import { countFailedStarts, reasonOfFailedStart } from './failed-starts.js'
import { fileHash } from './file-hash.js'
import { DETAILS_BITS, PURPOSE_BYTES, readFrames, writeFrame } from './frames.js'
import type { SandboxCommand } from './sandbox-command.js'
import { nodeCommand, spawnSandboxed } from './sandboxed.js'
import { innermost, isStarved as isStarvedHere } from './starved.js'

export interface Sandbox {
  /**
   * Decodes and hashes in a child. Does not overwrite `image`, given in one or several pieces: it belongs to the caller. Does not read it after
   * this settles.
   *
   * A child that dies is replaced and the image tried once more; then the answer is `image-undecodable`. A child that takes too long is killed and
   * the image refused at once, since a second try would take as long. While other processes keep the processors busy it gets more time; if that is
   * not enough, the answer is `hashing-unavailable`, because nothing is wrong with the image. A child that runs out of memory is replaced and the
   * image tried once more; then the answer is also `hashing-unavailable`.
   */
  hash(image: Buffer | readonly Buffer[], purpose: JobPurpose, details?: DetailsWanted): Promise<HandoffAnswer>
  /** Resolves when the first child is ready. */
  readonly ready: Promise<void>
  /** The layers that hold for a child: those the first child reports, and those proven from inside its sandbox. */
  readonly isolationLayers: Promise<readonly IsolationLayer[]>
  /** False while children end before they are ready: then no picture can be hashed. */
  readonly canStart: boolean
  /** Pids of the children that are alive, for tests. */
  readonly pids: readonly number[]
  close(): Promise<void>
}

export interface SandboxOptions {
  readonly children: number
  readonly memoryMb: number
  readonly timeLimitMs: number
  /** Whether a process is slow because of others. Asked about a child whose time is up. */
  readonly isStarved?: (pid: number) => Promise<boolean>
  /** The child's program and its arguments. */
  readonly entry: readonly string[]
  readonly sandboxCommand: SandboxCommand
  /** Called when an image was given up because two children in a row ran out of memory, for the operator's log. */
  readonly onOutOfMemory?: () => void
  /** Called with the reason when children end before they are ready, once until one is ready again. For the operator's log. */
  readonly onFailedStart?: (reason: string) => void
  /** As `afterRunning`. Tests replace it. */
  readonly alarm?: (ms: number, ring: () => void) => () => void
}

interface Child {
  readonly process: ChildProcess
  readonly channel: Duplex
  readonly ready: Promise<readonly IsolationLayer[]>
  readonly dead: Promise<void>
  isDead: boolean
  // Replaced for each picture. Listeners on `dead` would all be kept, with what they hold, as long as the child lives.
  onAnswer: (text: string) => void
  onDeath: () => void
}

const { signals } = constants
const UNDECODABLE: HandoffAnswer = { problem: 'image-undecodable' }
const UNAVAILABLE = { problem: 'hashing-unavailable' } as const

export function openSandbox(options: SandboxOptions): Sandbox {
  const idle: Child[] = []
  const children = new Set<Child>()
  const waiting: ((child: Child) => void)[] = []
  let closing = false
  let reportIsolation = (_: readonly IsolationLayer[]) => {}
  const isolationLayers = new Promise<readonly IsolationLayer[]>((resolve) => {
    reportIsolation = resolve
  })

  const starts = countFailedStarts(() => {
    const command = nodeCommand(options.entry, options.sandboxCommand)
    reasonOfFailedStart(command, options).then((reason) => reason !== undefined && options.onFailedStart?.(reason))
  })
  const offer = (child: Child) => {
    const next = waiting.shift()
    if (next === undefined) idle.push(child)
    else next(child)
  }
  const start = () => {
    if (closing) return
    const child = startChild(options)
    children.add(child)
    let wasReady = false
    child.ready.then((held) => {
      wasReady = true
      starts.succeeded()
      reportIsolation(
        ISOLATION_LAYERS.filter((layer) => held.includes(layer) || options.sandboxCommand.proven.includes(layer)),
      )
      offer(child)
    })
    child.dead.then(() => {
      children.delete(child)
      const at = idle.indexOf(child)
      if (at >= 0) idle.splice(at, 1)
      if (!closing) setTimeout(start, wasReady ? RESTART_DELAY_MS : starts.failed())
    })
  }
  for (let i = 0; i < options.children; i++) start()

  const nextOffered = () => new Promise<Child>((resolve) => waiting.push(resolve))
  const borrow = () => {
    const child = idle.pop()
    return child === undefined ? nextOffered() : Promise.resolve(child)
  }
  const attempt = async (image: readonly Buffer[], wanted: Wanted, lent: Promise<Child>) => {
    const child = await lent
    const outcome = await ask(child, image, wanted, options)
    if (typeof outcome === 'object') offer(child)
    return outcome
  }

  return {
    ready: borrow().then(offer),
    isolationLayers,
    async hash(image, purpose, details = 'none') {
      const wanted = { purpose, details }
      const pieces = Buffer.isBuffer(image) ? [image] : image
      const first = await attempt(pieces, wanted, borrow())
      // Not to an idle child: what killed the first may have killed all of them, and their deaths may not have been noticed yet.
      const isWorthAnother = first === 'died' || first === 'out-of-memory'
      const last = isWorthAnother ? await attempt(pieces, wanted, nextOffered()) : first
      if (typeof last === 'object') return last
      if (last === 'out-of-memory') options.onOutOfMemory?.()
      return last === 'starved' || last === 'out-of-memory' ? UNAVAILABLE : UNDECODABLE
    },
    get canStart() {
      return !starts.areFailing
    },
    get pids() {
      return [...children].flatMap(({ process }) => process.pid ?? [])
    },
    async close() {
      closing = true
      for (const { process } of children) process.kill('SIGKILL') // they hold nothing that has to be saved
      await Promise.all([...children].map(({ dead }) => dead))
    },
  }
}

/** Children that die one after another must not cause a busy loop. */
const RESTART_DELAY_MS = 50

/** The most time that a starved child gets, as a multiple of its limit. The hand-off waits for three times the limit. */
const MAX_STARVED_TIMES = 2.5

type Outcome = HandoffAnswer | 'died' | 'too-slow' | 'starved' | 'out-of-memory'

async function ask(child: Child, image: readonly Buffer[], wanted: Wanted, options: SandboxOptions): Promise<Outcome> {
  const { timeLimitMs, alarm = afterRunning } = options
  let isOver = false
  let cancel = () => {}
  const outcome = await new Promise<Outcome>((resolve) => {
    if (child.isDead) return resolve('died')
    child.onAnswer = (text) => resolve(outcomeOf(child, text, image, wanted))
    child.onDeath = () => resolve(diedForMemory(child) ? 'out-of-memory' : 'died')
    cancel = alarm(timeLimitMs, () => watchSlow(child, options, () => isOver).then(resolve))
    writeFrame(child.channel, Buffer.of(PURPOSE_BYTES[wanted.purpose] | DETAILS_BITS[wanted.details]), ...image)
  })
  isOver = true
  cancel()
  child.onAnswer = () => {}
  child.onDeath = () => {}
  // A child that answers before it has read the whole picture does not run our program.
  if (typeof outcome === 'object' && child.channel.writableLength === 0) return outcome
  child.channel.destroy() // stops pending writes: the memory may soon hold another picture
  child.process.kill('SIGKILL')
  return typeof outcome === 'object' ? 'died' : outcome
}

/** Watches a child whose time is up, and settles when it gets no more time. */
async function watchSlow(
  { process: { pid } }: Child,
  { timeLimitMs, isStarved = isStarvedHere }: SandboxOptions,
  isOver: () => boolean,
): Promise<'too-slow' | 'starved'> {
  const maxMs = performance.now() + (MAX_STARVED_TIMES - 1) * timeLimitMs
  while (pid !== undefined && !isOver() && (await isStarved(innermost(pid)))) if (performance.now() > maxMs) return 'starved'
  return 'too-slow'
}

/** An unreadable answer means that the child may have been taken over: it is killed. A child that ran out of memory is killed too. */
function outcomeOf(
  child: Child,
  text: string,
  image: readonly Buffer[],
  wanted: Wanted,
): HandoffAnswer | 'died' | 'out-of-memory' {
  try {
    const answer = parseAnswer(text, wanted)
    if (!('problem' in answer)) return withFileHash(answer.image, image)
    if (answer.problem !== UNAVAILABLE.problem) return answer
    child.process.kill('SIGKILL')
    return 'out-of-memory'
  } catch {
    child.process.kill('SIGKILL')
    return 'died'
  }
}

/**
 * Adds the hash of the file. It is computed here, so that a taken-over decoder cannot query or register a file that it was not given.
 * @throws {Error} when the child's answer contains such a hash.
 */
function withFileHash(image: HashedImage, file: readonly Buffer[]): HandoffAnswer {
  const { signals } = image
  if (signals.some(({ type }) => type === 'sha256')) throw new Error('a child must not answer with the hash of a file')
  if (signals.length === 0) return { image }
  const added: HashedSignal = { type: 'sha256', view: 'whole', quality: 100, hashes: [fileHash(file)] }
  return { image: { ...image, signals: [...signals, added] } }
}

/**
 * V8 and the C++ runtime abort or trap when they get no more memory; a fault in a decoder shows as another signal. In a PID namespace the first
 * process reports the signal of the one that decoded in its exit code, as shells do.
 */
function diedForMemory({ process: { signalCode, exitCode } }: Child): boolean {
  const isByExitCode = exitCode === 128 + signals.SIGABRT || exitCode === 128 + signals.SIGTRAP
  return signalCode === 'SIGABRT' || signalCode === 'SIGTRAP' || isByExitCode
}

/** Starts a child with closed standard streams: it gets one socket to its parent. */
function startChild({ memoryMb, entry, sandboxCommand }: SandboxOptions): Child {
  const child = spawnSandboxed(nodeCommand(entry, sandboxCommand), {
    memoryMb,
    sandboxCommand,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const channel = child.stdio[3]
  if (!(channel instanceof Duplex)) throw new Error('a child needs a socket to its parent')
  channel.on('error', () => {}) // 'close' follows
  for (const over of ['end', 'close']) channel.on(over, () => child.kill('SIGKILL')) // it can answer no more, alive or not

  const dead = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  let onReady = (_: readonly IsolationLayer[]) => {}
  const ready = new Promise<readonly IsolationLayer[]>((resolve) => {
    onReady = resolve
  })
  const made: Child = { process: child, channel, ready, dead, isDead: false, onAnswer: () => {}, onDeath: () => {} }
  dead.then(() => {
    made.isDead = true
    made.onDeath()
  })
  let greeted = false
  readFrames(channel, MAX_ANSWER_BYTES, (frame) => {
    if (greeted) made.onAnswer(frame.toString('utf8'))
    else onReady(isolationIn(frame.toString('utf8')))
    greeted = true
  })
  return made
}

const IsolationLayers = z.array(z.enum(ISOLATION_LAYERS))

/** The layers in a child's greeting, which is `ready` and a JSON list; none when it cannot be read. */
function isolationIn(greeting: string): readonly IsolationLayer[] {
  try {
    return IsolationLayers.parse(JSON.parse(greeting.slice('ready '.length)))
  } catch {
    return []
  }
}

const MAX_ANSWER_BYTES = 1 << 20

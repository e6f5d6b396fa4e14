// Child processes in which strangers' files are decoded: no Redis, no keys, hard limits, replaced when they die.

import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { Duplex } from 'node:stream'
import { ISOLATION_LAYERS, type IsolationLayer } from '../src/domain/isolation-layers.js'
import type { HashedImage, HashedSignal } from '../src/domain/matching/hashed-image.js'
import { type HandoffAnswer, parseAnswer, type Wanted } from '../src/handoff/message.js'
import type { DetailsWanted, JobPurpose } from '../src/jobs/hash-image.js'
import { fileHash } from './file-hash.js'
import { DETAILS_BITS, PURPOSE_BYTES, readFrames, writeFrame } from './frames.js'
import { IsolationLayers } from './isolation-here.js'
import type { SandboxCommand } from './sandbox-command.js'
import { innermost, isStarved as isStarvedHere } from './starved.js'

export interface Sandbox {
  /**
   * Decodes and hashes in a child. `image`, in one piece or several, is not overwritten: it belongs to the caller, and is read by nobody any
   * more when this settles.
   * A child that dies is replaced and the image is tried once more; then it is refused as undecodable. One that takes too
   * long is killed, and the image refused at once: a second try would take as long. While others have the processors it is given
   * more time, and when that was not enough the answer is `hashing-unavailable`: nobody knows anything bad of the image. The same goes for
   * one that runs out of memory: it is replaced, the image tried once more, and never called damaged.
   */
  hash(image: Buffer | readonly Buffer[], purpose: JobPurpose, details?: DetailsWanted): Promise<HandoffAnswer>
  /** Settles when the first child can be asked. */
  readonly ready: Promise<void>
  /** What holds for a child: as the first one saw it, if it can tell, and as was proven from inside its cage. */
  readonly isolationLayers: Promise<readonly IsolationLayer[]>
  /** Processes that are alive, for a status page and for tests. */
  readonly pids: readonly number[]
  close(): Promise<void>
}

export interface SandboxOptions {
  readonly children: number
  readonly memoryMb: number
  readonly timeLimitMs: number
  /** Whether a process is slow because of others: asked of a child whose time is up. */
  readonly isStarved?: (pid: number) => Promise<boolean>
  /** The child's program and its arguments. */
  readonly entry: readonly string[]
  readonly sandboxCommand: SandboxCommand
  /** Called when an image was given up because two children in a row had too little memory: for the operator's log. */
  readonly onOutOfMemory?: () => void
  /** Calls back after so long, unless it is called off. In tests, when they say so. */
  readonly alarm?: (ms: number, ring: () => void) => () => void
}

interface Child {
  readonly process: ChildProcess
  readonly channel: Duplex
  readonly ready: Promise<readonly IsolationLayer[]>
  readonly dead: Promise<void>
  isDead: boolean
  // For whoever waits now, set anew for each picture: `dead` would remember all who ever waited, and what they were told, as long as it lives.
  onAnswer: (text: string) => void
  onDeath: () => void
}

const { signals } = constants
const UNDECODABLE: HandoffAnswer = { problem: 'image-undecodable' }
const AWAY = { problem: 'hashing-unavailable' } as const

export function openSandbox(options: SandboxOptions): Sandbox {
  const idle: Child[] = []
  const all = new Set<Child>()
  const waiting: ((child: Child) => void)[] = []
  let closing = false
  let reportIsolation = (_: readonly IsolationLayer[]) => {}
  const isolationLayers = new Promise<readonly IsolationLayer[]>((tell) => {
    reportIsolation = tell
  })

  const offer = (child: Child) => {
    const next = waiting.shift()
    if (next === undefined) idle.push(child)
    else next(child)
  }
  const start = () => {
    const child = startChild(options)
    all.add(child)
    child.ready.then((held) => {
      reportIsolation(
        ISOLATION_LAYERS.filter((layer) => held.includes(layer) || options.sandboxCommand.proven.includes(layer)),
      )
      offer(child)
    })
    child.dead.then(() => {
      all.delete(child)
      const at = idle.indexOf(child)
      if (at >= 0) idle.splice(at, 1)
      if (!closing) setTimeout(start, RESTART_DELAY_MS)
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
      // Not to one that has nothing to do: what killed the first may have killed all in that moment, which is not heard of yet.
      const isWorthAnother = first === 'died' || first === 'out-of-memory'
      const last = isWorthAnother ? await attempt(pieces, wanted, nextOffered()) : first
      if (typeof last === 'object') return last
      if (last === 'out-of-memory') options.onOutOfMemory?.()
      return last === 'starved' || last === 'out-of-memory' ? AWAY : UNDECODABLE
    },
    get pids() {
      return [...all].flatMap(({ process }) => process.pid ?? [])
    },
    async close() {
      closing = true
      for (const { process } of all) process.kill('SIGKILL') // they hold nothing that has to be put away
      await Promise.all([...all].map(({ dead }) => dead))
    },
  }
}

/** A child that cannot start (no memory, a broken install) must not become a busy loop. */
const RESTART_DELAY_MS = 50
const NICER_BY = 5

/** So many times its limit a child has at most, when others have the processors: the hand-off waits for three times. */
const MAX_STARVED_TIMES = 2.5

type Outcome = HandoffAnswer | 'died' | 'too-slow' | 'starved' | 'out-of-memory'

function alarmClock(ms: number, ring: () => void): () => void {
  const timer = setTimeout(ring, ms)
  return () => clearTimeout(timer)
}

async function ask(child: Child, image: readonly Buffer[], wanted: Wanted, options: SandboxOptions): Promise<Outcome> {
  const { timeLimitMs, alarm = alarmClock } = options
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
  // What answers before it has read the whole picture does not do what ours does.
  if (typeof outcome === 'object' && child.channel.writableLength === 0) return outcome
  child.channel.destroy() // what is not written yet never is: the memory may be another picture's soon
  child.process.kill('SIGKILL')
  return typeof outcome === 'object' ? 'died' : outcome
}

/** Of a child whose time is up: settles when it is to have no more. */
async function watchSlow(
  { process: { pid } }: Child,
  { timeLimitMs, isStarved = isStarvedHere }: SandboxOptions,
  isOver: () => boolean,
): Promise<'too-slow' | 'starved'> {
  const maxMs = performance.now() + (MAX_STARVED_TIMES - 1) * timeLimitMs
  while (pid !== undefined && !isOver() && (await isStarved(innermost(pid)))) if (performance.now() > maxMs) return 'starved'
  return 'too-slow'
}

/** An answer that cannot be read means that the child's mind is no longer its own. One without memory is not asked again either. */
function outcomeOf(
  child: Child,
  text: string,
  image: readonly Buffer[],
  wanted: Wanted,
): HandoffAnswer | 'died' | 'out-of-memory' {
  try {
    const answer = parseAnswer(text, wanted)
    if (!('problem' in answer)) return withFileHash(answer.image, image)
    if (answer.problem !== AWAY.problem) return answer
    child.process.kill('SIGKILL')
    return 'out-of-memory'
  } catch {
    child.process.kill('SIGKILL')
    return 'died'
  }
}

/**
 * The hash of the file is added here: what decodes cannot ask about, or register, a file that it was not given.
 * @throws {Error} for an answer that says one.
 */
function withFileHash(image: HashedImage, file: readonly Buffer[]): HandoffAnswer {
  const { signals } = image
  if (signals.some(({ type }) => type === 'sha256')) throw new Error('the hash of a file from what decodes')
  if (signals.length === 0) return { image }
  const added: HashedSignal = { type: 'sha256', view: 'whole', quality: 100, hashes: [fileHash(file)] }
  return { image: { ...image, signals: [...signals, added] } }
}

/**
 * V8 and the C++ runtime abort or trap when they are given no more memory; a decoder's fault shows as another signal. What ran in a namespace of
 * processes has its signal told by the first of them, as shells do.
 */
function diedForMemory({ process: { signalCode, exitCode } }: Child): boolean {
  const toldByFirst = exitCode === 128 + signals.SIGABRT || exitCode === 128 + signals.SIGTRAP
  return signalCode === 'SIGABRT' || signalCode === 'SIGTRAP' || toldByFirst
}

/**
 * The shell sets limits that a child cannot lift again: no core dump, no byte written to any file, no more memory than
 * allowed; it also drops options for Node that somebody else put there. Its environment is empty, its standard streams are closed: what it is given is one socket to its parent. What it could
 * reach for all the same, the cage keeps from it.
 */
function startChild({ memoryMb, entry, sandboxCommand }: SandboxOptions): Child {
  // What computes goes behind what answers, where both want the same core: `nice`, so that it does before it has threads, and they with it.
  const limits = `unset NODE_OPTIONS; ulimit -c 0; ulimit -f 0; ulimit -d ${memoryMb * 1024}; exec nice -n ${NICER_BY} "$@"`
  const flags = ['--disable-proto=throw', '--no-warnings', '--max-old-space-size=256', ...sandboxCommand.nodeFlags]
  const command = sandboxCommand.inside([process.execPath, ...flags, ...entry])
  const child = spawn('/bin/sh', ['-c', limits, 'sh', ...command], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: { NODE_ENV: 'production', MALLOC_ARENA_MAX: '2', UV_THREADPOOL_SIZE: '2' },
    cwd: '/',
  })
  const channel = child.stdio[3]
  if (!(channel instanceof Duplex)) throw new Error('a child has a socket to its parent')
  channel.on('error', () => {}) // 'close' follows
  for (const over of ['end', 'close']) channel.on(over, () => child.kill('SIGKILL')) // it can say no more, alive or not

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

/** A greeting is `ready`, and what holds for who says it. */
function isolationIn(greeting: string): readonly IsolationLayer[] {
  try {
    return IsolationLayers.parse(JSON.parse(greeting.slice('ready '.length)))
  } catch {
    return []
  }
}

const MAX_ANSWER_BYTES = 1 << 20

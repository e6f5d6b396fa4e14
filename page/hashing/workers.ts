// Workers that run one script and hash files, one after the other in each, so that the page stays quick and memory small.

import { afterRunning } from '../../src/domain/running-time.js'
import { given } from '../given.js'
import type { PickedFile } from '../unpacking/packed-file.js'
import { createPlayer, type Player } from '../video/player.js'
import type { Wanted } from './hash-file.js'
import type { Outcome } from './outcome.js'

export interface ToWorker {
  readonly file: PickedFile
  readonly wanted: Wanted
  /** For a worker of videos. */
  readonly player?: MessagePort
}
export type FromWorker = { readonly ready: true } | { readonly share: number } | { readonly outcome: Outcome }

export interface HashOptions {
  /** Called when its turn has come. */
  readonly begun: () => void
  /** Called when the file is handed to another worker after one has begun. */
  readonly handedOn: () => void
  /** Called with the share of a video that was read, 0…1. */
  readonly progress: (share: number) => void
  /** Aborted when the result is no longer wanted. */
  readonly signal: AbortSignal
}

export interface Pool {
  /** @returns what came of it; `undefined` when it was stopped before. */
  hash(file: PickedFile, wanted: Wanted, options: HashOptions): Promise<Outcome | undefined>
  /** Gives up everything that waits or is being read. */
  stop(): void
}

interface Task extends HashOptions {
  readonly file: PickedFile
  readonly wanted: Wanted
  readonly done: (outcome: Outcome | undefined) => void
}

/** A worker, and what it reads. */
interface Reader {
  readonly isReady: boolean
  readonly task: Task | undefined
  give(task: Task): void
  /** Ends the worker for good. @returns what it was doing. */
  end(): Task | undefined
}

interface ReaderOptions {
  readonly hasPlayer: boolean
  /** It is done with its task, and can have another one. */
  readonly onFree: (reader: Reader) => void
  /** It failed. The task is still with it. */
  readonly onFailure: (reader: Reader) => void
  /** It was too slow, or could not be loaded in time. */
  readonly onLate: (reader: Reader) => void
}

/** An old telephone takes seconds for a large picture, or for a hundredth of a video. */
const TIMEOUT_MS = 60_000
/** A script that decodes a format has half a megabyte. A slow connection takes minutes to load it. */
const LOAD_TIMEOUT_MS = 300_000

export interface WorkersOptions {
  readonly maxWorkers: number
  /** Whether workers are ended when nothing waits. A worker with its own decoder keeps memory for the largest picture so far. */
  readonly areEndedWhenIdle?: boolean
  /** Whether they get a player for what they cannot decode. */
  readonly havePlayer?: boolean
}

/** @param script one of the addresses that the page was given. */
export function workersOf(
  script: string,
  { maxWorkers, areEndedWhenIdle = false, havePlayer = false }: WorkersOptions,
): Pool {
  const readers = new Set<Reader>()
  const waiting: Task[] = []
  let most = maxWorkers

  return {
    hash: (file, wanted, options) =>
      new Promise((done) => {
        const task: Task = { file, wanted, ...options, done }
        waiting.push(task)
        if (areEndedWhenIdle) options.signal.addEventListener('abort', () => giveUp(task), { once: true })
        assign()
      }),
    stop() {
      for (const { done } of waiting.splice(0)) done(undefined)
      for (const reader of readers) if (reader.task !== undefined) end(reader)?.done(undefined)
    },
  }

  function assign(): void {
    for (const reader of readers) if (reader.task === undefined) give(reader, waiting.shift())
    if (waiting.length > 0 && readers.size < most) give(open(), waiting.shift())
  }

  function give(reader: Reader, task: Task | undefined): void {
    if (task !== undefined) reader.give(task)
  }

  function open(): Reader {
    const reader = createReader(script, {
      hasPlayer: havePlayer,
      onFree(free) {
        if (areEndedWhenIdle && waiting.length === 0) end(free)
        else assign()
      },
      onFailure: failed,
      onLate: (late) => end(late)?.done({ kind: 'rejected', why: late.isReady ? 'too-slow' : 'no-program' }),
    })
    readers.add(reader)
    return reader
  }

  function failed(reader: Reader): void {
    const task = end(reader)
    if (task === undefined) return
    // This worker could not be loaded, but another one works and takes the task.
    if (!reader.isReady && [...readers].some(({ isReady }) => isReady)) {
      most = 1
      waiting.unshift(task)
    } else {
      task.done({ kind: 'rejected', why: reader.isReady ? 'no-memory' : 'no-program' })
    }
    assign()
  }

  /** Ends a worker that may need minutes. Other workers continue: they finish soon, and could not be loaded again without a connection. */
  function giveUp(task: Task): void {
    const place = waiting.indexOf(task)
    const reader = [...readers].find((each) => each.task === task)
    if (place >= 0) waiting.splice(place, 1)
    else if (reader === undefined) return
    else end(reader)
    task.done(undefined)
  }

  function end(reader: Reader): Task | undefined {
    readers.delete(reader)
    queueMicrotask(assign)
    return reader.end()
  }
}

function createReader(script: string, { hasPlayer, onFree, onFailure, onLate }: ReaderOptions): Reader {
  const worker = new Worker(trusted(script), { type: 'module' })
  let isReady = false
  let task: Task | undefined
  let player: Player | undefined
  let cancelTimer = () => {}
  const reader: Reader = {
    get isReady() {
      return isReady
    },
    get task() {
      return task
    },
    give(given) {
      task = given
      startTimer()
      player = hasPlayer ? createPlayer(given.file) : undefined
      const message: ToWorker = {
        file: given.file,
        wanted: given.wanted,
        ...(player !== undefined && { player: player.port }),
      }
      worker.postMessage(message, player === undefined ? [] : [player.port])
      given.begun()
    },
    end() {
      worker.terminate()
      return release()
    },
  }
  worker.addEventListener('error', () => onFailure(reader))
  worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
    if ('outcome' in data) {
      release()?.done(data.outcome)
      onFree(reader)
      return
    }
    if ('ready' in data) isReady = true
    else task?.progress(data.share)
    if (task !== undefined) startTimer()
  })
  return reader

  function startTimer(): void {
    cancelTimer()
    cancelTimer = afterRunning(isReady ? TIMEOUT_MS : LOAD_TIMEOUT_MS, () => onLate(reader))
  }

  /** @returns what it was doing. */
  function release(): Task | undefined {
    cancelTimer()
    player?.close()
    player = undefined
    const done = task
    task = undefined
    return done
  }
}

interface ScriptPolicy {
  createScriptURL(url: string): string
}

/** Browsers that enforce Trusted Types take a script's address only from a policy. This policy allows the scripts of this page. */
function trusted(url: string): string {
  const types: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy } | undefined = Reflect.get(
    globalThis,
    'trustedTypes',
  )
  policy ??= types?.createPolicy('tabir', {
    createScriptURL(asked) {
      if (asked !== given.worker && !Object.values(given.decoders).includes(asked))
        throw new TypeError('not a script of this page')
      return asked
    },
  })
  return policy === undefined ? url : policy.createScriptURL(url)
}

let policy: ScriptPolicy | undefined

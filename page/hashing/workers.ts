// Workers that run one script and hash files, one after the other in each, so that the page stays quick and memory small.

import { given } from '../given.js'
import type { Wanted } from './hash-file.js'
import type { Outcome } from './outcome.js'

export interface ToWorker {
  readonly file: File
  readonly wanted: Wanted
}
export type FromWorker = { readonly ready: true } | { readonly outcome: Outcome }

export interface Pool {
  /**
   * @param begun is called when its turn has come.
   * @returns what came of it; `undefined` when it was stopped before.
   */
  hash(file: File, wanted: Wanted, begun: () => void): Promise<Outcome | undefined>
  /** Gives up everything that waits or is being read. */
  stop(): void
}

interface Task extends ToWorker {
  readonly begun: () => void
  readonly done: (outcome: Outcome | undefined) => void
}

interface Slot {
  readonly worker: Worker
  isReady: boolean
  task: Task | undefined
  timer: ReturnType<typeof setTimeout> | undefined
}

/** An old telephone takes seconds for a large picture. */
const TIMEOUT_MS = 60_000
/** A script that decodes a format is half a megabyte, which a slow connection takes minutes for. */
const LOAD_TIMEOUT_MS = 300_000

export interface WorkersOptions {
  readonly maxWorkers: number
  /** Are workers ended when nothing waits? Those that decode a format by themselves keep memory for the largest picture so far. */
  readonly areEndedWhenIdle?: boolean
}

/** @param script one of the addresses that the page was given. */
export function workersOf(script: string, { maxWorkers, areEndedWhenIdle = false }: WorkersOptions): Pool {
  const slots = new Set<Slot>()
  const waiting: Task[] = []
  let most = maxWorkers

  return {
    hash: (file, wanted, begun) =>
      new Promise((done) => {
        waiting.push({ file, wanted, begun, done })
        deal()
      }),
    stop() {
      for (const { done } of waiting.splice(0)) done(undefined)
      for (const slot of slots) if (slot.task !== undefined) end(slot)?.done(undefined)
    },
  }

  function deal(): void {
    for (const slot of slots) if (slot.task === undefined) give(slot, waiting.shift())
    if (waiting.length > 0 && slots.size < most) give(open(), waiting.shift())
  }

  function give(slot: Slot, task: Task | undefined): void {
    if (task === undefined) return
    slot.task = task
    startTimer(slot)
    const message: ToWorker = { file: task.file, wanted: task.wanted }
    slot.worker.postMessage(message)
    task.begun()
  }

  function startTimer(slot: Slot): void {
    clearTimeout(slot.timer)
    const [timeoutMs, why] = slot.isReady ? ([TIMEOUT_MS, 'too-slow'] as const) : ([LOAD_TIMEOUT_MS, 'no-program'] as const)
    slot.timer = setTimeout(() => end(slot)?.done({ kind: 'rejected', why }), timeoutMs)
  }

  function open(): Slot {
    const slot = slotFor(script)
    slots.add(slot)
    slot.worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if ('ready' in data) {
        slot.isReady = true
        if (slot.task !== undefined) startTimer(slot)
        return
      }
      clearTimeout(slot.timer)
      const task = slot.task
      slot.task = undefined
      task?.done(data.outcome)
      if (areEndedWhenIdle && waiting.length === 0) end(slot)
      else deal()
    })
    slot.worker.addEventListener('error', () => {
      const task = end(slot)
      if (task === undefined) return
      // One that could not be loaded, while another one works: that other one does it.
      if (!slot.isReady && [...slots].some(({ isReady }) => isReady)) {
        most = 1
        waiting.unshift(task)
      } else {
        task.done({ kind: 'rejected', why: slot.isReady ? 'no-memory' : 'no-program' })
      }
      deal()
    })
    return slot
  }

  /** Ends a worker for good. @returns what it was doing. */
  function end(slot: Slot): Task | undefined {
    clearTimeout(slot.timer)
    slot.worker.terminate()
    slots.delete(slot)
    const task = slot.task
    slot.task = undefined
    queueMicrotask(deal)
    return task
  }
}

function slotFor(script: string): Slot {
  return { worker: new Worker(trusted(script), { type: 'module' }), isReady: false, task: undefined, timer: undefined }
}

interface ScriptPolicy {
  createScriptURL(url: string): string
}

/** Where the browser demands it, an address of a script comes through a policy that knows those of this page. */
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

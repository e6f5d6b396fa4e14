// A process of the service that is restarted whenever it ends, as by a service manager, but at once.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { z } from 'zod'
import { freePorts } from '../helpers/ports.js'
import { childrenOf } from '../helpers/processes.js'
import { patience } from './patience.js'

export interface KeptProcess {
  readonly name: string
  /** @throws when it is not running at the moment. */
  readonly pid: number
  /** The address of an api that has been ready. */
  readonly url: string
  readonly isReady: boolean
  /** When the current run was ready: performance.now(). */
  readonly readyAtMs: number
  /** How often it ended by itself after it had been ready. */
  readonly crashes: readonly string[]
  /** All of its output. */
  readonly output: string[]
  ready(): Promise<void>
  /** Ends the current run with its own children and waits until it is gone; the next one starts at once. */
  kill(): Promise<void>
  /** SIGTERM. @returns how it ended: the status, or the signal. */
  term(timeoutMs: number): Promise<string>
  /** Any other signal. */
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}

export interface KeptProcessOptions {
  readonly name: string
  readonly entry: string
  readonly execArgv?: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

const AGAIN_AFTER_MS = 100
const Ready = z.object({ ready: z.literal(true), url: z.string().optional() })

export async function keepProcess({ name, entry, execArgv = [], env }: KeptProcessOptions): Promise<KeptProcess> {
  const output: string[] = []
  const crashes: string[] = []
  const [port] = await freePorts(1) // each run has the same address
  let url = ''
  let isReady = false
  let readyAtMs = Number.POSITIVE_INFINITY
  let isExpected = false
  let isStopping = false
  let waiting: (() => void)[] = []
  let child = start()

  function start(): ChildProcess {
    const started = fork(entry, {
      execArgv: [...execArgv],
      env: { ...env, TABIR_PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    for (const stream of [started.stdout, started.stderr])
      stream?.setEncoding('utf8').on('data', (text) => output.push(text))
    started.on('message', (message) => {
      const parsed = Ready.safeParse(message)
      if (!parsed.success) return
      if (parsed.data.url !== undefined) url = parsed.data.url
      isReady = true
      readyAtMs = performance.now()
      for (const tell of waiting) tell()
      waiting = []
    })
    started.once('exit', (status, signal) => {
      if (isReady && !isExpected) crashes.push(`${name}: ${signal ?? `status ${status}`}`)
      isReady = false
      isExpected = false
      killGroup(started)
      if (!isStopping)
        setTimeout(() => {
          if (!isStopping) child = start()
        }, AGAIN_AFTER_MS)
    })
    return started
  }
  const ended = async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  const kept: KeptProcess = {
    name,
    get pid() {
      if (child.pid === undefined) throw new Error(`${name} does not run`)
      return child.pid
    },
    get url() {
      return url
    },
    get isReady() {
      return isReady
    },
    get readyAtMs() {
      return readyAtMs
    },
    crashes,
    output,
    async ready() {
      if (!isReady) await new Promise<void>((resolve) => waiting.push(resolve))
    },
    async kill() {
      isExpected = true
      killGroup(child)
      await ended()
    },
    async term(timeoutMs) {
      isExpected = true
      const asked = child
      asked.kill('SIGTERM')
      const { signal, end } = patience(timeoutMs)
      signal.addEventListener('abort', () => killGroup(asked))
      await ended()
      end()
      return asked.signalCode ?? String(asked.exitCode)
    },
    signal(signal) {
      child.kill(signal)
    },
    async stop() {
      isStopping = true
      isExpected = true
      child.kill('SIGCONT')
      killGroup(child)
      await ended()
    },
  }
  await kept.ready()
  return kept
}

/** The hashing children of a worker process. */
export function hashersOf(workers: KeptProcess): number[] {
  return childrenOf(workers.pid)
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // no process of the group is left
  }
}

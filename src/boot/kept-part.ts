// A part of the service in its own process, which the supervisor restarts.

import { spawn } from 'node:child_process'
import { z } from 'zod'
import { backoff, type Keeping, type Kept } from './backoff.js'
import type { Environment, Part } from './config.js'

export interface PartCommand {
  readonly name: Part
  readonly command: string
  readonly args: readonly string[]
  readonly env: Environment
  readonly stopTimeoutMs: number
}

/** If a part was never ready in this many starts, more starts will not help: a port is taken, or a setting is wrong. */
const MAX_FIRST_STARTS = 3

const Ready = z.object({ ready: z.literal(true), url: z.string().optional() })

export interface KeptPart extends Kept {
  isReady(): boolean
  url(): string | undefined
  /** Asks the part to read its files again. Ignored while it starts: it reads them anyway, and the signal would end it. */
  reload(): void
}

export function keepPart(
  { name, command, args, env, stopTimeoutMs }: PartCommand,
  { onReady, onHopeless }: { readonly onReady: () => void; readonly onHopeless?: () => void },
  context: Keeping,
): KeptPart {
  const { warn, now } = context
  const retryMs = backoff(context)
  let starts = 0
  let everReady = false
  let ready: z.infer<typeof Ready> | undefined
  let stopping = false
  let retry: NodeJS.Timeout | undefined
  let running = start()

  function start() {
    const startedAtMs = now()
    starts += 1
    const child = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true })
    child.on('message', (message) => {
      const parsed = Ready.safeParse(message)
      if (!parsed.success) return
      ready = parsed.data
      everReady = true
      onReady()
    })
    const exited = new Promise<string>((resolve) => {
      child.once('exit', (status, signal) => resolve(signal ?? `status ${status}`))
      child.on('error', () => child.pid === undefined && resolve('it cannot be run'))
    }).then((how) => {
      ready = undefined
      killGroup(child.pid) // its own child processes must not outlive it
      if (!stopping) restartLater(how, now() - startedAtMs)
    })
    return { child, exited }
  }
  function restartLater(how: string, livedMs: number) {
    if (onHopeless !== undefined && !everReady && starts >= MAX_FIRST_STARTS) {
      warn(`${name} ended before it was ready, ${starts} times (${how}).`)
      return onHopeless()
    }
    const delayMs = retryMs(livedMs)
    warn(`${name} ended unexpectedly (${how}); starting it again in ${delayMs / 1000} s.`)
    retry = setTimeout(() => {
      running = start()
    }, delayMs)
  }
  return {
    isReady: () => ready !== undefined,
    url: () => ready?.url,
    reload() {
      if (ready !== undefined) running.child.kill('SIGHUP')
    },
    async stop() {
      stopping = true
      clearTimeout(retry)
      running.child.kill('SIGTERM')
      const impatience = setTimeout(() => {
        warn(`${name} did not stop within ${stopTimeoutMs / 1000} s; killing it.`)
        killGroup(running.child.pid)
      }, stopTimeoutMs)
      await running.exited
      clearTimeout(impatience)
    },
    async kill() {
      stopping = true
      clearTimeout(retry)
      killGroup(running.child.pid)
      await running.exited
    },
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // the group has no process left
  }
}

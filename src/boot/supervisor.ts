// What `npm start` runs: Redis, workers, messenger and api, each a process of its own, started in this order and stopped in reverse.
//
// The contract with the entries, `workers/main.ts`, `workers/messenger.ts` and `server.ts`:
// - They are spawned with an 'ipc' channel and say `process.send?.({ ready: true, url? })` once they can serve.
// - They reach Redis through REDIS_SOCKET or REDIS_URL, and find no variable in their environment that they do not need.
// - SIGTERM asks them to finish what they have and to exit: the api within 15 s, the others within 35 s.
// - They are in process groups of their own, so Ctrl-C in a terminal reaches the supervisor alone. When the supervisor dies
//   without a word, the channel closes: `process.on('disconnect')` must then stop them as SIGTERM does. Redis, which knows
//   no channel, is ended by a helper of its own.
// - A part that dies is started again; what it had started itself is killed with it. Redis comes back on the same socket.

import { spawn } from 'node:child_process'
import type { EventEmitter } from 'node:events'
import { realpathSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { openRedisServer, type RedisServer } from '../store/embedded/embedded-redis.js'
import { type Environment, environmentFor, type Part, readConfig } from './config.js'
import { closedTerminal, leaveMemoryOutOfDumps, withoutDumps } from './process.js'
import { welcome } from './welcome.js'

export interface PartCommand {
  readonly name: Part
  readonly command: string
  readonly args: readonly string[]
  readonly env: Environment
  readonly stopWithinMs: number
}

export interface SuperviseOptions {
  readonly openRedis: () => Promise<RedisServer>
  /**
   * How to start the parts on a Redis that is up. The service serves without the messenger: nobody waits for it, and when it cannot
   * start it is tried again for as long as the others run.
   */
  readonly partsFor: (redis: RedisServer) => {
    readonly api: PartCommand
    readonly workers: PartCommand
    readonly messenger?: PartCommand
  }
  /** Emits 'SIGTERM', 'SIGINT' and 'SIGHUP'; in life, `process`. */
  readonly signals: EventEmitter
  /** Is SIGHUP the end of the terminal that this was started at? */
  readonly isTerminalClosed: () => boolean
  /** A line or more for standard output. */
  readonly print: (text: string) => void
  /** What to say, besides where it is, when the service is ready. */
  readonly welcome?: (url: string) => string
  /** A line or more for standard error. */
  readonly warn: (text: string) => void
  readonly now: () => number
  readonly timing?: Partial<Timing>
}

interface Timing {
  readonly firstRetryMs: number
  readonly longestRetryMs: number
  /** What lived this long is trusted again: its next death is answered after `firstRetryMs`. */
  readonly soundAfterMs: number
  /** npm passes on a Ctrl-C that the terminal has sent us already: a signal that comes this soon is the same one. */
  readonly sameSignalMs: number
}

const usualTiming: Timing = { firstRetryMs: 1000, longestRetryMs: 30_000, soundAfterMs: 60_000, sameSignalMs: 500 }

/** A part that was never ready in so many starts will not be ready in the next: a taken port, a wrong setting. */
const MOST_FIRST_STARTS = 3

/** A private Redis of another process, say a command-line tool, may end with it: no fault, so no long wait. */
const REOPEN_AFTER_MS = 50

const STOPPED = 'Tabir has stopped.'

const Ready = z.object({ ready: z.literal(true), url: z.string().optional() })

/**
 * Runs the service until a signal ends it.
 *
 * SIGTERM, SIGINT, or SIGHUP when the terminal was closed: the api stops first, because it still answers with what the workers give it; then the
 * workers and the messenger; then Redis, which all write to. A second signal kills all of them at once, which loses nothing that was acknowledged.
 * Any other SIGHUP goes to the api, which reads its certificates again.
 *
 * @returns the exit status: 0 when it was asked to stop, 1 when it could not start or had to kill.
 */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const context: Context = { ...options, ...usualTiming, ...options.timing }
  const signals = hear(context)
  try {
    const redis = await Promise.race([keepRedis(context), signals.second])
    if (redis === undefined) return 1
    const running: Kept[] = [redis]
    const killAll = async () => {
      await Promise.all(running.map((kept) => kept.kill()))
      context.print(STOPPED)
      return 1
    }
    const stopAll = async (status: number) => {
      for (const kept of running.toReversed()) await kept.stop()
      context.print(STOPPED)
      return status
    }
    const hopeless = new Promise<number>((tell) => {
      if (signals.heard()) return
      const commands = options.partsFor(redis.server())
      const announce = announcer(() => [workers, api], context)
      const events = { onReady: announce, onHopeless: () => tell(1) }
      const workers = keepPart(commands.workers, events, context)
      const api = keepPart(commands.api, events, context)
      signals.onReload(api.reload)
      if (commands.messenger !== undefined) running.push(keepPart(commands.messenger, { onReady: announce }, context))
      running.push(workers, api)
    })
    const ended = Promise.race([signals.first.then(() => 0), hopeless]).then(stopAll)
    return await Promise.race([ended, signals.second.then(killAll)])
  } finally {
    signals.ignore()
  }
}

type Context = SuperviseOptions & Timing

interface Kept {
  stop(): Promise<void>
  kill(): Promise<void>
}

function hear({ signals, isTerminalClosed, sameSignalMs, now }: Context) {
  let firstAtMs: number | undefined
  let tellFirst = () => {}
  let tellSecond = () => {}
  const first = new Promise<void>((tell) => {
    tellFirst = tell
  })
  const second = new Promise<undefined>((tell) => {
    tellSecond = () => tell(undefined)
  })
  const onSignal = () => {
    if (firstAtMs === undefined) {
      firstAtMs = now()
      tellFirst()
    } else if (now() - firstAtMs >= sameSignalMs) {
      tellSecond()
    }
  }
  let reload = () => {}
  const handlers = { SIGTERM: onSignal, SIGINT: onSignal, SIGHUP: () => (isTerminalClosed() ? onSignal() : reload()) }
  for (const [name, handler] of Object.entries(handlers)) signals.on(name, handler)
  return {
    first,
    second,
    heard: () => firstAtMs !== undefined,
    onReload(listener: () => void) {
      reload = listener
    },
    ignore() {
      for (const [name, handler] of Object.entries(handlers)) signals.off(name, handler)
    },
  }
}

/** Says where the service is, whenever both parts are ready and there is news in it. */
function announcer(parts: () => readonly KeptPart[], { print, welcome = () => '' }: Context): () => void {
  let said: string | undefined
  return () => {
    if (!parts().every((part) => part.isReady())) return
    const [url] = parts().flatMap((part) => part.url() ?? [])
    const text = url === undefined ? 'Tabir is ready' : `Tabir is ready at ${url}${welcome(url)}`
    if (text !== said) print(text)
    said = text
  }
}

interface KeptRedis extends Kept {
  server(): RedisServer
}

/** Opens Redis, and opens it again whenever it goes. `undefined`, with the reason on standard error, when the first time fails. */
async function keepRedis(context: Context): Promise<KeptRedis | undefined> {
  const { openRedis, warn, now } = context
  const retryMs = backoff(context)
  const stopping = new AbortController()
  let reopening: Promise<void> | undefined
  let server: RedisServer
  try {
    server = await openRedis()
  } catch (error) {
    warn(messageOf(error))
    return undefined
  }
  watch()

  function watch() {
    const openedAtMs = now()
    server.gone.then((lastWords) => {
      if (stopping.signal.aborted) return
      if (server.owned) warn(`Redis ended unexpectedly; starting it again.\n${lastWords}`.trimEnd())
      reopening = reopen(server.owned ? retryMs(now() - openedAtMs) : REOPEN_AFTER_MS)
    })
  }
  async function reopen(firstDelayMs: number) {
    for (let delayMs = firstDelayMs; ; delayMs = retryMs(0)) {
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      try {
        server = await openRedis()
        return watch()
      } catch (error) {
        warn(messageOf(error))
      }
    }
  }
  return {
    server: () => server,
    async stop() {
      stopping.abort()
      await reopening
      await server.stop()
    },
    async kill() {
      stopping.abort()
      server.kill()
      if (server.owned) await server.gone
    },
  }
}

interface KeptPart extends Kept {
  isReady(): boolean
  url(): string | undefined
  /** Asks it to read its files again. One that is starting reads them anyway, and the signal would end it. */
  reload(): void
}

function keepPart(
  { name, command, args, env, stopWithinMs }: PartCommand,
  { onReady, onHopeless }: { readonly onReady: () => void; readonly onHopeless?: () => void },
  context: Context,
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
    const exited = new Promise<string>((tell) => {
      child.once('exit', (status, signal) => tell(signal ?? `status ${status}`))
      child.on('error', () => child.pid === undefined && tell('it cannot be run'))
    }).then((how) => {
      ready = undefined
      killGroup(child.pid) // what it started itself must not outlive it
      if (!stopping) restartLater(how, now() - startedAtMs)
    })
    return { child, exited }
  }
  function restartLater(how: string, livedMs: number) {
    if (onHopeless !== undefined && !everReady && starts >= MOST_FIRST_STARTS) {
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
        warn(`${name} did not stop within ${stopWithinMs / 1000} s; killing it.`)
        killGroup(running.child.pid)
      }, stopWithinMs)
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
    // nobody is left in it
  }
}

/** How long to wait before the next start, given how long the last one lived. */
function backoff({ firstRetryMs, longestRetryMs, soundAfterMs }: Timing): (livedMs: number) => number {
  let nextMs = firstRetryMs
  return (livedMs) => {
    if (livedMs >= soundAfterMs) nextMs = firstRetryMs
    const delayMs = nextMs
    nextMs = Math.min(nextMs * 2, longestRetryMs)
    return delayMs
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Runs the service of this installation. */
async function main(): Promise<number> {
  const warn = (text: string) => console.error(text)
  try {
    const config = readConfig()
    const program = (path: string) => withoutDumps(fileURLToPath(new URL(path, import.meta.url)))
    return await supervise({
      openRedis: () => openRedisServer(config),
      partsFor: (redis) => ({
        api: {
          name: 'api',
          ...program('./server.js'),
          env: environmentFor('api', redis),
          stopWithinMs: 15_000,
        },
        workers: {
          name: 'workers',
          ...program('../../workers/main.js'),
          env: environmentFor('workers', redis),
          stopWithinMs: 35_000,
        },
        messenger: {
          name: 'messenger',
          ...program('../../workers/messenger.js'),
          env: environmentFor('messenger', redis),
          stopWithinMs: 25_000,
        },
      }),
      signals: process,
      isTerminalClosed: closedTerminal(),
      print: (text) => console.log(text),
      welcome: (url) => welcome(url, config),
      warn,
      now: Date.now,
    })
  } catch (error) {
    warn(messageOf(error))
    return 1
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  leaveMemoryOutOfDumps()
  process.exit(await main())
}

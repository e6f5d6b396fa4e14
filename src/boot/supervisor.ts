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

import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createLifecycle, startOrStop } from '../app/lifecycle.js'
import { openRedisServer, type RedisServer } from '../store/embedded/embedded-redis.js'
import { type Kept, messageOf } from './backoff.js'
import { environmentFor, readConfig } from './config.js'
import { type KeptPart, keepPart, type PartCommand } from './kept-part.js'
import { type KeepingRedis, keepRedis } from './kept-redis.js'
import { closedTerminal, leaveMemoryOutOfDumps, withoutDumps } from './process.js'
import { hearStopSignals, type StopSignalOptions } from './stop-signals.js'
import { welcome } from './welcome.js'

export interface SuperviseOptions
  extends Omit<StopSignalOptions, 'sameSignalMs'>,
    Pick<KeepingRedis, 'openRedis' | 'warn' | 'now'> {
  /**
   * How to start the parts on a Redis that is up. The service serves without the messenger: nobody waits for it, and when it cannot
   * start it is tried again for as long as the others run.
   */
  readonly partsFor: (redis: RedisServer) => {
    readonly api: PartCommand
    readonly workers: PartCommand
    readonly messenger?: PartCommand
  }
  /** A line or more for standard output. */
  readonly print: (text: string) => void
  /** What to say, besides where it is, when the service is ready. */
  readonly welcome?: (url: string) => string
  readonly timing?: Partial<typeof usualTiming>
}

const usualTiming = { firstRetryMs: 1000, longestRetryMs: 30_000, soundAfterMs: 60_000, sameSignalMs: 500 }

const STOPPED = 'Tabir has stopped.'

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
  const signals = hearStopSignals(context)
  try {
    const redis = await Promise.race([keepRedis(context), signals.second])
    if (redis === undefined) return 1
    const lifecycle = createLifecycle()
    const running: Kept[] = []
    const keep = <T extends Kept>(name: string, kept: T): T => {
      running.push(kept)
      lifecycle.add(name, kept.stop)
      return kept
    }
    keep('redis', redis)
    const end = async (stop: () => Promise<unknown>, status: number) => {
      await stop()
      context.print(STOPPED)
      return status
    }
    const hopeless = new Promise<void>((tell, fail) => {
      if (signals.heard()) return
      const start = async () => signals.onReload(keepParts(redis.server(), keep, tell, context).reload)
      startOrStop(lifecycle, start, (error) => context.warn(messageOf(error))).catch(fail)
    })
    const ended = Promise.race([signals.first.then(() => 0), hopeless.then(() => 1)])
    return await Promise.race([
      ended.then((status) => end(lifecycle.stop, status)),
      signals.second.then(() => end(() => Promise.all(running.map((kept) => kept.kill())), 1)),
    ])
  } finally {
    signals.ignore()
  }
}

type Context = SuperviseOptions & typeof usualTiming

/** @returns the api, the last part: it is stopped first, because it still answers with what the workers give it. */
function keepParts(
  redis: RedisServer,
  keep: <T extends Kept>(name: string, kept: T) => T,
  onHopeless: () => void,
  context: Context,
): KeptPart {
  const commands = context.partsFor(redis)
  const announce = announcer(() => [workers, api], context)
  const events = { onReady: announce, onHopeless }
  if (commands.messenger !== undefined) keep('messenger', keepPart(commands.messenger, { onReady: announce }, context))
  const workers = keep('workers', keepPart(commands.workers, events, context))
  const api = keep('api', keepPart(commands.api, events, context))
  return api
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
          stopTimeoutMs: 15_000,
        },
        workers: {
          name: 'workers',
          ...program('../../workers/main.js'),
          env: environmentFor('workers', redis),
          stopTimeoutMs: 35_000,
        },
        messenger: {
          name: 'messenger',
          ...program('../../workers/messenger.js'),
          env: environmentFor('messenger', redis),
          stopTimeoutMs: 25_000,
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

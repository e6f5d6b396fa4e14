// What `npm start` runs: Redis, messenger, workers and api, each in its own process. They start in this order and stop in reverse.
//
// Contract with the entries `workers/main.ts`, `workers/messenger.ts` and `server.ts`:
// - They are spawned with an 'ipc' channel and send `process.send?.({ ready: true, url? })` once they can serve.
// - They reach Redis through REDIS_SOCKET or REDIS_URL, and get only the environment variables that they need.
// - SIGTERM asks them to finish their work and exit: the api within 15 s, the others within 35 s.
// - Each has its own process group, so Ctrl-C in a terminal reaches the supervisor alone. If the supervisor is killed, the
//   channel closes, and `process.on('disconnect')` must stop them as SIGTERM does. Redis has no channel; a separate process
//   watches the supervisor and stops it.
// - A part that dies is restarted, and its child processes are killed. Redis restarts on the same socket.

import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createLifecycle, startOrStop } from '../app/lifecycle.js'
import { messageOf } from '../domain/message-of.js'
import { openRedisServer, type RedisServer } from '../store/embedded/embedded-redis.js'
import type { Kept } from './backoff.js'
import { environmentFor, readKeyedConfig } from './config.js'
import { type KeptPart, keepPart, type PartCommand } from './kept-part.js'
import { type KeepingRedis, keepRedis } from './kept-redis.js'
import { closedTerminal, leaveMemoryOutOfDumps, withoutDumps } from './process.js'
import { createStopSignals, type StopSignalOptions } from './stop-signals.js'
import { welcome } from './welcome.js'

export interface SuperviseOptions
  extends Omit<StopSignalOptions, 'sameSignalMs'>,
    Pick<KeepingRedis, 'openRedis' | 'warn' | 'now'> {
  /**
   * How to start the parts on a Redis that is up. The service is ready without the messenger; if that cannot start, it is retried while
   * the others run.
   */
  readonly partsFor: (redis: RedisServer) => {
    readonly api: PartCommand
    readonly workers: PartCommand
    readonly messenger?: PartCommand
  }
  /** Writes to standard output; the text may have several lines. */
  readonly print: (text: string) => void
  /** Text to print after the URL when the service is ready. */
  readonly welcome?: (url: string) => string
  readonly timing?: Partial<typeof usualTiming>
}

const usualTiming = { firstRetryMs: 1000, longestRetryMs: 30_000, soundAfterMs: 60_000, sameSignalMs: 500 }

const STOPPED = 'Tabir has stopped.'

/**
 * Runs the service until a signal ends it.
 * On SIGTERM, SIGINT, or SIGHUP from a closed terminal, the api stops first, because open requests need the workers; then workers and
 * messenger; then Redis, which all write to. A second signal kills all at once; nothing that was acknowledged is lost. Any other SIGHUP
 * goes to the api, which reads its certificates again.
 * @returns the exit status: 0 after a signal; 1 if it could not start or had to kill
 */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const context: Context = { ...options, ...usualTiming, ...options.timing }
  const signals = createStopSignals(context)
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
    const hopeless = new Promise<void>((resolve, reject) => {
      if (signals.wasSent()) return
      const start = async () => signals.onReload(keepParts(redis.server(), keep, resolve, context).reload)
      startOrStop(lifecycle, start, (error) => context.warn(messageOf(error))).catch(reject)
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

/** @returns the api. It is added last, so it is stopped first: open requests need the workers. */
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

/** Prints the URL when both parts are ready and it has changed. */
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
    const config = readKeyedConfig()
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

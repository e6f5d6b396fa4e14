// Starts a private Redis when the operator configures none. It listens on a unix socket only and writes to disk before it answers.

import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../domain/message-of.js'
import { makeFolderSync } from '../../files/make-folder.js'
import { type FindRedisOptions, type FoundRedis, findRedisServer, HOW_TO_INSTALL } from './find-redis.js'
import { runExclusively, TURN_NAME_BYTES } from './folder-lock.js'

export interface OpenRedisConfig extends FindRedisOptions {
  readonly dataDir: string
  /** A server that runs already; then nothing is started. */
  readonly redisUrl?: string | undefined
  readonly redisSocket?: string | undefined
  /** How long a server may take to stop before it is killed. */
  readonly stopGraceMs?: number
  /** For commands: do not make a store in a data folder that has none. */
  readonly onlyExisting?: boolean
}

/** How to reach Redis: exactly one of `url` and `socket`. */
export interface RedisServer {
  readonly url?: string
  readonly socket?: string
  /** Unknown for a server that was given. */
  readonly binary?: string
  readonly version?: string
  /** Whether this process started it, and therefore ends it. */
  readonly owned: boolean
  /**
   * Resolves with the last log lines when a private server has ended for any reason. It can be opened again with the same socket and data.
   * Never resolves for a configured server.
   */
  readonly exited: Promise<string>
  /** Ends an owned server, at the latest after 10 s unless set otherwise. Does nothing to any other. */
  stop(): Promise<void>
  /** Ends an owned server at once. What it acknowledged is on disk all the same. */
  kill(): void
}

const STOP_GRACE_MS = 10_000
const SOCKET_TIMEOUT_MS = 30_000
const ANSWER_TIMEOUT_MS = 30_000
const POLL_MS = 10
/** `sun_path` holds 104 bytes on macOS, 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 100

/**
 * Opens the Redis of this installation: the configured one, else the private one, which is started if it is not running.
 *
 * Several processes may call this at once: one starts the server, the others join it (`owned: false`). Waits without limit until the data is
 * loaded. A private server ends with the process that started it, even when that process is killed.
 *
 * @throws {Error} `HOW_TO_INSTALL` when no Redis program is found. With `onlyExisting`, when there is no store. Otherwise the reason why the server
 *   did not start.
 */
export async function openRedisServer(config: OpenRedisConfig): Promise<RedisServer> {
  if (config.redisUrl !== undefined) return { ...given, url: config.redisUrl }
  if (config.redisSocket !== undefined) return { ...given, socket: config.redisSocket }
  if (config.onlyExisting === true && !hasStore(config.dataDir)) throw new Error(noStoreIn(config.dataDir))
  const place = preparePlace(config.dataDir)
  return await runExclusively(place.socketFolder, async () => {
    const running = await joinRunning(place)
    if (running !== undefined) return running
    const found = findRedisServer(config)
    if (found === undefined) throw new Error(HOW_TO_INSTALL)
    return await start(found, place, config.stopGraceMs ?? STOP_GRACE_MS)
  })
}

/** Redis makes its log as soon as it starts: 7.0 and later in a folder, 6.2 as a file. */
function hasStore(dataDir: string): boolean {
  return ['appendonlydir', 'appendonly.aof'].some((log) => existsSync(resolve(dataDir, 'redis', log)))
}

function noStoreIn(dataDir: string): string {
  return `There is no store in ${resolve(dataDir)}, and a command makes none: \`npm start\` does. Set TABIR_DATA_DIR or REDIS_URL as where the service was started. Nothing was changed.`
}

const given = { owned: false, exited: new Promise<string>(() => {}), stop: async () => {}, kill: () => {} } as const

interface Place {
  readonly folder: string
  readonly socketFolder: string
  readonly socket: string
}

function preparePlace(dataDir: string): Place {
  const folder = resolve(dataDir, 'redis')
  try {
    makeFolderSync(folder)
    chmodSync(folder, 0o700)
  } catch (error) {
    throw new Error(`The data folder cannot be used (TABIR_DATA_DIR): ${messageOf(error)}`)
  }
  let socketFolder = folder
  if (Buffer.byteLength(folder) + TURN_NAME_BYTES > MAX_SOCKET_PATH_BYTES) {
    // Not os.tmpdir(): two processes with different TMPDIR must agree on one socket, or each would start a server on the same data.
    const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
    socketFolder = `/tmp/tabir-${process.getuid?.() ?? 0}-${name}`
    makeFolderSync(socketFolder)
    assertOnlyOurs(socketFolder)
  }
  return { folder, socketFolder, socket: join(socketFolder, 'redis.sock') }
}

/** /tmp is writable for everybody: another user may have made the folder to receive our data. */
function assertOnlyOurs(folder: string): void {
  const status = lstatSync(folder)
  if (!status.isDirectory() || status.uid !== process.getuid?.() || (status.mode & 0o077) !== 0) {
    throw new Error('The folder for the Redis socket belongs to another user. Set TABIR_DATA_DIR to a shorter path.')
  }
}

async function joinRunning({ socket }: Place): Promise<RedisServer | undefined> {
  for (;;) {
    const answer = await ask(socket)
    if (answer.state === 'absent') return undefined // a socket that a killed server left is replaced by Redis itself
    if (answer.state === 'up') return { ...watch(socket), ...answer.server, socket, owned: false, kill: () => {} }
    await sleep(POLL_MS)
  }
}

/** An idle connection that shows when the server ends. It does not keep this process alive. */
function watch(socket: string): Pick<RedisServer, 'exited' | 'stop'> {
  const connection = connect(socket)
  connection.on('error', () => {}).unref()
  const exited = new Promise<string>((resolve) => connection.once('close', () => resolve('')))
  return {
    exited,
    async stop() {
      connection.destroy()
    },
  }
}

// umask: otherwise Redis makes its files readable for everybody. ulimit: a core dump would contain its data.
const RUN_PRIVATELY = [
  'umask 077; ulimit -c 0 2>/dev/null; exec 3<&0 </dev/null',
  // Ends the server when this process is killed: then the pipe closes. The same shell starts both, so this process cannot be killed in between.
  '(read -r _ <&3 || kill -TERM "$$") >/dev/null 2>&1 &',
  'exec 3<&-; exec "$0" "$@"',
].join('\n')

async function start({ binary, kind, version }: FoundRedis, place: Place, stopGraceMs: number): Promise<RedisServer> {
  // No other variables: Redis needs no secret of ours. LC_ALL: a missing locale must not prevent its start.
  const env = { LC_ALL: 'C' }
  // Its own process group: Ctrl-C in a terminal reaches only this process, which ends Redis last.
  const child = spawn('/bin/sh', ['-c', RUN_PRIVATELY, resolve(binary), ...settings(place, { kind, version })], {
    cwd: place.folder,
    stdio: 'pipe',
    detached: true,
    env,
  })
  const lastWords = remember(child)
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const lastOutput = exited.then(async () => {
    await Promise.race([once(child, 'close'), sleep(100)]) // what it wrote before it died may still be in the pipe
    return lastWords()
  })
  child.stdin.on('error', () => {})
  exited.then(() => child.stdin.end('it ended before us\n'))

  const stop = async () => {
    child.kill('SIGTERM')
    const impatience = setTimeout(() => child.kill('SIGKILL'), stopGraceMs)
    await exited
    clearTimeout(impatience)
  }
  const ended = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  const startedAt = performance.now()
  for (;;) {
    const { state } = await ask(place.socket)
    if (ended()) throw new Error(explain(await lastOutput, place))
    if (state === 'up') break
    if (state === 'absent' && performance.now() - startedAt > SOCKET_TIMEOUT_MS) {
      await stop()
      throw new Error(`Redis ${version} was started, but opened no socket within ${SOCKET_TIMEOUT_MS / 1000} s.`)
    }
    await Promise.race([exited, sleep(POLL_MS)])
  }
  return { socket: place.socket, binary, version, owned: true, exited: lastOutput, stop, kill: () => child.kill('SIGKILL') }
}

function settings({ folder, socket }: Place, { kind, version }: Pick<FoundRedis, 'kind' | 'version'>): string[] {
  const hasCommandLog = kind === 'Valkey' && version.localeCompare('8.1', 'en', { numeric: true }) >= 0
  return Object.entries({
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    dir: folder,
    appendonly: 'yes',
    // A write is on disk before it is answered. With `everysec`, WAITAOF takes up to a second; with `always`, 0.4 ms.
    appendfsync: 'always',
    'aof-use-rdb-preamble': 'yes',
    save: '',
    // A backup is sent as to a replica, without a file in this folder that would keep what is withdrawn later.
    'repl-diskless-sync': 'yes',
    'repl-diskless-sync-delay': '0',
    'maxmemory-policy': 'noeviction',
    // The shards of the image table stay packed lists: three tenths less memory, read in half the time (decision 0011).
    // These are the old names of the settings: servers before 7.0 know no others, and later servers still accept them.
    'hash-max-ziplist-entries': '2048',
    'hash-max-ziplist-value': '2048',
    // A stream takes a block of 4 kB for its first entry, and nearly every case has one of a few entries: its time line.
    'stream-node-max-bytes': '512',
    // Sealed data does not compress: trying costs a third of the time that Redis takes to load its data.
    rdbcompression: 'no',
    // All would keep arguments of commands, and withdrawn data would live on in them. Servers stop at a setting that they do not know.
    'slowlog-log-slower-than': '-1',
    ...(hasCommandLog && { 'commandlog-request-larger-than': '-1', 'commandlog-reply-larger-than': '-1' }),
    'crash-log-enabled': 'no',
    daemonize: 'no',
    loglevel: 'warning',
  }).flatMap(([name, value]) => [`--${name}`, value])
}

/** Keeps the last lines that a process writes. At this log level Redis writes only when something is wrong. */
function remember({ stdout, stderr }: ChildProcess): () => string {
  let text = ''
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-4000)
    })
  }
  return () =>
    text
      .split('\n')
      .map((line) => line.replace(/^\d+:\w .*? [#*.-] /, '').trim())
      .filter((line) => line !== '' && !line.startsWith('WARNING'))
      .slice(-4)
      .join('\n')
}

function explain(lastWords: string, { folder }: Place): string {
  if (/RDB format version|RDB.*unknown|unknown.*RDB/i.test(lastWords)) {
    return `The data in ${folder} was written by another kind or a newer version of Redis. Start with that one (TABIR_REDIS_BIN).\n${lastWords}`
  }
  // Before the next: a log that cannot be begun or ended is not damaged.
  if (/no space left on device/i.test(lastWords))
    return `The disk of ${folder} is full (TABIR_DATA_DIR), so Redis does not start. Nothing was changed.\n${lastWords}`
  if (/bad file format|unrecoverable error|unexpected end of file|manifest|append only file/i.test(lastWords)) {
    return [
      `The append-only file in ${folder} is damaged, so Redis does not start. Nothing was changed.`,
      'Copy the folder, then look at `redis-check-aof` with the file appendonlydir/appendonly.aof.manifest, or restore a backup.',
      lastWords,
    ].join('\n')
  }
  return `Redis ended while it was starting.\n${lastWords}`.trimEnd()
}

type Answer =
  | { readonly state: 'absent' | 'busy' }
  | { readonly state: 'up'; readonly server: { readonly binary: string; readonly version: string } }

/** Asks a server for its state without a client library, which would hide the states between up and down. */
async function ask(path: string): Promise<Answer> {
  const connection = connect(path)
  connection.setTimeout(ANSWER_TIMEOUT_MS, () => connection.destroy(new Error('silent')))
  let reply = ''
  connection.setEncoding('utf8').on('data', (more: string) => {
    reply += more
  })
  connection.on('error', () => {}) // may come again while it is being closed
  connection.write('PING\r\nINFO server\r\nQUIT\r\n')
  try {
    await once(connection, 'end')
  } catch (error) {
    const reason = error instanceof Error ? error.message : ''
    if (reason === 'silent') throw new Error(`A Redis that runs already has not answered for ${ANSWER_TIMEOUT_MS / 1000} s.`)
    return { state: /ENOENT|ECONNREFUSED/.test(reason) ? 'absent' : 'busy' }
  } finally {
    connection.destroy()
  }
  if (!reply.startsWith('+PONG')) return { state: 'busy' } // it is loading its data, or on its way out
  const field = (name: string) => new RegExp(`^${name}:(.*)\r$`, 'm').exec(reply)?.[1]
  return {
    state: 'up',
    server: {
      binary: field('executable') ?? 'unknown',
      version: field('valkey_version') ?? field('redis_version') ?? 'unknown',
    },
  }
}

// Two apis, one process of workers and a private Redis, each a real process with its own proxied connection to Redis.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { readConfig } from '../../src/boot/config.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { openRedisServer, type RedisServer } from '../../src/store/embedded/embedded-redis.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore, type RedisTarget } from '../../src/store/redis/client.js'
import { type KeptProcess, keepProcess } from './kept-process.js'
import { type Line, openLine } from './line.js'

export interface Deployment {
  readonly folder: string
  readonly apis: readonly KeptProcess[]
  readonly workers: KeptProcess
  readonly all: readonly KeptProcess[]
  /** Proxies in front of Redis, in the order of `all`. */
  readonly lines: readonly Line[]
  readonly redis: KeptRedis
  /** How long all took to be ready at first: a measure of the machine. */
  readonly startMs: number
  /** Sets the wall clock of all processes of Tabir this far from the real one. Redis keeps its own. */
  stepClock(offsetMs: number): void
  /** A key that may match, and write to banks. */
  readonly headers: Readonly<Record<string, string>>
  close(): Promise<void>
}

export interface KeptRedis {
  readonly client: Redis
  /** Its folder has its own file system, which can be full. */
  readonly hasOwnDisk: boolean
  readonly dataDir: string
  signal(name: NodeJS.Signals): Promise<void>
  /** kill -9, then waits until it is gone. */
  kill(): Promise<void>
  /** Restarts it from its log if it has ended. */
  ensure(): Promise<void>
}

const OWN_DISK_MB = 96

export async function deploy(): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-faults-'))
  const temp = join(folder, 'tmp')
  mkdirSync(temp)
  const redis = await keepRedis(join(folder, 'data'))
  const key = await makeKey({ url: undefined, socket: redis.socket })
  const clockFile = join(folder, 'clock')
  const start = async (name: string, entry: string, env: Readonly<Record<string, string>>) => {
    const line = await openLine(join(folder, `${name}.sock`), () => redis.socket)
    const kept = await keepProcess({
      name,
      entry: fileURLToPath(new URL(entry, import.meta.url)),
      execArgv: ['--import', new URL('./stepped-clock.js', import.meta.url).href],
      env: {
        PATH: process.env['PATH'],
        TMPDIR: temp,
        REDIS_SOCKET: line.socket,
        TABIR_LOG_LEVEL: 'trace',
        STEPPED_CLOCK: clockFile,
        ...env,
      },
    })
    return { kept, line }
  }
  const sealKeys = `k1:${Buffer.alloc(32, 5).toString('base64')}`
  const api = (name: string) =>
    start(name, '../../src/boot/server.js', {
      TABIR_SEAL_KEYS: sealKeys,
      TABIR_DATA_DIR: join(folder, name),
      TABIR_SNAPSHOT_INTERVAL_S: '2', // often enough to be killed in the middle of one
    })
  const startedAtMs = performance.now()
  const [a, b, working] = await Promise.all([
    api('api-a'),
    api('api-b'),
    start('workers', '../../workers/main.js', { TABIR_HASHERS: '1', TABIR_ERASE_INTERVAL_S: '5' }),
  ])
  const apis = [a.kept, b.kept]
  const workers = working.kept
  const all = [...apis, workers]
  const lines = [a.line, b.line, working.line]

  return {
    folder,
    apis,
    workers,
    all,
    lines,
    redis,
    startMs: performance.now() - startedAtMs,
    stepClock(offsetMs) {
      writeFileSync(clockFile, String(offsetMs))
      for (const kept of all) if (kept.isReady) kept.signal('SIGUSR2') // before it is ready it may not handle the signal yet
    },
    headers: { authorization: `Bearer ${key}` },
    async close() {
      await Promise.all(all.map((kept) => kept.stop()))
      await Promise.all(lines.map((line) => line.close()))
      await redis.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function keepRedis(dataDir: string) {
  mkdirSync(join(dataDir, 'redis'), { recursive: true, mode: 0o700 })
  const hasOwnDisk = mount(join(dataDir, 'redis'))
  const open = () => openRedisServer(readConfig({ PATH: process.env['PATH'], TABIR_DATA_DIR: dataDir }))
  let isGone = false
  const opened = async (): Promise<RedisServer> => {
    const next = await open()
    isGone = false
    next.exited.then(() => {
      isGone = true
    })
    return next
  }
  let server = await opened()
  const socket = server.socket
  if (socket === undefined) throw new Error('a private Redis has a socket')
  const client = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: null, replyMapping: 'legacy' })
  client.on('error', () => {})
  const pid = async () => Number(/^process_id:(\d+)/m.exec(await client.info('server'))?.[1])
  let knownPid = await pid()

  return {
    client,
    socket,
    dataDir,
    hasOwnDisk,
    async signal(name: NodeJS.Signals) {
      process.kill(knownPid, name)
    },
    async kill() {
      server.kill()
      await server.exited
    },
    async ensure() {
      // It may be about to end: a full disk ends it at its next write, and then it answers no more.
      for (let found: number | undefined; found === undefined; ) {
        if (isGone) server = await opened()
        found = await Promise.race([pid(), server.exited.then(() => undefined)])
        knownPid = found ?? knownPid
      }
    },
    async close() {
      client.disconnect()
      await server.stop()
      if (hasOwnDisk) execFileSync('umount', ['-l', join(dataDir, 'redis')])
    },
  }
}

/** A small file system in memory; it needs root, and some containers do not allow it. */
function mount(folder: string): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${OWN_DISK_MB}m,mode=0700`, 'tmpfs', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export async function makeKey(target: RedisTarget): Promise<string> {
  const store = await openStore(target)
  const scopes = new Set(['match', 'signals:write'] as const)
  const { key } = await createApiKey(createApiKeyStore(store), {
    org: 'all',
    kind: 'ngo',
    scopes,
    env: 'test',
    nowMs: Date.now(),
  })
  await store.close()
  return key
}

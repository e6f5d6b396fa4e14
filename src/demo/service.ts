// Runs the whole service for the demo alone: free port, its own Redis, all files in one folder.

import { execFile, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { openRedisServer } from '../store/embedded/embedded-redis.js'

export interface Service {
  readonly url: string
  /** An API key of the organisation Demo. */
  readonly key: string
  /** A connection to the service's own Redis. */
  readonly redis: Redis
  /** Everything that its processes printed so far. */
  readonly output: () => Buffer
  /** Stops it and waits until no process is left. May be called again. */
  stop(): Promise<void>
}

export type Environment = Readonly<Record<string, string | undefined>>

export const KEY_SCOPES = ['match', 'match:distance'] as const

const READY_TIMEOUT_MS = 60_000
const READY_LINE = /^Tabir .*(https?:\/\/\S+)$/m

const NewKey = z.object({ keyId: z.string(), key: z.string() })

/**
 * Starts the service with its data, and the temporary files of all its processes, in `folder`. Of `env` only the choice of the Redis
 * program is passed on: the demo must not reach the Redis, port or keys of a service in use.
 * @throws {Error} with the service's output if it does not start
 */
export async function startService(folder: string, env: Environment): Promise<Service> {
  const dataDir = join(folder, 'data')
  const temporary = join(folder, 'tmp')
  for (const path of [dataDir, temporary]) await mkdir(path, { recursive: true, mode: 0o700 })
  const ownEnv = { ...withoutSettings(env), TABIR_PORT: '0', TABIR_DATA_DIR: dataDir, TMPDIR: temporary }
  const supervisor = startSupervisor(ownEnv)
  try {
    const url = await supervisor.ready
    const redis = await connectTo(dataDir)
    const key = await createKey(ownEnv)
    return {
      url,
      key,
      redis,
      output: supervisor.output,
      async stop() {
        redis.disconnect()
        await supervisor.stop()
      },
    }
  } catch (error) {
    await supervisor.stop()
    throw error
  }
}

function withoutSettings(env: Environment): Environment {
  const isKept = (name: string) => !/^(TABIR_|REDIS_)/.test(name) || /^TABIR_(REDIS_BIN|NPM_REDIS)$/.test(name)
  return Object.fromEntries(Object.entries(env).filter(([name]) => isKept(name)))
}

function startSupervisor(env: Environment) {
  const entry = fileURLToPath(new URL('../boot/supervisor.js', import.meta.url))
  const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed: Buffer[] = []
  const output = () => Buffer.concat(printed)
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => resolve())
  })
  let isReady = false
  const ready = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed.push(chunk)
        if (isReady) return
        const url = READY_LINE.exec(output().toString())?.[1]
        if (url === undefined) return
        isReady = true
        resolve(url)
      })
    }
    const fail = (what: string) => reject(new Error(`${what}\n${output()}`.trimEnd()))
    const slow = setTimeout(() => fail(`The service was not ready within ${READY_TIMEOUT_MS / 1000} s.`), READY_TIMEOUT_MS)
    exited.then(() => {
      clearTimeout(slow)
      fail('The service did not start.')
    })
  })
  return {
    ready,
    output,
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** Connects to the Redis that the supervisor started. */
async function connectTo(dataDir: string): Promise<Redis> {
  const { socket } = await openRedisServer({ dataDir, searchPath: '', npmRedis: 'off' })
  if (socket === undefined) throw new Error('The service has no Redis of its own.')
  const redis = new Redis({ path: socket, lazyConnect: true, maxRetriesPerRequest: 1 })
  redis.on('error', () => {}) // commands report their own errors
  await redis.connect()
  return redis
}

async function createKey(env: Environment): Promise<string> {
  const cli = fileURLToPath(new URL('../../../bin/tabir.js', import.meta.url))
  const args = ['keys', 'create', '--org', 'Demo', '--kind', 'platform', '--scopes', KEY_SCOPES.join(',')]
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args], { env })
  return NewKey.parse(JSON.parse(stdout)).key
}

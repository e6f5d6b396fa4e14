// Runs the whole service for the demo alone: free port, its own Redis, all files in one folder.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { openRedisServer } from '../store/embedded/embedded-redis.js'

const READY_TIMEOUT_MS = 60_000
const READY_LINE = /^Tabir .*(https?:\/\/\S+)$/m
const NewKey = z.object({ key: z.string() })

export type Service = Awaited<ReturnType<typeof startService>>

/**
 * Starts the service with its data, and the temporary files of all its processes, in `folder`. Of `given` only the choice of the Redis
 * program is passed on: the demo must not reach the Redis, port or keys of a service in use.
 * @throws {Error} with the service's output if it does not start
 */
export async function startService(folder: string, given: NodeJS.ProcessEnv) {
  const [dataDir, temporary] = [join(folder, 'data'), join(folder, 'tmp')]
  for (const path of [dataDir, temporary]) await mkdir(path, { recursive: true, mode: 0o700 })
  const isKept = (name: string) => !/^(TABIR_|REDIS_)/.test(name) || /^TABIR_(REDIS_BIN|NPM_REDIS)$/.test(name)
  const kept = Object.fromEntries(Object.entries(given).filter(([name]) => isKept(name)))
  const env = { ...kept, TABIR_PORT: '0', TABIR_DATA_DIR: dataDir, TMPDIR: temporary }
  const supervisor = startSupervisor(env)
  try {
    const url = await supervisor.ready
    const { socket = '' } = await openRedisServer({ dataDir, searchPath: '', npmRedis: 'off' }) // finds the one that runs
    const redis = new Redis({ path: socket, maxRetriesPerRequest: 1 })
    redis.on('error', () => {}) // commands report their own errors
    const stop = async () => {
      redis.disconnect()
      await supervisor.stop()
    }
    return { url, redis, key: await createKey(env), output: supervisor.output, stop }
  } catch (error) {
    await supervisor.stop()
    throw error
  }
}

function startSupervisor(env: NodeJS.ProcessEnv) {
  const entry = fileURLToPath(new URL('../boot/supervisor.js', import.meta.url))
  const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed: Buffer[] = []
  const output = () => Buffer.concat(printed)
  const exited = once(child, 'close')
  const ready = new Promise<string>((resolve, reject) => {
    const fail = () => reject(new Error(`The service did not start.\n${output()}`.trimEnd()))
    const late = setTimeout(fail, READY_TIMEOUT_MS)
    const isReady = (chunk: Buffer) => {
      printed.push(chunk)
      const url = READY_LINE.exec(output().toString())?.[1]
      if (url === undefined) return
      clearTimeout(late)
      resolve(url)
    }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', isReady)
    exited.finally(() => clearTimeout(late)).then(fail, reject)
  })
  const stop = async () => {
    child.kill('SIGTERM')
    await exited.catch(() => {})
  }
  return { ready, output, stop }
}

async function createKey(env: NodeJS.ProcessEnv): Promise<string> {
  const cli = fileURLToPath(new URL('../../../bin/tabir.js', import.meta.url))
  const args = ['keys', 'create', '--org', 'Demo', '--kind', 'platform', '--scopes', 'match']
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args], { env })
  return NewKey.parse(JSON.parse(stdout)).key
}

// Workers and messengers in their own processes, for the service of a test.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { TestRedis } from './redis.js'
import { type Ending, SEAL_KEY } from './service.js'

/** Starts a worker process as the supervisor does. @returns it, ready, with its output. */
export function startWorkers(t: Ending, redis: TestRedis, env: Record<string, string> = {}) {
  return startEntry(t, '../../workers/main.js', { REDIS_SOCKET: redis.socket, TABIR_HASHERS: '2', ...env })
}

/** Starts a messenger process for a service with the usual seal key. @returns it, ready, with its output. */
export function startMessenger(t: Ending, redis: TestRedis, webhookOrigins: ReadonlySet<string>) {
  return startEntry(t, '../../workers/messenger.js', {
    REDIS_SOCKET: redis.socket,
    TABIR_SEAL_KEYS: `test:${SEAL_KEY.toString('base64')}`,
    TABIR_WEBHOOK_ORIGINS: [...webhookOrigins].join(','),
  })
}

async function startEntry(t: Ending, entry: string, env: Record<string, string>) {
  const worker = fork(fileURLToPath(new URL(entry, import.meta.url)), {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const output: string[] = []
  for (const stream of [worker.stdout, worker.stderr]) stream?.setEncoding('utf8').on('data', (text) => output.push(text))
  t.teardown(async () => {
    if (worker.exitCode !== null || worker.signalCode !== null) return
    worker.kill('SIGTERM')
    await once(worker, 'exit')
  })
  await once(worker, 'message')
  return Object.assign(worker, { output })
}

// Workers and messengers in their own processes, for the service of a test.

import type { ChildProcess } from 'node:child_process'
import { endProcess, forkEntry, forkWorkers } from './forked-entry.js'
import type { TestRedis } from './redis.js'
import { type Ending, SEAL_KEY } from './service.js'

/**
 * Starts a worker process of a test's own, as the supervisor does. A test that only needs pictures hashed takes `startService(t, { workers: true })`,
 * which is faster. @returns it, ready, with its output.
 */
export async function startWorkers(t: Ending, redis: TestRedis, env: Record<string, string> = {}) {
  return ending(t, await forkWorkers(redis.socket, env))
}

/** Starts a messenger process for a service with the usual seal key. @returns it, ready, with its output. */
export async function startMessenger(t: Ending, redis: TestRedis, webhookOrigins: ReadonlySet<string>) {
  const env = {
    REDIS_SOCKET: redis.socket,
    TABIR_SEAL_KEYS: `test:${SEAL_KEY.toString('base64')}`,
    TABIR_WEBHOOK_ORIGINS: [...webhookOrigins].join(','),
  }
  return ending(t, await forkEntry('../../workers/messenger.js', env))
}

function ending<Child extends ChildProcess>(t: Ending, child: Child): Child {
  t.teardown(() => endProcess(child))
  return child
}

// The store that a command works on: the running service's, or the data folder's. Prints which one, and never creates one.

import { resolve } from 'node:path'
import { type Config, readConfig } from '../boot/config.js'
import { openRedisServer, type RedisServer } from '../store/embedded/embedded-redis.js'
import { openStore, type RedisTarget, type Store } from '../store/redis/client.js'
import { shownRedisUrl } from '../store/redis/redis-url.js'

/** [ms] Nobody else waits for a command, and one that gives up on a slow disk leaves its operator not knowing whether it happened. */
export const COMMAND_TIMEOUT_MS = 30_000

export interface CommandStore {
  readonly config: Config
  readonly store: Store
  readonly target: RedisTarget
}

/**
 * Uses the running service's Redis, or starts the data folder's for this command. Running processes follow changes by themselves.
 * @throws {Error} if there is no store
 */
export async function withStore<T>(use: (opened: CommandStore) => Promise<T>): Promise<T> {
  const config = readConfig(process.env)
  const server = await openRedisServer({ ...config, onlyExisting: true })
  try {
    process.stderr.write(`Store: ${nameOf(config, server)}\n`)
    const target = { url: server.url, socket: server.socket, commandTimeoutMs: COMMAND_TIMEOUT_MS }
    const store = await openStore(target)
    try {
      return await use({ config, store, target })
    } finally {
      await store.close()
    }
  } finally {
    await server.stop()
  }
}

/** Written to standard error, so that programs can parse standard output. */
function nameOf({ redisUrl, redisSocket, dataDir }: Config, { owned }: RedisServer): string {
  if (redisUrl !== undefined) return shownRedisUrl(redisUrl)
  if (redisSocket !== undefined) return redisSocket
  return `${resolve(dataDir)}${owned ? ' (no service is running)' : ''}`
}

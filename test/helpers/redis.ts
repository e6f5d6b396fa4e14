// A real, private Redis for one test file. It writes to disk at every write and is removed afterwards.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { readConfig } from '../../src/boot/config.js'
import { openRedisServer, type RedisServer } from '../../src/store/embedded/embedded-redis.js'
import { openStore } from '../../src/store/redis/client.js'

/** Longer than any process of a test pauses on a busy machine. */
export const PATIENCE_MS = 60_000

export interface TestRedis {
  readonly socket: string
  readonly dataDir: string
  readonly server: RedisServer
  /** Starts it again with the same socket and data, after it has ended. */
  reopen(): Promise<void>
}

/** With a long timeout, so that tests of other things do not take a busy machine for an unavailable store. */
export function storeAt(socket: string) {
  return { url: undefined, socket, commandTimeoutMs: PATIENCE_MS }
}

/** @param dataDir an existing folder to use; it is removed in the end. */
export async function startRedis(
  t: Pick<Test, 'teardown'>,
  dataDir = mkdtempSync(join(tmpdir(), 'tabir-test-')),
): Promise<TestRedis> {
  const open = () => openRedisServer(readConfig({ PATH: process.env['PATH'], TABIR_DATA_DIR: dataDir }))
  let server = await open()
  t.teardown(async () => {
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  if (server.socket === undefined) throw new Error('a private Redis has a socket')
  return {
    socket: server.socket,
    dataDir,
    get server() {
      return server
    },
    async reopen() {
      await server.exited
      server = await open()
    },
  }
}

/** A Redis of its own, a store on it, and a second connection that looks into it. */
export async function startStore(t: Pick<Test, 'teardown'>) {
  const { socket } = await startRedis(t)
  const store = await openStore(storeAt(socket))
  const redis = new Redis(socket)
  t.teardown(async () => {
    redis.disconnect()
    await store.close()
  })
  return { socket, store, redis }
}

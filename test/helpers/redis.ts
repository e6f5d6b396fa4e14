// A real Redis for one test file: private, on disk at every write, gone afterwards.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { openRedisServer, type RedisServer } from '../../src/store/embedded-redis.js'

export interface TestRedis {
  readonly socket: string
  readonly dataDir: string
  readonly server: RedisServer
}

export async function startRedis(t: Test): Promise<TestRedis> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tabir-test-'))
  const server = await openRedisServer(readConfig({ PATH: process.env['PATH'], TABIR_DATA_DIR: dataDir }))
  t.teardown(async () => {
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  if (server.socket === undefined) throw new Error('a private Redis has a socket')
  return { socket: server.socket, dataDir, server }
}

// A real, private Redis for a test. It writes to disk at every write. The tests of a process take turns with the same few servers, emptied in between,
// because starting one takes a tenth of a second of processor time.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { readConfig } from '../../src/boot/config.js'
import { openRedisServer, type RedisServer } from '../../src/store/embedded/embedded-redis.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { endProcess, forkWorkers } from './forked-entry.js'

/** Longer than any process of a test pauses on a busy machine, and shorter than `until` waits: some tests wait for the end of it. */
export const PATIENCE_MS = 200_000

export interface TestRedis {
  readonly socket: string
  /** For looking at. A test that reads or writes files there takes `dataDir`. */
  readonly folder: string
  /** Asking for this, for `server` or `reopen` makes the server this test's own: no other test gets it. */
  readonly dataDir: string
  readonly server: RedisServer
  /** Starts it again with the same socket and data, after it has ended. */
  reopen(): Promise<void>
}

/** With a long timeout, so that tests of other things do not take a busy machine for an unavailable store. */
export function storeAt(socket: string) {
  return { url: undefined, socket, commandTimeoutMs: PATIENCE_MS }
}

interface TestRedisOptions {
  /** An existing folder to use; it is removed in the end. */
  readonly dataDir?: string
  /** With a worker process of the usual settings. */
  readonly workers?: boolean
}

export async function startRedis(
  t: Pick<Test, 'teardown'>,
  { dataDir, workers }: TestRedisOptions = {},
): Promise<TestRedis> {
  const pool = workers === true ? 'withWorkers' : 'plain'
  const served = dataDir === undefined ? await borrow(t, pool) : await serve(dataDir, false)
  let isOwn = dataDir !== undefined
  t.teardown(async () => {
    if (isOwn || !(await isReset(served))) await served.remove()
    else idle[pool].push(served)
  })
  const own = () => {
    isOwn = true
    return served
  }
  return {
    socket: served.socket,
    folder: served.folder,
    get dataDir() {
      return own().folder
    },
    get server() {
      return own().server
    },
    reopen: () => own().reopen(),
  }
}

interface Served {
  readonly socket: string
  readonly folder: string
  readonly server: RedisServer
  /** Settings and users as it was started with. */
  readonly settings: string
  /** Connections while no test has it: those of its worker. */
  readonly connections: number
  reopen(): Promise<void>
  remove(): Promise<void>
}

async function serve(folder: string, workers: boolean): Promise<Served> {
  const open = () => openRedisServer(readConfig({ PATH: process.env['PATH'], TABIR_DATA_DIR: folder }))
  let server = await open()
  const { socket } = server
  if (socket === undefined) throw new Error('a private Redis has a socket')
  const worker = workers ? await forkWorkers(socket) : undefined
  return {
    socket,
    folder,
    get server() {
      return server
    },
    ...(await at(socket, async (redis) => ({ settings: await settingsOf(redis), connections: await connectionsOf(redis) }))),
    async reopen() {
      await server.exited
      server = await open()
    },
    async remove() {
      if (worker !== undefined) await endProcess(worker)
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Servers that no test has now, without and with a worker. They end with the outermost test. */
const idle = { plain: [] as Served[], withWorkers: [] as Served[] }
const outermostTests = new WeakSet<object>()

async function borrow(t: Pick<Test, 'teardown'>, pool: keyof typeof idle): Promise<Served> {
  const outermost = outermostOf(t)
  if (!outermostTests.has(outermost)) {
    outermostTests.add(outermost)
    outermost.teardown(() =>
      Promise.all([...idle.plain.splice(0), ...idle.withWorkers.splice(0)].map((served) => served.remove())),
    )
  }
  return idle[pool].pop() ?? (await serve(mkdtempSync(join(tmpdir(), 'tabir-test-')), pool === 'withWorkers'))
}

function outermostOf(t: Pick<Test, 'teardown'> & { readonly parent?: unknown }): Pick<Test, 'teardown'> {
  const { parent } = t as { parent?: Pick<Test, 'teardown'> }
  return parent === undefined ? t : outermostOf(parent)
}

/** Empties it. @returns false if a test has changed or ended it, or left a connection to it. */
async function isReset(served: Served): Promise<boolean> {
  try {
    return await at(served.socket, async (redis) => {
      // The connections of a client that has ended are known for a moment.
      for (let times = 0; (await connectionsOf(redis)) > served.connections; times++) if (times === 100) return false
      await empty(redis, served.connections > 0)
      return (await settingsOf(redis)) === served.settings
    })
  } catch {
    return false // it has ended, or lets nobody in
  }
}

async function empty(redis: Redis, keepsWorkers: boolean): Promise<void> {
  const heartbeats = keepsWorkers ? await redis.zrange(keys.workerHeartbeats, '0', '-1') : []
  await redis.flushall()
  await redis.script('FLUSH')
  await redis.config('RESETSTAT')
  for (const id of heartbeats) await redis.zadd(keys.workerHeartbeats, Date.now(), id)
}

async function connectionsOf(redis: Redis): Promise<number> {
  const lines = String(await redis.client('LIST'))
    .trim()
    .split('\n')
  return lines.length - 1 // without the one that asks
}

async function settingsOf(redis: Redis): Promise<string> {
  return JSON.stringify([await redis.config('GET', '*'), await redis.call('ACL', 'LIST')])
}

async function at<T>(socket: string, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(socket, { retryStrategy: () => null, maxRetriesPerRequest: 0 })
  redis.on('error', () => {}) // the command fails as well
  try {
    return await ask(redis)
  } finally {
    redis.disconnect()
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

// Two APIs and a private Redis, each API with its own proxied connection to it.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { readConfig } from '../../src/boot/config.js'
import { openRedisServer } from '../../src/store/embedded/embedded-redis.js'
import { openLine } from '../faults/line.js'
import { clockIn, openFolder, startApi, type World } from './world.js'

export async function openSingleWorld(other: string | undefined): Promise<World> {
  const disks = openFolder()
  const { folder } = disks
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  const config = readConfig({ PATH: process.env['PATH'], TABIR_DATA_DIR: dataDir })
  let server = await openRedisServer(config)
  const { socket } = server
  if (socket === undefined) throw new Error('a private Redis has a socket')
  const redis = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: null, replyMapping: 'legacy' })
  redis.on('error', () => {})
  const lines = await Promise.all(['a', 'b'].map((name) => openLine(join(folder, `${name}.sock`), () => socket)))
  const apis: World['apis'][number][] = []
  const clock = clockIn(folder, () => apis)
  const [lineA, lineB] = lines
  const [a, b] = await Promise.all([
    startApi(folder, 0, { REDIS_SOCKET: lineA?.socket ?? '' }, other),
    startApi(folder, 1, { REDIS_SOCKET: lineB?.socket ?? '' }, other),
  ])
  apis.push(a, b)
  const killRedis = async () => {
    server.kill()
    await server.exited
  }
  return {
    kind: 'single',
    folder,
    apis: [a, b],
    redis: () => redis,
    target: { url: undefined, socket },
    clock,
    stopped: new Set(),
    hasOwnDisks: disks.hasOwnDisks,
    single: {
      dataDir,
      slow: (api, ms) => lines[api]?.slow(ms),
      killRedis,
      async openRedis() {
        server = await openRedisServer(config)
      },
    },
    async close() {
      await Promise.all([a.stop(), b.stop()])
      await Promise.all(lines.map((line) => line.close()))
      redis.disconnect()
      await server.stop()
      disks.remove()
    },
  }
}

// Two APIs over a master, a replica and one Sentinel: `replicas=1`, so that every acknowledged write is on both.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { readConfig } from '../../src/boot/config.js'
import { findRedisServer } from '../../src/store/embedded/find-redis.js'
import { answering, infoOf, keep } from '../faults/sentinels.js'
import { freePorts } from '../helpers/ports.js'
import { until } from '../helpers/service.js'
import type { Api } from './steps.js'
import { Abandoned, clockIn, openFolder, startApi, type World } from './world.js'

const DOWN_AFTER_MS = 1000
const PATIENCE_MS = 40_000

export async function openSentinelWorld(other: string | undefined): Promise<World> {
  const disks = openFolder()
  const { folder } = disks
  const binary = findRedisServer(readConfig({ PATH: process.env['PATH'] }))?.binary
  if (binary === undefined) throw new Error('there is no Redis on this machine')
  const [one = 0, two = 0, watching = 0] = await freePorts(3)
  let [master, replica] = [one, two]
  const run = (port: number, args: readonly string[]) =>
    keep(binary, join(folder, String(port)), [
      ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'],
      ...['--appendonly', 'yes', '--appendfsync', 'always', '--repl-diskless-sync-delay', '0', ...args],
    ])
  const running = new Map([
    [one, run(one, [])],
    [two, run(two, ['--replicaof', '127.0.0.1', String(one)])],
  ])
  const restartAs = (port: number, args: readonly string[]) => {
    const server = run(port, args)
    running.set(port, server)
    server.start()
    return answering(port)
  }
  for (const [port, server] of running) {
    server.start()
    await answering(port)
  }
  const isFollowed = async () => /state=online/.test(await infoOf(master))
  await until(isFollowed, PATIENCE_MS)
  const sentinel = await startSentinel(binary, folder, watching, one)
  let client = connected(one)
  const apis: World['apis'][number][] = []
  const clock = clockIn(folder, () => apis)
  const url = `redis+sentinel://127.0.0.1:${watching}/tabir?replicas=1`
  const start = (api: Api) => startApi(folder, api, { REDIS_URL: url }, other)
  const [a, b] = await Promise.all([start(0), start(1)])
  apis.push(a, b)
  return {
    kind: 'sentinel',
    folder,
    apis: [a, b],
    redis: () => client,
    target: { url, socket: undefined },
    clock,
    stopped: new Set(),
    hasOwnDisks: disks.hasOwnDisks,
    sentinel: {
      async loseReplica() {
        // On a busy machine the Sentinel may have chosen another one by itself.
        if (/role:master/.test(await infoOf(replica))) [master, replica] = [replica, master]
        await running.get(replica)?.kill()
      },
      async failOver() {
        await running.get(master)?.kill()
        await running.get(replica)?.kill()
        await restartAs(replica, ['--replicaof', '127.0.0.1', String(master)])
        await orAbandon(async () => /role:master/.test(await infoOf(replica)))
        ;[master, replica] = [replica, master]
        client.disconnect()
        client = connected(master)
        // A write waits for a second disk: that of the old master.
        await restartAs(replica, ['--replicaof', '127.0.0.1', String(master)])
        await orAbandon(isFollowed)
      },
    },
    async close() {
      await Promise.all([a.stop(), b.stop()])
      client.disconnect()
      await Promise.all([sentinel, ...running.values()].map((each) => each.kill()))
      disks.remove()
    },
  }
}

/** A Sentinel that gets no processor for two seconds makes no decision for thirty: that is no finding. */
async function orAbandon(condition: () => Promise<boolean>): Promise<void> {
  await until(condition, PATIENCE_MS).catch((error: unknown) => {
    throw new Abandoned('the Sentinel makes no replica the master', { cause: error })
  })
}

function connected(port: number): Redis {
  const client = new Redis({ port, retryStrategy: () => 20, maxRetriesPerRequest: null, replyMapping: 'legacy' })
  client.on('error', () => {})
  return client
}

async function startSentinel(binary: string, folder: string, port: number, master: number) {
  const home = join(folder, String(port))
  mkdirSync(home, { recursive: true })
  const file = join(home, 'sentinel.conf')
  const settings = [
    `monitor tabir 127.0.0.1 ${master} 1`,
    `down-after-milliseconds tabir ${DOWN_AFTER_MS}`,
    'failover-timeout tabir 1000',
  ]
  const lines = [`port ${port}`, 'bind 127.0.0.1', ...settings.map((setting) => `sentinel ${setting}`)]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const sentinel = keep(binary, home, [file, '--sentinel'])
  sentinel.start()
  await answering(port)
  await until(async () => {
    const info = await infoOf(port)
    return /status=ok,address=[^,]+,slaves=1/.test(info)
  }, PATIENCE_MS)
  return sentinel
}

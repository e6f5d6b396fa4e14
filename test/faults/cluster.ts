// A Redis Cluster of three masters, each with replicas or with none, on loopback ports.

import { join } from 'node:path'
import { Redis } from 'ioredis'
import { keys } from '../../src/store/keys.js'
import { until } from '../helpers/service.js'
import { answering, freePorts, infoOf, keep, type RedisProcess, type Sentinels } from './sentinels.js'

const MASTERS = 3
const SLOTS = 16_384
const NODE_TIMEOUT_MS = 1000

export interface Cluster extends Sentinels {
  readonly ports: readonly number[]
  /** Ends all nodes, and starts them again on their data. */
  restart(): Promise<void>
  /** The slot that a key lies in, as the Cluster says. */
  slotOf(key: string): Promise<number>
}

/** @param binary redis-server or valkey-server. */
export async function startCluster(folder: string, binary: string, replicas: 0 | 2): Promise<Cluster> {
  const count = MASTERS * (1 + replicas)
  const free = await freePorts(2 * count)
  const ports = free.slice(0, count)
  const servers = ports.map((port, i) =>
    keep(binary, join(folder, String(port)), [
      ...['--port', String(port), '--bind', '127.0.0.1', '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
      ...[
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        String(free[count + i]),
        '--cluster-node-timeout',
        String(NODE_TIMEOUT_MS),
      ],
      ...['--cluster-require-full-coverage', 'no', '--maxmemory-policy', 'noeviction', '--repl-diskless-sync-delay', '0'],
    ]),
  )
  for (const server of servers) server.start()
  for (const port of ports) await answering(port)
  const lines = ports.map((port) => {
    const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null })
    redis.on('error', () => {})
    return redis
  })
  const [first] = lines
  if (first === undefined) throw new Error('a Cluster has nodes')
  const width = Math.ceil(SLOTS / MASTERS)
  for (const [i, line] of lines.entries()) {
    if (i < MASTERS) await line.cluster('ADDSLOTSRANGE', i * width, Math.min(SLOTS, (i + 1) * width) - 1)
    if (i > 0) await line.call('CLUSTER', 'MEET', '127.0.0.1', String(ports[0]), String(free[count]))
  }
  const sees = async (line: Redis) => String(await line.call('CLUSTER', 'INFO'))
  for (const line of lines) await until(async () => (await sees(line)).includes(`cluster_known_nodes:${count}`), 20_000)
  for (const [i, line] of lines.entries()) {
    if (i < MASTERS) continue
    const master = String(await lines[i % MASTERS]?.call('CLUSTER', 'MYID'))
    await until(async () => (await line.call('CLUSTER', 'REPLICATE', master).catch(() => undefined)) === 'OK', 20_000)
  }
  for (const line of lines) await until(async () => /cluster_state:ok/.test(await sees(line)), 20_000)
  for (const port of replicas === 0 ? [] : ports.slice(0, MASTERS))
    await until(async () => (await infoOf(port)).includes(`connected_slaves:${replicas}`), 20_000)
  const slot = Number(await first.call('CLUSTER', 'KEYSLOT', keys.prefix))

  return {
    url: `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}?replicas=${Math.min(1, replicas)}`,
    ports,
    slotOf: async (key) => Number(await first.call('CLUSTER', 'KEYSLOT', key)),
    async master(): Promise<RedisProcess> {
      const seen = await Promise.all(ports.map((port) => masterSeenBy(port, slot)))
      const port = seen.find((each) => each !== undefined && isMostly(each, seen))
      const server = servers[ports.indexOf(port ?? 0)]
      if (port === undefined || server === undefined) throw new Error('the Cluster names a master')
      return { port, ...server }
    },
    async restart() {
      await Promise.all(servers.map((server) => server.kill()))
      for (const server of servers) server.start()
      for (const port of ports) await answering(port)
    },
    async close() {
      for (const line of lines) line.disconnect()
      await Promise.all(servers.map((server) => server.kill()))
    },
  }
}

/** One that stands still, or was killed, sees nothing. */
async function masterSeenBy(port: number, slot: number): Promise<number | undefined> {
  const redis = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null, commandTimeout: 500 })
  redis.on('error', () => {})
  try {
    await redis.connect()
    const ranges = await redis.call('CLUSTER', 'SLOTS')
    const own = Array.isArray(ranges) ? ranges.find(([from, to]) => from <= slot && slot <= to) : undefined
    return own === undefined ? undefined : Number(own[2][1])
  } catch {
    return undefined
  } finally {
    redis.disconnect()
  }
}

function isMostly(port: number, seen: readonly (number | undefined)[]): boolean {
  return 2 * seen.filter((each) => each === port).length > seen.filter((each) => each !== undefined).length
}

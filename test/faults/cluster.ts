// A Redis Cluster of three masters, each with replicas or with none, on loopback ports or on hosts of their own.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { keys } from '../../src/store/redis/keys.js'
import { freePorts } from '../helpers/ports.js'
import { until } from '../helpers/service.js'
import { answering, HERE, infoOf, isMostly, keep, type Places, type RedisProcess, type Sentinels } from './sentinels.js'

const MASTERS = 3
const SLOTS = 16_384
const NODE_TIMEOUT_MS = 1000
const SEEN_WITHIN_MS = 500

export interface Cluster extends Sentinels {
  readonly ports: readonly number[]
  /** Ends all nodes, and starts them again on their data. */
  restart(): Promise<void>
  /** The slot that a key lies in, as the Cluster says. */
  slotOf(key: string): Promise<number>
}

/**
 * @param binary redis-server or valkey-server.
 * @param hosts where the nodes run, in turn; on this one when left out.
 */
export async function startCluster(
  folder: string,
  binary: string,
  replicas: 0 | 2,
  hosts: Places = [HERE],
): Promise<Cluster> {
  const count = MASTERS * (1 + replicas)
  const free = await freePorts(2 * count)
  const ports = free.slice(0, count)
  // A replica runs on another host than its master.
  const hostOf = (i: number) => hosts[(i + Math.floor(i / MASTERS)) % hosts.length] ?? HERE
  const addresses = ports.map((_, i) => hostOf(i).address)
  const servers = ports.map((port, i) => {
    const { command, args } = hostOf(i).on(binary, [
      ...['--port', String(port), '--bind', hostOf(i).address, '--protected-mode', 'no'],
      ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
      ...[
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        String(free[count + i]),
        '--cluster-node-timeout',
        String(NODE_TIMEOUT_MS),
      ],
      ...['--cluster-require-full-coverage', 'no', '--maxmemory-policy', 'noeviction', '--repl-diskless-sync-delay', '0'],
    ])
    return keep(command, join(folder, String(port)), args)
  })
  for (const server of servers) server.start()
  const answered = () => Promise.all(ports.map((port, i) => answering(port, addresses[i])))
  await answered()
  const lines = ports.map((port, i) => {
    const redis = new Redis({ port, host: hostOf(i).address, retryStrategy: () => 50, maxRetriesPerRequest: null })
    redis.on('error', () => {})
    return redis
  })
  const [first] = lines
  if (first === undefined) throw new Error('a Cluster has nodes')
  const width = Math.ceil(SLOTS / MASTERS)
  for (const [i, line] of lines.entries()) {
    if (i < MASTERS) await line.cluster('ADDSLOTSRANGE', i * width, Math.min(SLOTS, (i + 1) * width) - 1)
    if (i > 0) await line.call('CLUSTER', 'MEET', hostOf(0).address, String(ports[0]), String(free[count]))
  }
  const sees = async (line: Redis) => String(await line.call('CLUSTER', 'INFO'))
  for (const line of lines) await until(async () => (await sees(line)).includes(`cluster_known_nodes:${count}`))
  for (const [i, line] of lines.entries()) {
    if (i < MASTERS) continue
    const master = String(await lines[i % MASTERS]?.call('CLUSTER', 'MYID'))
    await until(async () => (await line.call('CLUSTER', 'REPLICATE', master).catch(() => undefined)) === 'OK')
  }
  for (const line of lines) await until(async () => /cluster_state:ok/.test(await sees(line)))
  for (const [i, port] of replicas === 0 ? [] : ports.slice(0, MASTERS).entries())
    await until(async () => (await infoOf(port, addresses[i])).includes(`connected_slaves:${replicas}`))
  const slot = Number(await first.call('CLUSTER', 'KEYSLOT', keys.prefix))

  return {
    url: `redis+cluster://${ports.map((port, i) => `${addresses[i]}:${port}`).join(',')}?replicas=${Math.min(1, replicas)}`,
    ports,
    addressOf: (port) => addresses[ports.indexOf(port)] ?? '',
    slotOf: async (key) => Number(await first.call('CLUSTER', 'KEYSLOT', key)),
    async master(): Promise<RedisProcess> {
      // While another one becomes it, they do not agree.
      let port: number | undefined
      await until(async () => {
        const seen = await Promise.all(ports.map((port, i) => masterSeenBy({ port, host: hostOf(i).address }, slot)))
        port = seen.find((each) => each !== undefined && isMostly(each, seen))
        return port !== undefined
      })
      const server = servers[ports.indexOf(port ?? 0)]
      if (port === undefined || server === undefined) throw new Error('the Cluster names a master')
      return { port, ...server }
    },
    async restart() {
      await Promise.all(servers.map((server) => server.kill()))
      for (const server of servers) server.start()
      await answered()
    },
    async close() {
      for (const line of lines) line.disconnect()
      await Promise.all(servers.map((server) => server.kill()))
    },
  }
}

/** One that stands still, or was killed, sees nothing. */
async function masterSeenBy(
  node: { readonly port: number; readonly host: string },
  slot: number,
): Promise<number | undefined> {
  const redis = new Redis({ ...node, lazyConnect: true, retryStrategy: () => null })
  redis.on('error', () => {})
  const see = async () => {
    await redis.connect() // one that stands still takes the connection, and says nothing more
    const ranges = await redis.call('CLUSTER', 'SLOTS')
    const own = Array.isArray(ranges) ? ranges.find(([from, to]) => from <= slot && slot <= to) : undefined
    return own === undefined ? undefined : Number(own[2][1])
  }
  try {
    return await Promise.race([see(), sleep(SEEN_WITHIN_MS, undefined)])
  } catch {
    return undefined
  } finally {
    redis.disconnect()
  }
}

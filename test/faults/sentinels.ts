// Three Redis of which one is the master, and three Sentinels that choose another when it is gone. All on loopback ports.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { until } from '../helpers/service.js'

export interface Sentinels {
  readonly url: string
  /** The process of the present master, as the Sentinels see it. */
  master(): Promise<RedisProcess>
  close(): Promise<void>
}

export interface RedisProcess {
  readonly port: number
  signal(name: NodeJS.Signals): void
  kill(): Promise<void>
  /** Starts it again; as whose replica it goes on, the Sentinels decide. */
  start(): void
}

const DOWN_AFTER_MS = 1000
const FAILOVER_TIMEOUT_MS = 3000
/** Sentinels do not begin another failover within twice that time. */
export const AGAIN_AFTER_MS = 2 * FAILOVER_TIMEOUT_MS
const NAME = 'tabir'

/** @param binary redis-server or valkey-server. */
export async function startSentinels(folder: string, binary: string): Promise<Sentinels> {
  const [first, ...others] = await freePorts(6)
  const ports = [first ?? 0, ...others.slice(0, 2)]
  const sentinelPorts = others.slice(2)
  const servers = ports.map((port) =>
    keep(binary, join(folder, String(port)), [
      ...['--port', String(port), '--bind', '127.0.0.1', '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
      // A master that is cut off from its replicas takes no more writes.
      ...['--min-replicas-to-write', '1', '--min-replicas-max-lag', '2', '--maxmemory-policy', 'noeviction'],
      ...['--repl-diskless-sync-delay', '0', '--repl-timeout', '10'],
      ...(port === ports[0] ? [] : ['--replicaof', '127.0.0.1', String(ports[0])]),
    ]),
  )
  for (const { port, start } of servers.map((server, i) => ({ port: ports[i] ?? 0, start: server.start }))) {
    start()
    await answering(port)
  }
  const [master = 0] = ports
  await until(async () => (await infoOf(master)).includes('connected_slaves:2'), 20_000)
  const watchers = sentinelPorts.map((port) => {
    const home = join(folder, String(port))
    mkdirSync(home, { recursive: true })
    const file = join(home, 'sentinel.conf')
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor ${NAME} 127.0.0.1 ${master} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
      `sentinel parallel-syncs ${NAME} 2`,
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    const watcher = keep(binary, home, [file, '--sentinel'])
    watcher.start()
    return watcher
  })
  for (const port of sentinelPorts) await answering(port)
  const ask = async <T>(port: number, question: (redis: Redis) => Promise<T>) => {
    const redis = new Redis({ port, host: '127.0.0.1', lazyConnect: true, maxRetriesPerRequest: 1 })
    redis.on('error', () => {})
    try {
      return await question(redis)
    } finally {
      redis.disconnect()
    }
  }
  const [sentinel = 0] = sentinelPorts
  const knowsAll = async (port: number) => {
    const text = JSON.stringify(await ask(port, (redis) => redis.call('SENTINEL', 'MASTER', NAME)))
    return text.includes('"num-slaves","2"') && text.includes('"num-other-sentinels","2"')
  }
  for (const port of sentinelPorts) await until(() => knowsAll(port), 30_000)

  return {
    url: `redis+sentinel://${sentinelPorts.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}?replicas=1`,
    async master() {
      const told = await ask(sentinel, (redis) => redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME))
      const port = Array.isArray(told) ? Number(told[1]) : 0
      const server = servers[ports.indexOf(port)]
      if (server === undefined) throw new Error('the Sentinels name a master')
      return { port, ...server }
    },
    async close() {
      await Promise.all([...watchers, ...servers].map((each) => each.kill()))
    },
  }
}

export function keep(binary: string, home: string, args: readonly string[]): Omit<RedisProcess, 'port'> {
  mkdirSync(home, { recursive: true })
  let child: ChildProcess | undefined
  return {
    start() {
      child = spawn(binary, args, { cwd: home, stdio: 'ignore' })
    },
    signal(name) {
      child?.kill(name)
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

export async function answering(port: number, host = '127.0.0.1'): Promise<void> {
  await until(async () => (await infoOf(port, host)) !== '', 20_000)
}

export async function infoOf(port: number, host = '127.0.0.1'): Promise<string> {
  const redis = new Redis({ port, host, lazyConnect: true, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await redis.info()
  } catch {
    return ''
  } finally {
    redis.disconnect()
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  for (const server of servers) server.close()
  return ports
}

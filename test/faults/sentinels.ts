// Three Redis servers, one of them the master, and three Sentinels that choose another when it fails: on loopback ports, or
// on their own hosts with a Redis and a Sentinel each.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Host } from '../helpers/hosts.js'
import { freePorts } from '../helpers/ports.js'
import { until } from '../helpers/service.js'

export interface Sentinels {
  readonly url: string
  /** The address of a server, by its port. */
  addressOf(port: number): string
  /** The process of the current master, as the Sentinels see it. */
  master(): Promise<RedisProcess>
  close(): Promise<void>
}

export interface RedisProcess {
  readonly port: number
  signal(name: NodeJS.Signals): void
  kill(): Promise<void>
  /** Restarts it; the Sentinels decide whose replica it becomes. */
  start(): void
}

const DOWN_AFTER_MS = 1000
const FAILOVER_TIMEOUT_MS = 3000
/** Sentinels do not begin another failover within twice that time. */
export const AGAIN_AFTER_MS = 2 * FAILOVER_TIMEOUT_MS
const NAME = 'tabir'

/** The hosts on which servers run, in turn. */
export type Places = readonly Pick<Host, 'address' | 'on'>[]
export const HERE: Places[number] = { address: '127.0.0.1', on: (command, args) => ({ command, args }) }

/**
 * @param binary redis-server or valkey-server.
 * @param hosts where they run, in turn; on this one when left out.
 */
export async function startSentinels(folder: string, binary: string, hosts: Places = [HERE]): Promise<Sentinels> {
  const free = await freePorts(6)
  const [ports, sentinelPorts] = [free.slice(0, 3), free.slice(3)]
  const hostOf = (i: number) => hosts[i % hosts.length] ?? HERE
  const addresses = ports.map((_, i) => hostOf(i).address)
  const [master = 0] = ports
  const [masterAddress = ''] = addresses
  const run = (i: number, name: number, args: readonly string[]) => {
    const on = hostOf(i).on(binary, args)
    return keep(on.command, join(folder, String(name)), on.args)
  }
  const servers = ports.map((port, i) =>
    run(i, port, [
      ...['--port', String(port), '--bind', hostOf(i).address, '--protected-mode', 'no'],
      ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
      // A master that is cut off from its replicas accepts no more writes.
      ...['--min-replicas-to-write', '1', '--min-replicas-max-lag', '2', '--maxmemory-policy', 'noeviction'],
      ...['--repl-diskless-sync-delay', '0', '--repl-timeout', '10'],
      ...(i === 0 ? [] : ['--replicaof', masterAddress, String(master)]),
    ]),
  )
  for (const [i, server] of servers.entries()) {
    server.start()
    await answering(ports[i] ?? 0, addresses[i])
  }
  await until(async () => (await infoOf(master, masterAddress)).includes('connected_slaves:2'))
  const watchers = sentinelPorts.map((port, i) => {
    const home = join(folder, String(port))
    mkdirSync(home, { recursive: true })
    const file = join(home, 'sentinel.conf')
    const lines = [
      `port ${port}`,
      `bind ${hostOf(i).address}`,
      'protected-mode no',
      `logfile ${join(home, 'sentinel.log')}`,
      `sentinel monitor ${NAME} ${masterAddress} ${master} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
      `sentinel parallel-syncs ${NAME} 2`,
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    const watcher = run(i, port, [file, '--sentinel'])
    watcher.start()
    return watcher
  })
  for (const [i, port] of sentinelPorts.entries()) await answering(port, addresses[i])
  const knowsAll = async (i: number) => {
    const text = String(JSON.stringify(await ask(sentinelPorts[i] ?? 0, addresses[i] ?? '', 'MASTER', NAME)))
    return text.includes('"num-slaves","2"') && text.includes('"num-other-sentinels","2"')
  }
  for (const i of sentinelPorts.keys()) await until(() => knowsAll(i), 30_000)

  return {
    url: `redis+sentinel://${sentinelPorts.map((port, i) => `${addresses[i]}:${port}`).join(',')}/${NAME}?replicas=1`,
    addressOf: (port) => addresses[ports.indexOf(port)] ?? '',
    async master() {
      let port: number | undefined
      // During a change they may disagree.
      await until(async () => {
        const named = await Promise.all(sentinelPorts.map((each, i) => masterNamedBy(each, addresses[i] ?? '')))
        port = named.find((each) => each !== undefined && isMostly(each, named))
        return port !== undefined
      })
      const server = servers[ports.indexOf(port ?? 0)]
      if (port === undefined || server === undefined) throw new Error('the Sentinels name a master')
      return { port, ...server }
    },
    async close() {
      await Promise.all([...watchers, ...servers].map((each) => each.kill()))
    },
  }
}

async function masterNamedBy(port: number, host: string): Promise<number | undefined> {
  const named = await ask(port, host, 'GET-MASTER-ADDR-BY-NAME', NAME)
  return Array.isArray(named) ? Number(named[1]) : undefined
}

/** A server that is suspended or cut off does not answer. */
async function ask(port: number, host: string, ...question: string[]): Promise<unknown> {
  const patience = { connectTimeout: 500, commandTimeout: 500, maxRetriesPerRequest: 0, retryStrategy: () => null }
  const redis = new Redis({ port, host, lazyConnect: true, replyMapping: 'legacy', ...patience })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await redis.call('SENTINEL', ...question)
  } catch {
    return undefined
  } finally {
    redis.disconnect()
  }
}

export function isMostly(one: number, seen: readonly (number | undefined)[]): boolean {
  return 2 * seen.filter((each) => each === one).length > seen.filter((each) => each !== undefined).length
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
  await until(async () => (await infoOf(port, host)) !== '')
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

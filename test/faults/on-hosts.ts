// The service on several hosts, which are network namespaces: Redis servers on three of them, an api on each of two, workers
// on each of two others, TLS between them; and a client for it.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { readConfig } from '../../src/boot/config.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { findRedisServer } from '../../src/store/embedded/find-redis.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { authority } from '../helpers/authority.js'
import { type Host, openHosts } from '../helpers/hosts.js'
import type { images } from '../helpers/multipart.js'
import { until } from '../helpers/service.js'
import type { Places, Sentinels } from './sentinels.js'

const PORT = 8080
/** The machine has about twenty processes to start. */
export const START_MS = 60_000

export interface Hosts {
  readonly servers: Sentinels
  readonly redisHosts: readonly Host[]
  readonly apiHosts: readonly [Host, Host]
  readonly workerHosts: readonly [Host, Host]
  readonly apis: readonly [Client, Client]
  /** How long the apis took to be ready at first: a measure of the machine. */
  readonly startMs: number
  /** A key of a platform, for queries. */
  readonly key: string
  /** Where the current master runs, and a connection to it. */
  masterHost(): Promise<Host>
  onMaster<T>(work: (redis: Redis) => Promise<T>): Promise<T>
  /** Steps the wall clock of every process of the service. */
  stepClocks(offsetMs: number): void
}

/** @returns `undefined` where hosts are not possible. */
export async function deployOnHosts(
  t: Test,
  startServers: (folder: string, binary: string, hosts: Places) => Promise<Sentinels>,
): Promise<Hosts | undefined> {
  const hosts = openHosts(t, 7)
  if (hosts === undefined) return undefined
  const [r1, r2, r3, hostA, hostB, hostV, hostW] = hosts as readonly [Host, Host, Host, Host, Host, Host, Host]
  const redisHosts = [r1, r2, r3]
  const folder = mkdtempSync(join(tmpdir(), 'tabir-hosts-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const binary = findRedisServer(readConfig({ PATH: process.env['PATH'] }))?.binary
  if (binary === undefined) throw new Error('there is no Redis on this machine')
  const servers = await startServers(folder, binary, redisHosts)
  t.teardown(() => servers.close())
  const ca = authority(t)
  const clockFile = join(folder, 'clock')
  const all: ChildProcess[] = []
  const run = (host: Host, program: string, env: Readonly<Record<string, string>>) =>
    all.push(start(t, host, program, { REDIS_URL: servers.url, STEPPED_CLOCK: clockFile, ...env }))
  const sealKeys = `k1:${randomBytes(32).toString('base64')}`
  const api = async (host: Host) => {
    const { certFile, keyFile } = ca.filesFor(host.address)
    const own = { TABIR_HOST: host.address, TABIR_PORT: String(PORT), TABIR_DATA_DIR: join(folder, host.address) }
    const handoff = { TABIR_HANDOFF_HOST: host.address, TABIR_HANDOFF_TLS_CERT: certFile, TABIR_HANDOFF_TLS_KEY: keyFile }
    run(host, 'src/boot/server.js', { TABIR_SEAL_KEYS: sealKeys, ...own, ...handoff })
    const client = clientOf(host)
    await until(client.isReady, START_MS)
    return client
  }
  const startedAtMs = performance.now()
  const apis = [await api(hostA), await api(hostB)] as const
  const startMs = performance.now() - startedAtMs
  for (const host of [hostV, hostW]) run(host, 'workers/main.js', { TABIR_HANDOFF_CA: ca.caFile, TABIR_HASHERS: '1' })
  const store = await openStore({ url: servers.url, socket: undefined })
  const scopes = new Set(['match'] as const)
  const { key } = await createApiKey(createApiKeyStore(store), {
    org: 'o',
    kind: 'platform',
    scopes,
    env: 'test',
    nowMs: Date.now(),
  })
  await store.close()
  return {
    servers,
    redisHosts,
    apiHosts: [hostA, hostB],
    workerHosts: [hostV, hostW],
    apis,
    startMs,
    key,
    async masterHost() {
      const address = servers.addressOf((await servers.master()).port)
      const found = redisHosts.find((host) => host.address === address)
      if (found === undefined) throw new Error('a master runs on one of the hosts')
      return found
    },
    async onMaster(work) {
      const { port } = await servers.master()
      const line = new Redis(port, servers.addressOf(port))
      try {
        return await work(line)
      } finally {
        line.disconnect()
      }
    },
    stepClocks(offsetMs) {
      writeFileSync(clockFile, String(offsetMs))
      for (const child of all) child.kill('SIGUSR2')
    },
  }
}

export interface Client {
  isReady(): Promise<boolean>
  openCase(): Promise<Case>
  submit(her: Case, hash: string): Promise<number>
  upload(her: Case, form: ReturnType<typeof images>): Promise<number>
  withdraw(her: Case): Promise<number>
  /** How many worker processes live and how many went silent, by its metrics. */
  workers(): Promise<{ readonly alive: number; readonly silent: number }>
  /** How many registered images a hash matches; `undefined` while it does not answer. */
  matches(key: string, hash: string): Promise<number | undefined>
}

export interface Case {
  readonly caseNumber: string
  readonly token: string
}

const ASKED_FOR_MS = 6000

function clientOf({ address }: Host): Client {
  const base = `http://${address}:${PORT}`
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${base}${path}`, { ...init, signal: AbortSignal.timeout(ASKED_FOR_MS) })
  const statusOf = async (path: string, init?: RequestInit) => {
    try {
      const answer = await ask(path, init)
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return 0
    }
  }
  const json = (method: string, body: unknown, token?: string): RequestInit => ({
    method,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
  })
  return {
    isReady: async () => (await statusOf('/health/ready')) === 200,
    async openCase() {
      const answer = await ask('/v1/cases', json('POST', { adult: true }))
      return (await answer.json()) as Case
    },
    submit: ({ caseNumber, token }, hash) => {
      const body = { images: [{ signals: [{ type: 'pdq', hash, quality: 100 }] }] }
      return statusOf(`/v1/cases/${caseNumber}/hashes`, json('POST', body, token))
    },
    upload: ({ caseNumber, token }, { payload, headers }) =>
      statusOf(`/v1/cases/${caseNumber}/images`, {
        method: 'POST',
        body: payload as Uint8Array<ArrayBuffer>,
        headers: { ...headers, authorization: `Bearer ${token}` },
      }),
    withdraw: ({ caseNumber, token }) =>
      statusOf(`/v1/cases/${caseNumber}`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } }),
    async workers() {
      const text = await (await ask('/metrics')).text()
      const count = (state: string) => Number(new RegExp(`^tabir_workers\\{state="${state}"\\} (\\d+)`, 'm').exec(text)?.[1])
      return { alive: count('alive'), silent: count('silent') }
    },
    async matches(key, hash) {
      try {
        const answer = await ask('/v1/match', json('POST', { queries: [{ signals: [{ type: 'pdq', hash }] }] }, key))
        if (answer.status !== 200) return undefined
        const { results } = (await answer.json()) as { results: { matches: unknown[] }[] }
        return results[0]?.matches.length
      } catch {
        return undefined
      }
    },
  }
}

const CLOCK = new URL('./stepped-clock.js', import.meta.url).href

/** A process of the service on a host, until the test ends. */
function start(t: Test, host: Host, program: string, env: Readonly<Record<string, string>>): ChildProcess {
  const entry = fileURLToPath(new URL(`../../${program}`, import.meta.url))
  const { command, args } = host.on(process.execPath, ['--import', CLOCK, entry])
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], TABIR_LOG_LEVEL: 'fatal', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return child
}

// Several hosts, as network namespaces: a Cluster on three of them, an api on each of two, workers on another. The one with the master is
// cut off under load; then an api is, for longer than the stream of changes remembers. `npm run faults:hosts`: in `npm test` it is left out,
// because nodes of a Cluster that get no processor for a second take each other for dead.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { createApiKey } from '../../src/services/access.js'
import { apiKeysIn } from '../../src/store/api-keys.js'
import { findRedisServer } from '../../src/store/find-redis.js'
import { keys } from '../../src/store/keys.js'
import { openStore } from '../../src/store/store.js'
import { authority } from '../helpers/authority.js'
import { type Host, openHosts } from '../helpers/hosts.js'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { randomHashText, until } from '../helpers/service.js'
import { startCluster } from './cluster.js'

const PORT = 8080
const START_MS = 30_000
const FAILOVER_MS = 5000

const options = { timeout: 120_000, skip: process.env['TABIR_TEST_HOSTS'] === undefined && 'npm run faults:hosts' }

t.test('hosts that are cut off lose nothing, and none answers with what was withdrawn', options, async (t) => {
  const hosts = openHosts(t, 6)
  if (hosts === undefined) return t.comment('left out: network namespaces are for root alone')
  const folder = mkdtempSync(join(tmpdir(), 'tabir-hosts-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const binary = findRedisServer(readConfig({ PATH: process.env['PATH'] }))?.binary
  if (binary === undefined) throw new Error('there is no Redis on this machine')
  const redisHosts = hosts.slice(0, 3)
  const [, , , hostA, hostB, hostW] = hosts as readonly [Host, Host, Host, Host, Host, Host]
  const cluster = await startCluster(folder, binary, 2, redisHosts)
  t.teardown(() => cluster.close())
  const ca = authority(t)
  const common = { REDIS_URL: cluster.url, TABIR_SEAL_KEYS: `k1:${randomBytes(32).toString('base64')}` }
  const api = async (host: Host) => {
    const { certFile, keyFile } = ca.filesFor(host.address)
    const own = { TABIR_HOST: host.address, TABIR_PORT: String(PORT), TABIR_DATA_DIR: join(folder, host.address) }
    const handoff = { TABIR_HANDOFF_HOST: host.address, TABIR_HANDOFF_TLS_CERT: certFile, TABIR_HANDOFF_TLS_KEY: keyFile }
    start(t, host, 'src/server.js', { ...common, ...own, ...handoff })
    const client = clientOf(host)
    await until(client.isReady, START_MS)
    return client
  }
  const a = await api(hostA)
  const b = await api(hostB)
  start(t, hostW, 'workers/main.js', { REDIS_URL: cluster.url, TABIR_HANDOFF_CA: ca.caFile, TABIR_HASHERS: '1' })
  const store = await openStore({ url: cluster.url, socket: undefined })
  const { key } = await createApiKey(apiKeysIn(store), {
    org: 'o',
    kind: 'platform',
    scopes: new Set(['match'] as const),
    env: 'test',
    nowMs: Date.now(),
  })
  await store.close()
  const matches = (client: Client, hash: string) => client.matches(key, hash)

  const her = await a.openCase()
  const picture = images([await scene(3, { width: 320, height: 240 })])
  await until(async () => (await a.upload(her, picture)) === 201, START_MS)
  t.pass('a picture goes to a worker on another host, over TLS')
  const before = randomHashText()
  t.equal(await a.submit(her, before), 201)
  await until(async () => (await matches(b, before)) === 1)

  // The master is cut off while both apis are written to.
  const acknowledged: { readonly hash: string; readonly atMs: number }[] = []
  let isOver = false
  const writing = [a, b].map(async (client) => {
    while (!isOver) {
      const hash = randomHashText()
      if ((await client.submit(her, hash)) === 201) acknowledged.push({ hash, atMs: performance.now() })
      await sleep(20)
    }
  })
  await until(() => acknowledged.length > 20)
  const master = cluster.addressOf((await cluster.master()).port)
  const lost = redisHosts.find(({ address }) => address === master)
  const cutAtMs = performance.now()
  lost?.cut()
  await until(() => acknowledged.some(({ atMs }) => atMs > cutAtMs + 1000), START_MS)
  const again = acknowledged.find(({ atMs }) => atMs > cutAtMs + 1000)
  t.comment(`acknowledged again ${Math.round((again?.atMs ?? 0) - cutAtMs)} ms after the master was cut off`)
  await sleep(500)
  lost?.mend()
  isOver = true
  await Promise.all(writing)
  for (const client of [a, b]) await until(client.isReady, FAILOVER_MS)
  const missing = async (client: Client) => {
    const found = await Promise.all(acknowledged.map(({ hash }) => matches(client, hash)))
    return found.filter((count) => count !== 1).length
  }
  for (const client of [a, b]) await until(async () => (await missing(client)) === 0, FAILOVER_MS)
  t.pass(`${acknowledged.length} acknowledged writes are there, at both`)

  // An api is cut off; meanwhile there is more than the stream keeps, a withdrawal among it.
  const hers = await a.openCase()
  const [withdrawn, late] = [randomHashText(), randomHashText()]
  t.equal(await a.submit(hers, withdrawn), 201)
  await until(async () => (await matches(b, withdrawn)) === 1)
  hostB.cut()
  t.equal(await a.withdraw(hers), 200)
  t.equal(await a.submit(her, late), 201)
  const line = new Redis((await cluster.master()).port, cluster.addressOf((await cluster.master()).port))
  await line.xtrim(keys.changes, 'MAXLEN', 1)
  line.disconnect()
  hostB.mend()
  const mendedAtMs = performance.now()
  let answered: number | undefined
  await until(async () => {
    answered = await matches(b, withdrawn)
    return answered !== undefined
  }, START_MS)
  t.equal(answered, 0, 'its first answer is without what was withdrawn')
  await until(async () => (await matches(b, late)) === 1 && (await matches(b, before)) === 1, FAILOVER_MS)
  t.comment(`it answers from the whole ${Math.round(performance.now() - mendedAtMs)} ms after it was back`)
  t.equal(await missing(b), 0)
})

interface Client {
  isReady(): Promise<boolean>
  openCase(): Promise<Case>
  submit(her: Case, hash: string): Promise<number>
  upload(her: Case, form: ReturnType<typeof images>): Promise<number>
  withdraw(her: Case): Promise<number>
  /** How many registered images a hash matches; `undefined` while it does not say. */
  matches(key: string, hash: string): Promise<number | undefined>
}

interface Case {
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

/** A process of the service on a host, until the test ends. */
function start(t: Test, host: Host, program: string, env: Readonly<Record<string, string>>): ChildProcess {
  const entry = fileURLToPath(new URL(`../../${program}`, import.meta.url))
  const { command, args } = host.on(process.execPath, [entry])
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

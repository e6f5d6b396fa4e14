// Several hosts, as network namespaces. The host of the master is cut off under load; then an api, for longer than the change
// stream reaches back; then workers. `npm run fuzz hosts` runs it: `npm test` leaves it out, because Sentinels that get no
// processor for a second take each other for dead.

import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { DEFAULT_FRESHNESS } from '../../src/services/index/readiness.js'
import { keys } from '../../src/store/redis/keys.js'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { randomHashText, until } from '../helpers/service.js'
import { type Case, type Client, deployOnHosts, type Hosts, START_MS } from './on-hosts.js'
import { startSentinels } from './sentinels.js'

const FAILOVER_MS = 5000
const HOUR_MS = 3_600_000

/** Separate for each test, since tap writes into them. */
const options = () => ({ skip: process.env['TABIR_TEST_HOSTS'] === undefined && 'npm run fuzz hosts' })
const LEFT_OUT = 'left out: network namespaces need root'

t.test('hosts with Sentinels that are cut off lose nothing, and none matches what was withdrawn', options(), async (t) => {
  const hosts = await deployOnHosts(t, startSentinels)
  if (hosts === undefined) return t.comment(LEFT_OUT)
  const her = await firstCase(t, hosts)
  const written = await masterIsCutOff(t, hosts, her)
  await apiIsAwayForAnHour(t, hosts, her, written)
})

t.test(
  'of two worker hosts one goes on when the other is cut off, and a Redis cut off for long is fully synchronised',
  options(),
  async (t) => {
    const hosts = await deployOnHosts(t, startSentinels)
    if (hosts === undefined) return t.comment(LEFT_OUT)
    const her = await firstCase(t, hosts)
    await workersAreCutOff(t, hosts, her)
    await redisIsAwayForLong(t, hosts, her)
  },
)

/** A case with a picture that workers on another host hashed and a hash that both apis know. */
async function firstCase(t: Test, { apis: [a, b], key }: Hosts): Promise<Case> {
  const her = await a.openCase()
  await until(async () => (await a.upload(her, await picture(3))) === 201, START_MS)
  t.pass('a picture goes to a worker on another host, over TLS')
  const before = randomHashText()
  t.equal(await a.submit(her, before), 201)
  await until(async () => (await b.matches(key, before)) === 1)
  return her
}

/** The host of the master is cut off while both apis are written to. @returns what was acknowledged. */
async function masterIsCutOff(t: Test, hosts: Hosts, her: Case): Promise<readonly string[]> {
  const { apis, key } = hosts
  const acknowledged: { readonly hash: string; readonly atMs: number }[] = []
  let isOver = false
  const writing = apis.map(async (client) => {
    while (!isOver) {
      const hash = randomHashText()
      if ((await client.submit(her, hash)) === 201) acknowledged.push({ hash, atMs: performance.now() })
      await sleep(20)
    }
  })
  await until(() => acknowledged.length > 20)
  const lost = await hosts.masterHost()
  const cutAtMs = performance.now()
  lost.cut()
  await until(() => acknowledged.some(({ atMs }) => atMs > cutAtMs + 1000), START_MS).finally(() => {
    isOver = true
  })
  const againAtMs = acknowledged.find(({ atMs }) => atMs > cutAtMs + 1000)?.atMs ?? Number.POSITIVE_INFINITY
  const tookMs = againAtMs - cutAtMs
  const timeoutMs = Math.max(FAILOVER_MS, 2 * hosts.startMs)
  t.ok(
    tookMs <= timeoutMs,
    `acknowledged again ${tookMs.toFixed()} ms after the master was cut off, at most ${timeoutMs.toFixed()}`,
  )
  await sleep(500)
  lost.mend()
  isOver = true
  await Promise.all(writing)
  for (const client of apis) await until(client.isReady, FAILOVER_MS)
  const written = acknowledged.map(({ hash }) => hash)
  for (const client of apis) await until(async () => (await missing(client, key, written)) === 0, FAILOVER_MS)
  t.pass(`${written.length} acknowledged writes are there, at both`)
  return written
}

/**
 * An api is cut off. Meanwhile more changes than the stream keeps are made, a withdrawal among them, and every clock advances
 * by an hour.
 */
async function apiIsAwayForAnHour(t: Test, hosts: Hosts, her: Case, written: readonly string[]): Promise<void> {
  const {
    apis: [a, b],
    apiHosts: [, hostB],
    key,
  } = hosts
  const hers = await a.openCase()
  const [withdrawn, late] = [randomHashText(), randomHashText()]
  t.equal(await a.submit(hers, withdrawn), 201)
  await until(async () => (await b.matches(key, withdrawn)) === 1)
  hostB.cut()
  const cutAtMs = performance.now()
  hosts.stepClocks(HOUR_MS)
  t.equal(await a.withdraw(hers), 200)
  t.equal(await a.submit(her, late), 201)
  await hosts.onMaster((redis) => redis.xtrim(keys.changes, 'MAXLEN', 1))
  t.comment(`withdrawn, and more written, ${Math.round(performance.now() - cutAtMs)} ms after an api was cut off`)
  // For a moment it may rely on the store's last answer; an hour is too long.
  await sleep(DEFAULT_FRESHNESS.staleAfterMs + DEFAULT_FRESHNESS.maxWaitMs)
  hostB.mend()
  const mendedAtMs = performance.now()
  let answered: number | undefined
  await until(async () => {
    answered = await b.matches(key, withdrawn)
    return answered !== undefined
  }, START_MS)
  t.equal(answered, 0, 'its first answer leaves out the withdrawn picture')
  const first = written[0] ?? ''
  await until(async () => (await b.matches(key, late)) === 1 && (await b.matches(key, first)) === 1, FAILOVER_MS)
  t.comment(`it answers from the whole ${Math.round(performance.now() - mendedAtMs)} ms after it was back`)
  t.equal(await missing(b, key, written), 0)
  t.equal(await b.upload(her, await picture(4)), 201, 'and takes pictures')
}

/**
 * A host with workers is cut off while pictures are submitted. Those that it had taken are refused; its loss is reported;
 * then it is back.
 */
async function workersAreCutOff(t: Test, { apis: [a], workerHosts: [lost] }: Hosts, her: Case): Promise<void> {
  await until(async () => (await a.workers()).alive === 2, START_MS)
  let seed = 10
  const isTaken = async () => (await a.upload(her, await picture(seed++))) === 201
  await Promise.all([isTaken(), isTaken(), isTaken(), isTaken()])
  const under = [isTaken(), isTaken()]
  lost.cut()
  const cutAtMs = performance.now()
  for (let inARow = 0; inARow < 5; ) inARow = (await isTaken()) ? inARow + 1 : 0
  t.pass(
    `five pictures in a row, ${(performance.now() - cutAtMs).toFixed()} ms after one of two hosts with workers was cut off`,
  )
  await Promise.all(under)
  await until(async () => (await a.workers()).silent === 1, START_MS)
  t.same(await a.workers(), { alive: 1, silent: 1 }, 'the one that is cut off is missed')
  lost.mend()
  await until(async () => (await a.workers()).alive === 2, START_MS)
  t.ok(await isTaken(), 'and counted when it is back')
}

/**
 * A replica is cut off for longer than its master's backlog. When it is back, it is fully synchronised: a write may wait for
 * it alone, and another failover loses nothing.
 */
async function redisIsAwayForLong(t: Test, hosts: Hosts, her: Case): Promise<void> {
  const {
    apis: [a],
    key,
    redisHosts,
  } = hosts
  const master = await hosts.masterHost()
  const [away, other] = redisHosts.filter((host) => host !== master)
  if (away === undefined || other === undefined) throw new Error('there are two replicas')
  await hosts.onMaster((redis) => redis.config('SET', 'repl-backlog-size', '16384'))
  const before = await hosts.onMaster((redis) => redis.info('stats'))
  away.cut()
  await until(async () => replicasIn(await hosts.onMaster((redis) => redis.info('replication'))) === 1, START_MS)
  const written = Array.from({ length: 200 }, randomHashText)
  for (const hash of written) await until(async () => (await a.submit(her, hash)) === 201, FAILOVER_MS)
  away.mend()
  const isWhole = async () => {
    const text = await hosts.onMaster((redis) => redis.info('replication'))
    return replicasIn(text) === 2 && !/state=(?!online)/.test(text)
  }
  await until(isWhole, START_MS)
  const after = await hosts.onMaster((redis) => redis.info('stats'))
  t.equal(
    fullSyncsIn(after),
    fullSyncsIn(before) + 1,
    'a replica that missed more than the backlog holds is synchronised in full',
  )
  other.cut()
  await until(async () => (await a.submit(her, randomHashText())) === 201, START_MS)
  t.pass('it is the replica that a write waits for')
  other.mend()
  await until(isWhole, START_MS)
  master.cut()
  const last = randomHashText()
  await until(async () => (await a.submit(her, last)) === 201, START_MS)
  t.equal(await missing(a, key, [...written, last]), 0, 'and the failover after that loses nothing')
  master.mend()
}

const replicasIn = (info: string) => Number(/^connected_slaves:(\d+)/m.exec(info)?.[1])
const fullSyncsIn = (info: string) => Number(/^sync_full:(\d+)/m.exec(info)?.[1])

async function missing(client: Client, key: string, hashes: readonly string[]): Promise<number> {
  const found = await Promise.all(hashes.map((hash) => client.matches(key, hash)))
  return found.filter((count) => count !== 1).length
}

async function picture(seed: number) {
  return images([await scene(seed, { width: 320, height: 240 })])
}

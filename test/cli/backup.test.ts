import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { heartbeat } from '../../src/store/redis/heartbeats.js'
import { startRedis } from '../helpers/redis.js'
import { keyFor, randomHashText, startService, submitted, type TestService, until } from '../helpers/service.js'
import { SEAL_KEY, tabir } from '../helpers/tabir.js'
import { filmOf, operator } from '../helpers/trust.js'

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tabir-backup-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function matching({ app }: TestService, headers: Record<string, string>, hashes: readonly string[]) {
  const payload = { queries: hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] })) }
  const response = await app.inject({ method: 'POST', url: '/v1/match', payload, headers })
  return response.json<{ results: { matches: unknown[] }[] }>().results.map(({ matches }) => matches.length)
}

const many = (length: number) => Array.from({ length }, randomHashText)

/** Writes the heartbeat of a worker of the service. */
async function heartbeatOf(socket: string): Promise<void> {
  const redis = new Redis(socket)
  await heartbeat(redis, 'a worker|')
  await redis.quit()
}

t.test('a restore brings back the backup without images, signals and keys withdrawn or revoked since', async (t) => {
  const place = folder(t)
  const file = join(place, 'backup')
  const withdrawalsFolder = join(place, 'withdrawals')
  const service = await startService(t, { sealKey: SEAL_KEY, withdrawalsFolder })
  const env = { REDIS_SOCKET: service.redis.socket, TABIR_DATA_DIR: join(place, 'spool') }
  const ngo = await keyFor(service, 'ngo', ['signals:write', 'match'])
  const careless = await keyFor(service, 'careless', ['match'])
  await service.app.inject({ method: 'POST', url: '/v1/banks', payload: { name: 'mine' }, headers: ngo.headers })
  const signals = [randomHashText(), randomHashText()]
  const added = await service.app.inject({
    method: 'POST',
    url: '/v1/banks/mine/signals',
    payload: { signals: signals.map((hash) => ({ type: 'pdq', hash })) },
    headers: ngo.headers,
  })
  const [kept, withdrawn] = [await submitted(service), await submitted(service)]
  const films = [kept, withdrawn].map(({ url, headers }) => ({ url, headers, frames: many(3) }))
  for (const { url, headers, frames } of films)
    await service.app.inject({ method: 'POST', url: `${url}/hashes`, payload: { videos: [filmOf(frames)] }, headers })
  const hashes = [kept.hash, withdrawn.hash, ...signals, ...films.flatMap(({ frames }) => frames)]
  t.same(await matching(service, ngo.headers, hashes), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1])

  await heartbeatOf(service.redis.socket)
  const made = await tabir(env, 'backup', file)
  t.match(made, { status: 0, row: { revision: Number, sizeBytes: Number } }, made.errors)
  for (const hash of hashes) t.notOk(readFileSync(file).includes(Buffer.from(hash, 'hex')))
  t.notOk(readFileSync(file).includes('REDIS'), 'the backup is sealed')
  const left = readdirSync(service.redis.dataDir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.rdb$/.test(name),
  )
  t.same(
    left.filter((name) => !name.includes('appendonlydir')),
    [],
    'Redis keeps no copy that later withdrawals would not reach',
  )

  await service.app.inject({ method: 'DELETE', url: withdrawn.url, headers: withdrawn.headers })
  const [, removed] = added.json<{ signals: { signalId: string }[] }>().signals
  await service.app.inject({ method: 'DELETE', url: `/v1/banks/mine/signals/${removed?.signalId}`, headers: ngo.headers })
  t.match(await tabir(env, 'keys', 'revoke', careless.keyId), { status: 0 })
  const late = await submitted(service)
  await service.services.settled()

  const dataDir = join(place, 'restored')
  const logs = ['--withdrawals', withdrawalsFolder]
  const restored = await tabir({ TABIR_DATA_DIR: dataDir }, 'restore', file, ...logs)
  const told = { casesEnded: 1, signalsRemoved: 1, keysRevoked: [careless.keyId], withdrawalsSince: 'known' }
  t.match(restored, { status: 0, row: told }, restored.errors)
  t.notOk(existsSync(join(dataDir, 'restoring')))
  const again = await tabir({ TABIR_DATA_DIR: dataDir }, 'restore', file, ...logs)
  t.match(again, { status: 2, errors: /This data folder has data/ })

  const second = await startService(t, { redis: await startRedis(t, { dataDir }), sealKey: SEAL_KEY, withdrawalsFolder })
  t.same(await matching(second, ngo.headers, [...hashes, late.hash]), [1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0])
  t.same(await second.services.health.workers(), { alive: 0, silent: 0 }, 'no former process counts as silent')
  const view = async ({ url, headers }: typeof kept) => (await second.app.inject({ url, headers })).json()
  t.match(await view(kept), { state: 'active', images: 2 })
  t.match(await view(withdrawn), { state: 'withdrawn', images: 0 })
  t.equal(second.services.identify(careless.key, '127.0.0.1'), undefined)

  const { headers: admin } = await operator(second)
  const acts = async () => (await second.app.inject({ url: '/v1/audit?limit=1000', headers: admin })).body
  await until(async () => (await acts()).includes('"store.restored"'))
  t.match(await acts(), '"store.backed-up"', 'recorded before the backup, so part of it')

  // A second restore of the same backup, after another withdrawal.
  await second.app.inject({ method: 'DELETE', url: kept.url, headers: kept.headers })
  const third = await tabir({ TABIR_DATA_DIR: join(place, 'again') }, 'restore', file, ...logs)
  t.match(third, { status: 0, row: { casesEnded: 2, signalsRemoved: 1, withdrawalsSince: 'known' } }, third.errors)
})

t.test('a backup that is changed, truncated or under other keys is refused, and a gap must be accepted', async (t) => {
  const place = folder(t)
  const file = join(place, 'backup')
  const redis = await startRedis(t)
  const service = await startService(t, { redis, sealKey: SEAL_KEY })
  await submitted(service)
  t.match(await tabir({ REDIS_SOCKET: redis.socket, TABIR_DATA_DIR: join(place, 'spool') }, 'backup', file), { status: 0 })
  t.match(await tabir({}, 'backup', 'verify', file), { status: 0, row: { revision: 1 } })
  const whole = readFileSync(file)
  const other = `k1:${Buffer.alloc(32, 9).toString('base64')}`
  t.match(await tabir({ TABIR_SEAL_KEYS: other }, 'backup', 'verify', file), { status: 1 })
  const changed = Buffer.from(whole)
  changed[whole.length >> 1] = (changed[whole.length >> 1] ?? 0) ^ 1
  writeFileSync(file, changed)
  t.match(await tabir({}, 'backup', 'verify', file), { status: 1, errors: /does not open/ })
  writeFileSync(file, whole)
  truncateSync(file, whole.length - 1)
  const dataDir = join(place, 'data')
  t.match(await tabir({ TABIR_DATA_DIR: dataDir }, 'restore', file), { status: 1 })
  t.notOk(existsSync(join(dataDir, 'redis')), 'no partial data is in place')
  writeFileSync(file, whole)
  const refused = await tabir({ TABIR_DATA_DIR: dataDir }, 'restore', file)
  t.match(refused, { status: 3, row: { withdrawalsSince: 'unknown' }, errors: /no log.*--accept-gap/ })
  t.notOk(existsSync(join(dataDir, 'redis')), 'the gap was not accepted')
  const restored = await tabir({ TABIR_DATA_DIR: dataDir }, 'restore', file, '--accept-gap')
  t.match(restored, { status: 0, row: { withdrawalsSince: 'unknown', images: 1 } }, restored.errors)
  t.match(await tabir({}, 'backup'), { status: 2 })
  t.match(await tabir({}, 'restore'), { status: 2 })
})

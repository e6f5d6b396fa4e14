// Metrics that warn an operator before something fails.

import { statfsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { exchangesIn } from '../../src/exchange/exchange-config.js'
import { keys } from '../../src/store/redis/keys.js'
import { EXCHANGE } from '../helpers/exchange.js'
import { listen } from '../helpers/named-redis.js'
import { startRedis } from '../helpers/redis.js'
import { post, redisOf } from '../helpers/requests.js'
import { keyFor, startService, type TestService, until } from '../helpers/service.js'
import { SEAL_KEY, tabirBeside } from '../helpers/tabir.js'

/** @returns a reader of metrics, which gives `undefined` for a metric without a value. */
function metricsOf({ app }: TestService) {
  return async (name: string) => {
    const { body } = await app.inject({ url: '/metrics' })
    const escaped = name.replaceAll(/[{}"]/g, String.raw`\$&`)
    const text = new RegExp(`^${escaped} (\\S+)$`, 'm').exec(body)?.[1]
    return text === undefined ? undefined : Number(text)
  }
}

t.test('while the index loads, its metrics are absent and not 0', async (t) => {
  const service = await startService(t, { hydrated: false })
  const metric = metricsOf(service)
  t.equal(await metric('tabir_ready'), 0)
  for (const name of ['tabir_index_images', 'tabir_index_staleness_seconds', 'tabir_store_durable'])
    t.equal(await metric(name), undefined, name)
  await service.services.hydrate()
  t.equal(await metric('tabir_ready'), 1)
  t.equal(await metric('tabir_index_images'), 0)
  t.equal(await metric('tabir_store_durable'), 1)
})

t.test('tabir_faults_total starts at 0 and counts answers of 500', async (t) => {
  const service = await startService(t)
  const metric = metricsOf(service)
  const { headers } = await keyFor(service, 'operator', ['admin'], 'operator')
  t.equal(await metric('tabir_faults_total'), 0)
  await (await redisOf(t, service)).set(keys.deadlineSchedule, 'no sorted set')
  t.equal((await service.app.inject({ url: '/v1/deadlines/overdue', headers })).statusCode, 500)
  t.equal(await metric('tabir_faults_total'), 1)
  t.equal(await metric('tabir_deadlines_overdue'), undefined, 'a value that cannot be read is absent and not 0')
})

t.test('disk and Redis memory have metrics of size and use', async (t) => {
  const service = await startService(t)
  const metric = metricsOf(service)
  const { blocks, bsize } = statfsSync(service.redis.dataDir)
  t.equal(await metric('tabir_disk_size_bytes{folder="data"}'), blocks * bsize)
  const free = await metric('tabir_disk_free_bytes{folder="data"}')
  t.ok(free !== undefined && free > 0 && free <= blocks * bsize)
  t.equal(await metric('tabir_redis_memory_limit_bytes'), undefined)
  await (await redisOf(t, service)).config('SET', 'maxmemory', '1gb')
  t.equal(await metric('tabir_redis_memory_limit_bytes'), 2 ** 30)
  t.ok(Number(await metric('tabir_redis_memory_used_bytes')) > 100_000)
})

t.test('tabir_backup_timestamp_seconds is the time of the last verified backup', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const metric = metricsOf(service)
  t.equal(await metric('tabir_backup_timestamp_seconds'), 0)
  const made = await tabirBeside(service)('backup', join(service.redis.dataDir, 'a-backup'))
  const { madeAt } = made.row as { readonly madeAt: string }
  t.equal(await metric('tabir_backup_timestamp_seconds'), Date.parse(madeAt) / 1000)
})

t.test('metrics show whether the audit log was sound at its last check, by command or once a day', async (t) => {
  let nowMs = Date.now()
  const service = await startService(t, { sealKey: SEAL_KEY, now: () => nowMs })
  const metric = metricsOf(service)
  const { services } = service
  const redis = await redisOf(t, service)
  const checkedMs = async () => Number(await metric('tabir_audit_checked_timestamp_seconds')) * 1000
  await keyFor(service, 'one')
  await until(async () => (await redis.xlen(keys.audit)) > 0)
  t.equal(await checkedMs(), 0)

  await services.checkAudit()
  t.equal(await metric('tabir_audit_sound'), 1)
  t.equal(await checkedMs(), nowMs)

  await redis.xadd(keys.audit, '999-0', 'entry', 'an entry of somebody else')
  await redis.xdel(keys.audit, '1-0')
  await services.checkAudit()
  t.equal(await metric('tabir_audit_sound'), 1, 'the daily check is not due')
  nowMs += 86_400_000
  await services.checkAudit()
  t.equal(await metric('tabir_audit_sound'), 0)
  t.equal(await checkedMs(), nowMs)

  await redis.del(keys.auditCheck)
  t.match(await tabirBeside(service)('audit', 'verify', '--head', `1:${'A'.repeat(43)}`), { status: 1 })
  t.equal(await checkedMs(), 0, 'a wrong --head does not count as a check')
  t.match(await tabirBeside(service)('audit', 'verify'), { status: 1 })
  t.equal(await metric('tabir_audit_sound'), 0)
})

t.test('failing webhooks are counted without disabled ones', async (t) => {
  const service = await startService(t)
  const metric = metricsOf(service)
  const { headers } = await keyFor(service, 'ngo', ['webhooks'])
  const redis = await redisOf(t, service)
  const ids: string[] = []
  for (const path of ['a', 'b']) {
    const made = await post(
      service.app,
      '/v1/webhooks',
      { url: `https://hooks.example/${path}`, events: ['case.updated'] },
      headers,
    )
    ids.push(made.json<{ webhookId: string }>().webhookId)
  }
  t.equal(await metric('tabir_webhooks_failing'), 0)
  const [longest = '', other = ''] = ids
  t.equal(await metric('tabir_webhooks_missed_events'), 0)
  await redis.zadd(keys.webhookMissed, Date.now(), longest)
  await redis.zadd(keys.webhookFailing, Date.now() - 7_200_000, longest, Date.now() - 60_000, other)
  t.equal(await metric('tabir_webhooks_failing'), 2)
  t.equal(await metric('tabir_webhooks_missed_events'), 1)
  t.ok(Number(await metric('tabir_webhook_failing_seconds')) >= 7200)
  const payload = { enabled: false }
  t.equal((await service.app.inject({ method: 'PATCH', url: `/v1/webhooks/${longest}`, headers, payload })).statusCode, 200)
  t.equal(await metric('tabir_webhooks_failing'), 1)
  t.equal(await metric('tabir_webhooks_missed_events'), 0)
  t.ok(Number(await metric('tabir_webhook_failing_seconds')) < 7200)
})

t.test('exchange metrics show how long a feed was not read to its end, also if it never was', async (t) => {
  let nowMs = Date.now()
  const exchanges = exchangesIn(JSON.stringify({ exchanges: [{ ...EXCHANGE, intervalS: 60 }] }))
  const service = await startService(t, { exchanges, now: () => nowMs })
  const metric = metricsOf(service)
  nowMs += 600_000
  t.equal(await metric('tabir_exchange_behind_seconds{exchange="ncii-list"}'), 600)
  t.equal(await metric('tabir_exchange_interval_seconds{exchange="ncii-list"}'), 60)
})

t.test('metrics show the replicas of Redis and their lag', async (t) => {
  const service = await startService(t)
  const metric = metricsOf(service)
  t.equal(await metric('tabir_redis_replicas'), 0)
  t.equal(await metric('tabir_redis_replica_lag_bytes'), undefined)
  const replica = new Redis((await startRedis(t)).socket)
  t.teardown(() => replica.disconnect())
  const { port } = await tcpTo(t, service.redis.socket)
  const master = await redisOf(t, service)
  await master.config('SET', 'repl-diskless-sync-delay', '0')
  await replica.replicaof('127.0.0.1', port)
  await until(async () => (await metric('tabir_redis_replicas')) === 1)
  await until(async () => (await metric('tabir_redis_replica_lag_bytes')) === 0)
  t.ok(Number(await metric('tabir_redis_replica_lag_seconds')) <= 60)
  await replica.replicaof('NO', 'ONE') // a master that stops waits for its replicas
  await until(async () => (await metric('tabir_redis_replicas')) === 0)
})

/** A TCP port in front of a private Redis, which listens on a socket only. */
function tcpTo(t: Test, socket: string) {
  return listen(t, (outside) => {
    const inside = connect(socket)
    for (const end of [outside, inside]) end.on('error', () => {})
    outside.pipe(inside).pipe(outside)
  })
}

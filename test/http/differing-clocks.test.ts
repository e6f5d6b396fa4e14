// The clock of one api differs from Redis's by days: nothing is announced, ended or released by that clock alone.

import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { WITHDRAWN_SPREAD_MS } from '../../src/domain/organisations/webhook.js'
import { keys } from '../../src/store/redis/keys.js'
import { createEventStore } from '../../src/store/webhooks/events.js'
import { startStore } from '../helpers/redis.js'
import { post } from '../helpers/requests.js'
import { keyFor, RETENTION_MS, randomHashText, startService } from '../helpers/service.js'
import { ask, caseWithPicture, matchesOf, operator, platform } from '../helpers/trust.js'
import { startWebhookPlans } from '../helpers/webhook-plans.js'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 5, 1)

/** @param aheadMs of the api; the store's clock is right. */
async function world(t: Test, aheadMs: number) {
  const clock = { aheadMs, storeMs: START_MS }
  const service = await startService(t, { now: () => clock.storeMs + clock.aheadMs, storeNow: () => clock.storeMs })
  const redis = new Redis(service.redis.socket)
  t.teardown(() => redis.disconnect())
  return { clock, service, redis }
}

t.test('an api that is ahead announces no deadline as missed, and the real miss is announced', async (t) => {
  const { clock, service, redis } = await world(t, 0)
  const her = await caseWithPicture(service)
  const one = await platform(service, 'one')
  const { headers } = await operator(service)
  const events = async () => {
    await service.services.notices.announceOverdue()
    return (await ask(service, 'GET', '/v1/events', headers)).json<{ events: object[] }>().events.length
  }
  const notice = {
    laws: ['my-onsa'],
    statements: ['goodFaith', 'withoutConsent', 'accurate', 'authorised'],
    actingAs: 'self',
  }
  t.equal((await ask(service, 'PUT', `${her.url}/notice`, her.headers, notice)).statusCode, 200)
  clock.aheadMs = 3 * DAY_MS
  await matchesOf(service, one.headers, her.hash)
  await service.services.settled()
  const [, dueAtMs] = await redis.zrange(keys.deadlineSchedule, '0', '0', 'WITHSCORES')
  t.equal(Number(dueAtMs), START_MS + HOUR_MS, 'it counts from the clock that all processes share')
  t.equal(await events(), 0)
  clock.aheadMs = 0
  t.equal(await events(), 0)
  clock.storeMs += 100 * HOUR_MS
  t.equal(await events(), 2)
  t.equal(await events(), 2, 'once')
})

t.test('an event that a clock noted too early is noted again when it happens', async (t) => {
  const { store } = await startStore(t)
  const events = createEventStore(store)
  const add = (atMs: number) => events.add('sla.due', { signalId: 'a' }, atMs, 1000)
  await add(START_MS + 3 * DAY_MS)
  await add(START_MS)
  await add(START_MS)
  await add(START_MS - 1000) // of a process whose clock differs as usual
  await add(START_MS + DAY_MS)
  t.same(
    (await events.list(undefined, 10)).map(({ atMs }) => atMs),
    [START_MS + 3 * DAY_MS, START_MS],
  )
})

t.test('an api that is days ahead ends no block', async (t) => {
  const { clock, service, redis } = await world(t, 3 * DAY_MS)
  await redis.zadd(keys.resubmissionBlocks, START_MS + DAY_MS, Buffer.alloc(32, 1))
  await service.services.endBlocks()
  t.equal(await redis.zcard(keys.resubmissionBlocks), 1)
  clock.storeMs += 2 * DAY_MS
  await service.services.endBlocks()
  t.equal(await redis.zcard(keys.resubmissionBlocks), 0)
})

t.test('blocks, denials and contexts end one by one, also where later ones keep their key', async (t) => {
  const { clock, service, redis } = await world(t, 0)
  await keyFor(service, 'asker', ['match'])
  const [orgId = ''] = await redis.hkeys(keys.orgs)
  const blocks = [keys.resubmissionBlocks, keys.organisationBlocks(orgId), keys.deniedAppeals]
  for (const key of blocks) await redis.zadd(key, START_MS + DAY_MS, 'ended', START_MS + 3 * DAY_MS, 'later')
  await redis.zadd(keys.contexts(orgId), START_MS - 28.5 * DAY_MS, 'ended', START_MS, 'later')
  await redis.hset(keys.contextNames(orgId), { ended: 'sealed', later: 'sealed' })
  const left = async () => {
    await service.services.endBlocks()
    await service.services.sweepRecords()
    const sets = await Promise.all([...blocks, keys.contexts(orgId)].map((key) => redis.zrange(key, '0', '-1')))
    return [...sets, await redis.hkeys(keys.contextNames(orgId))]
  }
  t.same(await left(), Array(5).fill(['ended', 'later']))
  clock.storeMs += 2 * DAY_MS
  t.same(await left(), Array(5).fill(['later']))
})

t.test('cases and watches of an api that is a year behind are kept for their full time', async (t) => {
  const { service, redis } = await world(t, -365 * DAY_MS)
  await post(service.app, '/v1/cases', { adult: true })
  const [, expiresAtMs] = await redis.zrange(keys.caseSchedule, '0', '0', 'WITHSCORES')
  t.equal(Number(expiresAtMs), START_MS + RETENTION_MS)
  const asker = await keyFor(service, 'asker', ['match'])
  const watches = [{ signals: [{ type: 'pdq', hash: randomHashText() }] }]
  await post(service.app, '/v1/watch', { watches, days: 1 }, asker.headers)
  const [, endsAtMs] = await redis.zrange(keys.watchSchedule, '0', '0', 'WITHSCORES')
  t.equal(Number(endsAtMs), START_MS + DAY_MS)
})

t.test('a withdrawal is told in its time after the clock of Redis was ahead', async (t) => {
  const { service, store, match, organisation, told } = await startWebhookPlans(t)
  const met = await organisation(t, 'platform')
  const her = await caseWithPicture(service)
  await match(her.hash, met)
  await told()
  // Redis gives no entry an earlier id than the one before.
  const aheadId = `${Date.now() + 8 * HOUR_MS}-0`
  await store.ask((redis) => redis.xadd(keys.webhookOutbox, aheadId, 'kind', 'wake', 'endpoint', met.webhookId))
  await ask(service, 'DELETE', her.url, her.headers)
  const events = await told()
  t.equal(events.length, 1)
  for (const { dueAtMs } of events) t.ok(dueAtMs <= Date.now() + WITHDRAWN_SPREAD_MS)
})

// One bad entry at the head of a schedule does not delay those behind it.

import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import { openStore } from '../../src/store/redis/client.js'
import { imageShard, keys, watchShard } from '../../src/store/redis/keys.js'
import { caseLifeHandler } from '../../workers/case-life.js'
import { storeAt } from '../helpers/redis.js'
import { post } from '../helpers/requests.js'
import {
  keyFor,
  openCase,
  RETENTION_MS,
  randomHashText,
  startService,
  type TestService,
  until,
  withBitsFlipped,
} from '../helpers/service.js'
import { ask, caseWithPicture, matchesOf, operator, platform } from '../helpers/trust.js'

const HOUR_MS = 3_600_000

async function storeOf(t: Test, { redis }: TestService) {
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  return store
}

t.test('rejected, erased and malformed entries at the head do not delay the release of paused signals', async (t) => {
  const clock = { nowMs: Date.now() }
  const service = await startService(t, { now: () => clock.nowMs })
  const store = await storeOf(t, service)
  const owner = await keyFor(service, 'owner', ['signals:write', 'admin'], 'operator')
  const asker = await platform(service, 'asker')
  await post(service.app, '/v1/banks', { name: 'mine' }, owner.headers)
  const register = async (hash: string) => {
    const answer = await post(service.app, '/v1/banks/mine/signals', { signals: [{ type: 'pdq', hash }] }, owner.headers)
    return answer.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId ?? answer.body
  }
  const hashes = Array.from({ length: 5 }, randomHashText)
  const ids: string[] = []
  for (const hash of hashes) ids.push(await register(hash))
  const untilS = Math.floor(clock.nowMs / 1000) + 60
  for (const [i, id] of ids.entries()) await service.services.contents.disableUntil(id, untilS + i, 'operator')
  const [rejected = '', gone = '', unreadable = ''] = ids
  await service.services.trust.dispute(undefined, rejected, 'other')
  await service.services.trust.decide(rejected, 'upheld')
  await store.ask(async (redis) => {
    await redis.zadd(keys.holdSchedule, 0, 'no id at all')
    await redis.zadd(keys.holdSchedule, 1, randomBytes(16))
    await redis.zadd(keys.holdSchedule, 2, Buffer.from(rejected.replaceAll('-', ''), 'hex'))
    const bytes = Buffer.from(gone.replaceAll('-', ''), 'hex')
    await redis.hdel(keys.images(((bytes[14] ?? 0) << 8) | (bytes[15] ?? 0)), bytes)
    const other = Buffer.from(unreadable.replaceAll('-', ''), 'hex')
    await redis.hset(keys.trust(other[15] ?? 0), other, '7:{"no":"trust"}')
  })
  const found = async () => {
    const all = await Promise.all(hashes.slice(3).map((hash) => matchesOf(service, asker.headers, hash)))
    return all.map(({ length }) => length)
  }
  t.same(await found(), [0, 0])

  clock.nowMs += 100_000
  await service.services.contents.releaseDue()
  t.same(await found(), [1, 1])
  const left = await store.ask((redis) => redis.zrangeBuffer(keys.holdSchedule, '0', '-1'))
  t.same(
    left.map((id) => formatUuid(id)),
    [unreadable],
    'the one that failed is tried again',
  )
  t.match(service.log.join('\n'), /2 of 7 signals to release failed/, 'the operator is told')
})

t.test('cases behind a broken one expire and are reported as erased', async (t) => {
  const service = await startService(t)
  const store = await storeOf(t, service)
  const cases = await Promise.all(Array.from({ length: 4 }, () => openCase(service.app)))
  const ids = await store.ask((redis) => redis.zrange(keys.caseSchedule, '0', '-1'))
  const [broken = '', other = ''] = ids
  await store.ask(async (redis) => {
    for (const [i, id] of ids.entries()) await redis.zadd(keys.caseSchedule, i, id)
    for (const id of ids) await redis.hset(keys.case(id), 'expiresAtMs', 1000)
    await redis.hdel(keys.case(broken), 'expiresAtMs')
    await redis.del(keys.case(other))
    await redis.set(keys.case(other), 'no hash')
    await redis.zadd(keys.caseErasures, 0, other)
  })
  const warnings: string[] = []
  const run = caseLifeHandler({
    target: storeAt(service.redis.socket),
    now: () => Date.now(),
    warn: (line) => warnings.push(line),
  })
  await run('expire')
  const stateOf = (id = '') => store.ask((redis) => redis.hget(keys.case(id), 'state'))
  t.same([await stateOf(ids[2]), await stateOf(ids[3])], ['expired', 'expired'])
  t.equal(await stateOf(broken), 'open')
  t.match(warnings, [/2 of 4 cases/])
  await run('erase')
  t.same([await stateOf(ids[2]), await stateOf(ids[3])], ['erased', 'erased'])
  t.match(warnings, [/2 of 4 cases/, /1 of 3 cases/])
  t.equal(cases.length, 4)
})

t.test('deadlines behind one that cannot be read are reported; those that fail are tried again', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1)
  const service = await startService(t, { now: () => nowMs })
  const store = await storeOf(t, service)
  const { headers } = await operator(service)
  const her = await caseWithPicture(service)
  const one = await platform(service, 'one')
  const notice = {
    laws: ['my-onsa'],
    statements: ['goodFaith', 'withoutConsent', 'accurate', 'authorised'],
    actingAs: 'self',
  }
  t.equal((await ask(service, 'PUT', `${her.url}/notice`, her.headers, notice)).statusCode, 200)
  await matchesOf(service, one.headers, her.hash)
  await service.services.settled()
  await store.ask((redis) =>
    redis.zadd(keys.deadlineSchedule, nowMs + 1, 'garbage', nowMs + 2, `${'x'.repeat(32)}|a|my-onsa|assess`),
  )
  nowMs += 100 * HOUR_MS
  const told = async () => {
    await service.services.notices.announceOverdue()
    const { events } = (await ask(service, 'GET', '/v1/events', headers)).json<{ events: { kind: string }[] }>()
    return events.length
  }
  t.equal(await told(), 2)
  t.equal(await told(), 2, 'once')
  const overdue = await ask(service, 'GET', '/v1/deadlines/overdue', headers)
  t.equal(overdue.json<{ deadlines: object[] }>().deadlines.length, 2)
  t.match(service.log.join('\n'), /passed deadlines failed/)
})

t.test('watches behind malformed or missing entries end, also for organisations without a key', async (t) => {
  const clock = { nowMs: Date.now() }
  const service = await startService(t, { now: () => clock.nowMs })
  const store = await storeOf(t, service)
  const asker = await keyFor(service, 'asker', ['match'])
  const body = {
    watches: Array.from({ length: 3 }, () => ({ signals: [{ type: 'pdq', hash: randomHashText() }] })),
    days: 1,
  }
  await post(service.app, '/v1/watch', body, asker.headers)
  const [first = Buffer.alloc(0)] = await store.ask((redis) => redis.zrangeBuffer(keys.watchSchedule, '0', '0'))
  await store.ask(async (redis) => {
    await redis.zadd(keys.watchSchedule, 0, 'garbage', 1, randomBytes(32))
    await redis.zrem((await redis.keys('{tabir}:watches-of:*'))[0] ?? '', first.subarray(0, 16))
  })
  clock.nowMs += 2 * RETENTION_MS
  await service.services.sweepWatches()
  t.same(await store.ask((redis) => redis.zrangeBuffer(keys.watchSchedule, '0', '-1')), [])
  t.match(service.log.join('\n'), /watches that ended failed/)
})

/** The hash and field of Redis that hold an image. */
function shardOf(imageId: string) {
  const bytes = Buffer.from(imageId.replaceAll('-', ''), 'hex')
  return { bytes, key: keys.images(imageShard(bytes)) }
}

async function registering(service: TestService, banks: readonly string[]) {
  const { headers } = await keyFor(service, 'owner', ['signals:write', 'admin'], 'operator')
  for (const name of banks) await post(service.app, '/v1/banks', { name }, headers)
  return {
    headers,
    async register(bank: string, hash = randomHashText()): Promise<string> {
      const answer = await post(service.app, `/v1/banks/${bank}/signals`, { signals: [{ type: 'pdq', hash }] }, headers)
      return answer.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId ?? answer.body
    },
  }
}

t.test('removed banks behind one with an image that cannot be erased are erased', async (t) => {
  const service = await startService(t)
  const store = await storeOf(t, service)
  const { headers, register } = await registering(service, ['first', 'second'])
  const [broken, behind] = [await register('first'), await register('second')]
  await store.ask((redis) => redis.set(shardOf(broken).key, 'no hash'))
  for (const bank of ['first', 'second']) t.equal((await ask(service, 'DELETE', `/c/bank/${bank}`, headers)).statusCode, 200)
  const { key, bytes } = shardOf(behind)
  await until(async () => (await store.ask((redis) => redis.hexists(key, bytes))) === 0)
  t.match(service.log.join('\n'), /images of a removed bank failed/)
})

t.test('a picture or watch that cannot be read does not stop others from being compared', async (t) => {
  const service = await startService(t)
  const store = await storeOf(t, service)
  const { register } = await registering(service, ['mine'])
  const asker = await keyFor(service, 'asker', ['match'])
  const [hash, other] = [randomHashText(), randomHashText()]
  const watch = async (text: string) => {
    const body = { watches: [{ signals: [{ type: 'pdq', hash: text }] }] }
    return (await post(service.app, '/v1/watch', body, asker.headers)).json<{ watches: { watchId: string }[] }>()
  }
  await watch(hash)
  // Comparing pauses from the moment that this is noticed until the key is deleted.
  await store.ask((redis) => redis.multi().del(keys.watchHolder).lpush(keys.watchHolder, 'no string').exec())
  await until(async () => /WRONGTYPE/.test(service.log.join('\n')))
  const broken = shardOf(await register('mine', other))
  await register('mine', hash)
  await store.ask(async (redis) => {
    await redis.hset(broken.key, broken.bytes, 'garbage')
    await redis.del(keys.watchHolder)
  })
  const told = async () => {
    const entries = await store.ask((redis) => redis.xrange(keys.webhookOutbox, '-', '+'))
    return entries.filter(([, fields]) => fields.includes('match.found')).length
  }
  await until(async () => (await told()) === 1)
  t.match(service.log.join('\n'), /pictures to compare with watches failed/)

  const { watches } = await watch(hash)
  const id = Buffer.from((watches[0]?.watchId ?? '').replaceAll('-', ''), 'hex')
  await store.ask((redis) => redis.hset(keys.watches(watchShard(id)), id, 'garbage'))
  await watch(hash)
  await register('mine', withBitsFlipped(hash, 2))
  await until(async () => (await told()) === 2)
  t.equal(await told(), 2, 'an organisation is told of a picture once')
})

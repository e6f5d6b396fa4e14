import t from 'tap'
import {
  BEFORE_ALL_EVENTS,
  CASE_EVENT_KINDS,
  CASE_EVENTS,
  type CaseEvent,
  platformBucket,
} from '../../src/domain/cases/case-event.js'
import { createCaseEventStore } from '../../src/store/cases/case-events.js'
import { connectForFollowing, openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { MAX_CASE_EVENTS } from '../../src/store/scripts/cases/case-event.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

async function openEvents(t: Test) {
  const redis = await startRedis(t)
  const target = storeAt(redis.socket)
  const store = await openStore(target)
  const events = createCaseEventStore(store, () => connectForFollowing(target))
  t.teardown(async () => {
    events.close()
    await store.close()
  })
  const begin = (caseId: string) => store.ask((client) => client.hset(keys.case(caseId), 'state', 'open'))
  return { redis, store, events, begin }
}
type Test = Parameters<typeof startRedis>[0]

t.test('a case event stores its kind, count and time and nothing else', async (t) => {
  const { store, events, begin } = await openEvents(t)
  await begin('a')
  for (const kind of CASE_EVENT_KINDS) await events.add('a', kind, CASE_EVENTS[kind] === 'nothing' ? 0 : 3, 1000)
  t.same(
    (await events.list('a')).map(({ kind, count, atMs }) => ({ kind, count, atMs })),
    CASE_EVENT_KINDS.map((kind) => ({ kind, count: CASE_EVENTS[kind] === 'nothing' ? 0 : 3, atMs: 1000 })),
  )
  const raw = await store.ask((redis) => redis.xrange(keys.caseEvents('a'), '-', '+'))
  for (const [, fields] of raw)
    t.same(
      fields.filter((_, i) => i % 2 === 0),
      ['kind', 'count', 'atMs'],
    )
})

t.test('an invalid count is refused, and an event of an unknown case is not stored', async (t) => {
  const { store, events, begin } = await openEvents(t)
  await begin('a')
  for (const count of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    await t.rejects(events.add('a', 'matched', count, 1), RangeError)
  await t.rejects(events.add('a', 'opened', 1, 1), RangeError, 'a count of nothing')
  t.equal(await events.add('b', 'matched', 1, 1), undefined)
  t.same(await events.list('a'), [])
  t.equal(await store.ask((redis) => redis.exists(keys.caseEvents('b'))), 0)
})

t.test('a time line is bounded and can be read after an id', async (t) => {
  const { events, begin } = await openEvents(t)
  await begin('a')
  const ids = await Promise.all(Array.from({ length: MAX_CASE_EVENTS + 20 }, (_, i) => events.add('a', 'matched', i, i)))
  const all = await events.list('a')
  t.ok(all.length > MAX_CASE_EVENTS - 50 && all.length <= MAX_CASE_EVENTS)
  t.equal(all[0]?.count, MAX_CASE_EVENTS + 20 - all.length, 'the oldest events are removed')
  t.same(
    (await events.list('a', ids.at(-3))).map(({ id }) => id),
    ids.slice(-2),
  )
})

t.test('nobody pushes out of a time line what a person must see', async (t) => {
  const { events, begin } = await openEvents(t)
  await begin('a')
  const many = Array.from({ length: MAX_CASE_EVENTS }, (_, i) => i)
  await events.add('a', 'opened', 0, 1)
  await events.add('a', 'pin-requested', 0, 2)
  await events.add('a', 'blocked', 2, 3, 'another platform')
  for (const kind of ['blocked', 'not-blocked'] as const)
    await Promise.all(many.map((i) => events.add('a', kind, 1, i, 'one platform')))
  for (const kind of ['paused', 'resumed'] as const) await Promise.all(many.map((i) => events.add('a', kind, 0, i)))
  const all = await events.list('a')
  t.ok(all.length <= MAX_CASE_EVENTS)
  t.match(
    all.slice(0, 4).map(({ kind, about }) => [kind, about]),
    [['opened'], ['pin-requested'], ['blocked', 'another platform'], ['not-blocked', 'one platform']],
  )
})

t.test('listeners get each event once and in order, also across a restart of Redis', async (t) => {
  const { redis, events, begin } = await openEvents(t)
  await begin('a')
  await begin('b')
  const heard = { early: [] as CaseEvent[], other: [] as CaseEvent[], late: [] as CaseEvent[] }
  const counts = (list: readonly CaseEvent[]) => list.map(({ count }) => count)
  const stopEarly = events.follow('a', BEFORE_ALL_EVENTS, (event) => heard.early.push(event))
  events.follow('b', BEFORE_ALL_EVENTS, (event) => heard.other.push(event))
  await events.add('a', 'matched', 1, 1)
  await events.add('b', 'matched', 10, 1)
  const second = await events.add('a', 'matched', 2, 1)
  await until(() => heard.early.length === 2 && heard.other.length === 1)

  redis.server.kill()
  await redis.reopen()
  await until(async () => (await events.add('a', 'matched', 3, 1).catch(() => undefined)) !== undefined)
  events.follow('a', second ?? '', (event) => heard.late.push(event))
  await until(() => heard.early.length >= 3 && heard.late.length >= 1)
  t.same(counts(heard.early), [1, 2, 3])
  t.same(counts(heard.late), [3])

  stopEarly()
  await events.add('a', 'matched', 4, 1)
  await until(() => heard.late.length === 2)
  t.same(counts(heard.early), [1, 2, 3], 'a listener that stopped gets no more events')
  t.same(counts(heard.other), [10])
})

t.test('numbers of platforms are given as buckets', async (t) => {
  const buckets = [0, 1, 2, 3, 5, 6, 10, 11, 1000].map(platformBucket)
  t.same(buckets, ['0', '1-2', '1-2', '3-5', '3-5', '6-10', '6-10', 'more', 'more'])
})

// Lists of 2,500 entries with equal scores or times: pages have a bound, and each entry comes once, also if others are removed meanwhile.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { z } from 'zod'
import { formatUuid, uuidV7 } from '../../packages/core/src/ids.js'
import { keys } from '../../src/store/redis/keys.js'
import { keyOfOrg, MANY, numbered, onceEach, PAGE, type Row, readAll, world } from '../helpers/long-lists.js'
import { refused } from '../helpers/refusal.js'
import { ndjson, post } from '../helpers/requests.js'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { ask, operator } from '../helpers/trust.js'

t.test('deadlines that pass in one millisecond are all reported and listed, and an NGO sees all of its own', async (t) => {
  const { service, store, nowMs } = await world(t)
  const { headers } = await operator(service)
  const ngo = await keyOfOrg(service, 'helper', ['cases:write'], 'ngo')
  const platform = await keyOfOrg(service, 'platform', ['match'])
  const idBytes = () => Buffer.from(uuidV7(nowMs, randomBytes(10)).replaceAll('-', ''), 'hex')
  const deadlines = numbered((i) => ({ id: idBytes(), isOwn: i % 5 === 0 }))
  const memberOf = (id: Buffer) => `${id.toString('hex')}|${platform.orgId}|my-onsa|assess`
  const own = deadlines.filter(({ isOwn }) => isOwn)
  await store.ask(async (redis) => {
    await redis.zadd(keys.deadlineSchedule, ...deadlines.flatMap(({ id }) => [nowMs - 1000, memberOf(id)]))
    await redis.sadd(keys.contactDeadlines(ngo.orgId), ...own.map(({ id }) => memberOf(id)))
  })
  await service.services.notices.announceOverdue()
  const told = await store.ask((redis) => redis.xrange(keys.events, '-', '+'))
  const toldOf = told.map(([, fields]) => z.object({ signalId: z.string() }).parse(JSON.parse(fields[5] ?? '')).signalId)
  for (const { id } of deadlines) if (!toldOf.includes(formatUuid(id))) return t.fail('a deadline without an event')
  // Overdue for longer than all of those, and of no case of the NGO.
  await store.ask((redis) =>
    redis.zadd(keys.deadlineSchedule, ...numbered(() => [nowMs - 2000, memberOf(idBytes())]).flat()),
  )
  const ownRows = await readAll(t, service, ngo.headers, { url: '/v1/deadlines/overdue/own', name: 'deadlines' })
  onceEach(
    t,
    ownRows,
    'signalId',
    own.map(({ id }) => formatUuid(id)),
  )
  const rows = await readAll(t, service, headers, {
    url: '/v1/deadlines/overdue',
    name: 'deadlines',
    between: ({ signalId }) => {
      const id = Buffer.from(String(signalId).replaceAll('-', ''), 'hex')
      return store.ask((redis) => redis.zrem(keys.deadlineSchedule, memberOf(id)))
    },
  })
  const ids = rows.map(({ signalId }) => signalId)
  t.equal(ids.length, new Set(ids).size)
  t.ok(deadlines.every(({ id }) => ids.includes(formatUuid(id))))

  const events: Row[] = []
  for (let after = ''; ; ) {
    const page = (await ask(service, 'GET', `/v1/events?limit=${PAGE}${after}`, headers)).json<{ events: Row[] }>()
    events.push(...page.events)
    const last = page.events.at(-1)
    if (last === undefined) break
    after = `&after=${String(last['id'])}`
  }
  onceEach(
    t,
    events,
    'id',
    told.map(([id]) => id),
  )
})

t.test('watches that end together are listed once each while some are removed', async (t) => {
  const { service } = await world(t)
  const { headers } = await keyFor(service, 'asker', ['match'])
  const ids: string[] = []
  for (let i = 0; i < MANY; i += 500) {
    const watches = Array.from({ length: 500 }, () => ({ signals: [{ type: 'pdq', hash: randomHashText() }] }))
    const answer = await post(service.app, '/v1/watch', { watches }, headers)
    ids.push(...answer.json<{ watches: { watchId: string }[] }>().watches.map(({ watchId }) => watchId))
  }
  const rows = await readAll(t, service, headers, {
    url: '/v1/watch',
    name: 'watches',
    between: ({ watchId }) => ask(service, 'DELETE', `/v1/watch/${String(watchId)}`, headers),
  })
  onceEach(t, rows, 'watchId', ids)
})

t.test('a page of watches is full and continues at its position, although watches ended or were removed', async (t) => {
  let nowMs = Date.now()
  const service = await startService(t, { now: () => nowMs })
  const { headers } = await keyFor(service, 'asker', ['match'])
  for (const days of [1, 2, 3]) {
    const watches = [1, 2, 3].map((i) => ({
      reference: `${days}.${i}`,
      signals: [{ type: 'pdq', hash: randomHashText() }],
    }))
    await post(service.app, '/v1/watch', { days, watches }, headers)
  }
  const page = async (after = '') => {
    const answer = await ask(service, 'GET', `/v1/watch?limit=2${after}`, headers)
    const { watches, next } = answer.json<{ watches: { watchId: string; reference: string }[]; next: string }>()
    return { watches, references: watches.map(({ reference }) => reference), next: `&after=${next}` }
  }

  const first = await page()
  const [, gone] = first.watches
  await ask(service, 'DELETE', `/v1/watch/${gone?.watchId}`, headers)
  const second = await page(first.next)
  t.equal(new Set([...first.references, ...second.references]).size, 4, 'the watch at the position was removed')
  nowMs += 86_400_000 + 1
  const third = await page(first.next)
  t.same(
    third.references.map((reference) => reference[0]),
    ['2', '2'],
    'the rest of its day has ended: the page is full',
  )
  const fourth = await page(third.next)
  t.same(
    fourth.references.map((reference) => reference[0]),
    ['2', '3'],
  )
  refused(
    t,
    await ask(service, 'GET', `/v1/watch?after=${gone?.watchId}`, headers),
    'request-invalid',
    'an id is no position',
  )
})

t.test('signals with equal times come once each in disputes, quarantine, feed and export', async (t) => {
  const { service, store, nowMs, images } = await world(t)
  const owner = await operator(service)
  const reader = await keyFor(service, 'reader', ['feed', 'signals:write', 'match'])
  await post(service.app, '/v1/banks', { name: 'mine' }, owner.headers)
  const hashes = numbered(randomHashText)
  const lines = hashes.map((hash) => `${JSON.stringify({ type: 'pdq', hash })}\n`).join('')
  t.equal((await ndjson(service.app, 'mine', lines, owner.headers)).statusCode, 201)
  const all: Buffer[] = []
  for await (const found of images.all(() => t.fail()))
    for (const { id } of found) all.push(Buffer.from(id.replaceAll('-', ''), 'hex'))
  t.equal(all.length, MANY)
  for (const list of ['disputes', 'quarantine'] as const) {
    await store.ask((redis) => redis.zadd(keys[list], ...all.flatMap((id) => [nowMs, id])))
    const rows = await readAll(t, service, owner.headers, {
      url: `/v1/${list}`,
      name: 'signals',
      between: ({ signalId }) =>
        store.ask((redis) => redis.zrem(keys[list], Buffer.from(String(signalId).replaceAll('-', ''), 'hex'))),
    })
    onceEach(
      t,
      rows,
      'signalId',
      all.map((id) => formatUuid(id)),
    )
  }

  const held: string[] = []
  for (let after = ''; ; ) {
    const answer = await ask(service, 'GET', `/v1/feed?limit=${PAGE}${after}`, reader.headers)
    const rows = answer.body
      .trim()
      .split('\n')
      .map((line): Row => JSON.parse(line))
    const upserts = rows.filter(({ op }) => op === 'upsert')
    held.push(...upserts.map(({ id }) => String(id)))
    const cursor = rows.at(-1)
    if (cursor?.['more'] !== true) break
    after = `&after=${String(cursor['cursor'])}`
  }
  t.equal(held.length, MANY)
  t.equal(new Set(held).size, MANY)

  const order = { format: 'ndjson', plain: true }
  const file = await ask(
    service,
    'POST',
    '/v1/banks/mine/exports',
    (await keyFor(service, 'operator', ['feed', 'signals:write'], 'operator')).headers,
    order,
  )
  const exported = file.body.trim().split('\n')
  for (const hash of hashes)
    if (exported.filter((line) => line.includes(hash)).length !== 1) return t.fail(file.body.slice(0, 200))
})

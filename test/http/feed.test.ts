// The feed: what a follower gets, what it never gets, and what it cannot ask.

import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import type { Scope } from '../../src/domain/organisations/access.js'
import { follower, linesIn, readFeed } from '../helpers/feed.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { del, redisOf, silent } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, type TestService, until } from '../helpers/service.js'
import { ask, caseWithPicture, matchIdOf, operator } from '../helpers/trust.js'

const FOLLOWER: readonly Scope[] = ['feed', 'match']

async function world(t: Test) {
  const service = await startService(t)
  const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  await ask(service, 'POST', '/v1/banks', ngo.headers, { name: 'mine' })
  return { service, ngo, admin: await operator(service), reader: await keyFor(service, 'reader', FOLLOWER) }
}

async function handIn(service: TestService, headers: Record<string, string>, signals: object[], bank = 'mine') {
  const answer = await ask(service, 'POST', `/v1/banks/${bank}/signals`, headers, { signals })
  return answer.json<{ signals: { signalId: string }[] }>().signals.map(({ signalId }) => signalId)
}

const brief = (lines: ReturnType<typeof linesIn>) =>
  lines.flatMap((line) => {
    if (line.op === 'cursor') return []
    return 'id' in line ? [`${line.op} ${line.op === 'upsert' ? line.signals[0]?.hash : line.id}`] : [line.op]
  })

t.test('a follower gets a snapshot, then each change, withdrawals first', async (t) => {
  const { service, ngo, admin, reader } = await world(t)
  const hers = await caseWithPicture(service)
  const hash = randomHashText()
  const [signalId] = await handIn(service, ngo.headers, [{ type: 'pdq', hash, category: 'nude', ref: MARKER }])
  await handIn(service, admin.headers, [{ type: 'pdq', hash: randomHashText() }], 'harmless')

  const first = await readFeed(service, reader.headers)
  t.same(
    brief(first).sort(),
    ['snapshot-begin', 'snapshot-end', ...[hers.hash, hash].map((one) => `upsert ${one}`)].sort(),
    'every image, without the allowlist',
  )
  t.notMatch(JSON.stringify(first), new RegExp(`${MARKER}|${signalId}|${hers.imageId}`), 'no reference and no internal id')
  const ofHers = first.find((line) => line.op === 'upsert' && line.signals[0]?.hash === hers.hash)
  const herId = await matchIdOf(service, reader.headers, hers.hash)
  t.match(ofHers, { id: herId, bank: 'cases', tier: 'self-reported', category: null, disputed: false })
  const his = follower()
  t.notOk(his.hear(first), 'one page holds everything')
  const redis = await redisOf(t, service)
  const noted = async () =>
    [
      ...(await redis.lrange('{tabir}:audit-due', '0', '-1')),
      ...(await redis.xrange('{tabir}:audit', '-', '+')).flat(2),
    ].join()
  const read = `"by":"key:${reader.keyId}"`
  await until(async () => (await noted()).includes(`{"act":"feed.read",${read}`))
  t.match(await noted(), `{"act":"feed.snapshot",${read}`, 'the snapshot is audited')

  const next = async () => {
    const lines = await readFeed(service, reader.headers, `?after=${his.cursor()}`)
    his.hear(lines)
    return brief(lines)
  }
  t.same(await next(), [], 'nothing is repeated')
  const id = await matchIdOf(service, reader.headers, hash)

  await ask(service, 'POST', `/v1/signals/${signalId}/quarantine`, admin.headers)
  t.same(await next(), [`tombstone ${id}`], 'in quarantine')
  await ask(service, 'DELETE', `/v1/signals/${signalId}/quarantine`, admin.headers)
  t.same(await next(), [`upsert ${hash}`], 'released')
  await ask(service, 'POST', `/v1/signals/${signalId}/dispute`, admin.headers, { reason: 'other' })
  const disputed = await readFeed(service, reader.headers, `?after=${his.cursor()}`)
  t.match(disputed[0], { op: 'upsert', disputed: true })
  his.hear(disputed)
  await ask(service, 'POST', `/v1/signals/${signalId}/dispute/decision`, admin.headers, { outcome: 'upheld' })
  t.same(await next(), [`tombstone ${id}`], 'invalidated')

  const late = randomHashText()
  await handIn(service, ngo.headers, [{ type: 'pdq', hash: late }])
  await del(service.app, hers.url, hers.headers)
  t.same(await next(), [`tombstone ${herId}`, `upsert ${late}`], 'a withdrawal precedes earlier changes')
  t.equal(his.held.size, 1)
  const lateId = await matchIdOf(service, reader.headers, late)
  const removed = await handIn(service, ngo.headers, [{ type: 'pdq', hash: late }])
  await del(service.app, `/v1/banks/mine/signals/${removed[0]}`, ngo.headers)
  t.same(await next(), [`tombstone ${lateId}`], 'a signal that was resubmitted and removed is a tombstone only')

  const other = await keyFor(service, 'other', FOLLOWER)
  const ids = (lines: ReturnType<typeof linesIn>) => lines.flatMap((line) => ('id' in line ? [line.id] : []))
  await handIn(service, ngo.headers, [{ type: 'pdq', hash: late }])
  t.not(
    ids(await readFeed(service, reader.headers))[0],
    ids(await readFeed(service, other.headers))[0],
    'ids differ for each follower',
  )
})

t.test('the order of the feed does not show which pictures belong to one case', async (t) => {
  const { service, reader } = await world(t)
  const start = await readFeed(service, reader.headers)
  const cursor = start.at(-1)
  const [a, b] = [await openCase(service.app), await openCase(service.app)]
  for (const { url, headers } of [a, b]) {
    const images = Array.from({ length: 8 }, () => ({ signals: [{ type: 'pdq', hash: randomHashText(), quality: 80 }] }))
    await ask(service, 'POST', `${url}/hashes`, headers, { images })
  }
  t.ok(cursor?.op === 'cursor')
  const lines = await readFeed(service, reader.headers, `?after=${cursor?.op === 'cursor' ? cursor.cursor : ''}`)
  const ids = lines.flatMap((line) => (line.op === 'upsert' ? [line.id] : []))
  t.equal(ids.length, 16)
  t.same(ids, [...ids].sort(), 'in the order of their random ids')
})

t.test('an image that changed several times is sent once, at its last change, with pages of one line', async (t) => {
  const { service, ngo, admin, reader } = await world(t)
  const his = follower()
  his.hear(await readFeed(service, reader.headers))
  const hash = randomHashText()
  const [signalId] = await handIn(service, ngo.headers, [{ type: 'pdq', hash }])
  await handIn(service, ngo.headers, [{ type: 'pdq', hash: randomHashText() }])
  await ask(service, 'POST', `/v1/signals/${signalId}/verification`, admin.headers)
  await ask(service, 'POST', `/v1/signals/${signalId}/dispute`, admin.headers, { reason: 'other' })
  const told: string[] = []
  for (let more = true, pages = 0; more && pages < 10; pages++) {
    const lines = await readFeed(service, reader.headers, `?limit=1&after=${his.cursor()}`)
    more = his.hear(lines)
    told.push(...brief(lines))
  }
  t.equal(told.length, 2)
  t.equal(told.at(-1), `upsert ${hash}`, 'at its last change')
})

t.test('a follower can filter by banks, categories and tiers', async (t) => {
  const { service, ngo, admin, reader } = await world(t)
  await ask(service, 'POST', '/v1/banks', ngo.headers, { name: 'other' })
  const [nude, plain, elsewhere] = [randomHashText(), randomHashText(), randomHashText()]
  const [signalId] = await handIn(service, ngo.headers, [{ type: 'pdq', hash: nude, category: 'nude' }])
  await handIn(service, ngo.headers, [{ type: 'pdq', hash: plain }])
  await handIn(service, ngo.headers, [{ type: 'pdq', hash: elsewhere, category: 'nude' }], 'other')
  const asked = async (query: string) =>
    brief(await readFeed(service, reader.headers, query)).filter((line) => line.startsWith('upsert'))
  t.same(await asked('?banks=other'), [`upsert ${elsewhere}`])
  t.same(await asked('?banks=mine&categories=nude,composite'), [`upsert ${nude}`])
  t.same(await asked('?tiers=verified,platform-confirmed'), [])

  const his = follower()
  his.hear(await readFeed(service, reader.headers, '?banks=mine&tiers=ngo-attested'))
  t.equal(his.held.size, 2)
  await handIn(service, ngo.headers, [{ type: 'pdq', hash: randomHashText() }], 'other')
  await ask(service, 'POST', `/v1/signals/${signalId}/verification`, admin.headers)
  const after = await readFeed(service, reader.headers, `?banks=mine&tiers=ngo-attested&after=${his.cursor()}`)
  t.match(
    after,
    [{ op: 'tombstone' }, { op: 'cursor' }],
    'a tombstone for the signal that left the tier, nothing of other banks',
  )
})

t.test('a bank is in the feed of its readers only, as soon as its owner changes them', async (t) => {
  const { service, ngo, reader } = await world(t)
  const hash = randomHashText()
  await handIn(service, ngo.headers, [{ type: 'pdq', hash }])
  const his = follower()
  his.hear(await readFeed(service, reader.headers))
  t.equal(his.held.size, 1)
  const readBy = (readers: string[] | null) =>
    service.app.inject({ method: 'PATCH', url: '/v1/banks/mine', headers: ngo.headers, payload: { readers } })
  const next = async () => {
    const lines = await readFeed(service, reader.headers, `?after=${his.cursor()}`)
    his.hear(lines)
    return brief(lines)
  }
  await readBy([])
  t.match(await next(), [/^tombstone/], 'no longer readable')
  await handIn(service, ngo.headers, [{ type: 'pdq', hash: randomHashText() }])
  t.same(await next(), [], 'nothing of signals that are added later')
  t.same(brief(await readFeed(service, reader.headers)), ['snapshot-begin', 'snapshot-end'])
  await readBy(['reader'])
  t.equal((await next()).length, 2, 'readable again, with the signal added meanwhile')
  t.equal(his.held.size, 2)
})

t.test('a cursor is valid for its own key and filter only', async (t) => {
  const { service, reader } = await world(t)
  const his = follower()
  his.hear(await readFeed(service, reader.headers, '?banks=mine'))
  const cursor = his.cursor() ?? ''
  const other = await keyFor(service, 'other', FOLLOWER)
  const get = (query: string, headers: Record<string, string> = reader.headers) =>
    service.app.inject({ url: `/v1/feed?${query}`, headers })
  t.equal((await get(`banks=mine&after=${cursor}`)).statusCode, 200)
  refused(t, await get(`after=${cursor}`), 'cursor-unknown', 'without its filter')
  refused(t, await get(`banks=mine,cases&after=${cursor}`), 'cursor-unknown', 'with another filter')
  refused(t, await get(`banks=mine&after=${cursor}`, other.headers), 'cursor-unknown', 'of another organisation')
  const forged = (cursor.startsWith('A') ? 'B' : 'A') + cursor.slice(1)
  for (const after of [forged, cursor.slice(1), `${cursor}A`, MARKER, '', '0', '9'.repeat(64)])
    refused(t, await get(`banks=mine&after=${after}`), 'cursor-unknown', after)
  const events = { ...reader.headers, accept: 'text/event-stream', 'last-event-id': MARKER }
  refused(t, await get('banks=mine', events), 'cursor-unknown', 'of an event')
  for (const query of ['limit=0', 'limit=10001', 'wait=61', 'wait=x', 'banks=', `tiers=${MARKER}`, `${MARKER}=1`])
    refused(t, await get(query), 'request-invalid', query)
  silent(t, service)
})

t.test('a store that lost its last change gives the follower a snapshot', async (t) => {
  const { service, ngo, reader } = await world(t)
  const his = follower()
  await handIn(service, ngo.headers, [{ type: 'pdq', hash: randomHashText() }])
  his.hear(await readFeed(service, reader.headers))
  const { Redis } = await import('ioredis')
  const redis = new Redis(service.redis.socket)
  t.teardown(() => redis.disconnect())
  const last = await redis.get('{tabir}:revision')
  // A change that the process has not applied would not be missed, but awaited.
  await until(
    async () => (await service.app.inject('/health/ready')).json<{ revision?: number }>().revision === Number(last),
  )
  // In one step with all that names its revision, as a store loses it. Else the process would wait for the change.
  await redis
    .multi()
    .xdel('{tabir}:changes', `${last}-0`)
    .set('{tabir}:revision', Number(last) - 1)
    .zremrangebyscore('{tabir}:feed-batches', Number(last), '+inf')
    .exec()
  let lines: ReturnType<typeof linesIn> = []
  // The process may notice the loss first; it answers 503 while it reloads.
  await until(async () => {
    const { statusCode, body } = await service.app.inject({ url: `/v1/feed?after=${his.cursor()}`, headers: reader.headers })
    if (statusCode === 200) lines = linesIn(body)
    return statusCode === 200
  })
  t.match(lines, [{ op: 'snapshot-begin' }, { op: 'upsert' }, { op: 'snapshot-end' }, { op: 'cursor' }])
})

t.test('a waiting follower gets the first change of the feed at once', async (t) => {
  const { service, ngo, reader } = await world(t)
  const his = follower()
  his.hear(await readFeed(service, reader.headers))
  const waiting = readFeed(service, reader.headers, `?wait=30&after=${his.cursor()}`)
  const hash = randomHashText()
  await keyFor(service, 'somebody', ['match']) // a change that is not in the feed
  await handIn(service, ngo.headers, [{ type: 'pdq', hash }])
  t.same(brief(await waiting), [`upsert ${hash}`])
  t.same(brief(await readFeed(service, reader.headers, `?wait=1&after=${his.cursor()}&limit=1`)), [`upsert ${hash}`])
})

t.test('feed events arrive live, resume after the last id, and end when the process stops', async (t) => {
  const { service, ngo, reader } = await world(t)
  const address = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const listen = async (after?: string) => {
    const request = get(`${address}/v1/feed`, {
      headers: { ...reader.headers, accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) },
      agent: false,
    })
    request.on('error', () => {})
    t.teardown(() => request.destroy())
    const [response]: IncomingMessage[] = await once(request, 'response')
    const heard = { text: '', hasEnded: false, type: response?.headers['content-type'] }
    response
      ?.setEncoding('utf8')
      .on('data', (text: string) => {
        heard.text += text
      })
      .on('error', () => {})
      .on('end', () => {
        heard.hasEnded = true
      })
    return { heard, kinds: () => [...heard.text.matchAll(/^event: (.*)$/gm)].map(([, kind]) => kind), request }
  }
  const first = await listen()
  await until(() => first.kinds().length === 3)
  t.same(first.kinds(), ['snapshot-begin', 'snapshot-end', 'cursor'])
  t.match(first.heard.type, 'text/event-stream')
  const place = /^id: (.*)$/m.exec(first.heard.text)?.[1]
  await handIn(service, ngo.headers, [{ type: 'pdq', hash: randomHashText() }])
  await until(() => first.kinds().length === 5)
  t.same(first.kinds().slice(3), ['upsert', 'cursor'])
  first.request.destroy()

  const second = await listen(place)
  await until(() => second.kinds().length === 2)
  t.same(second.kinds(), ['upsert', 'cursor'], 'resumes after the last event')
  const closing = service.app.close()
  await until(() => second.heard.hasEnded)
  await closing
})

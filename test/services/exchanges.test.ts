// Pulling feeds: failures, restarts, limits, and what an operator sees.

import t from 'tap'
import { exchangesIn } from '../../src/exchange/exchange-config.js'
import { createExchangeStore, type ExchangeState } from '../../src/store/exchange/exchanges.js'
import { openStore } from '../../src/store/redis/client.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import type { StandInAnswer } from '../helpers/stand-in.js'
import { startPulledFeeds } from './pulled-feeds.js'

const { standIn, asked, ready } = startPulledFeeds(t)
const hashes = Array.from({ length: 40 }, randomHashText)

t.test(
  'a feed that fails keeps its position; a stale token, a page loop or an early mark does not mislead a pull',
  async (t) => {
    const { pull, found } = await ready
    const page = (hash: string, token: string | null, more: object = {}) => ({
      body: {
        count: 1,
        nextSetTimestamp: 1_700_000_000,
        nextPageToken: token,
        hasMoreRecords: token !== null,
        hashRecords: [{ signalType: 'ImagePDQ', hashValue: hash, hashStatus: 'Active' }],
        ...more,
      },
    })
    const [one = '', two = '', three = ''] = hashes.slice(4)
    t.match(await pull('stopncii', { status: 401, body: '' }), { state: 'failed', failure: 'credentials-rejected' })
    t.match(await pull('stopncii', { body: '<html>' }), { state: 'failed', failure: 'response-invalid' })
    t.match(await pull('stopncii', page(one, 'next'), { status: 400, body: '' }, { status: 400, body: '' }), {
      state: 'failed',
      failure: 'request-rejected',
    })
    t.same(await found(one), [1], 'earlier pages are applied')
    const resumed = await pull('stopncii', { status: 404, body: 'your token is old' }, page(two, null))
    t.match(resumed, { state: 'waiting', failure: undefined })
    t.match([asked[0]?.url, asked[1]?.url], [/nextPageToken=next/, /^(?!.*nextPageToken)/])
    t.match(await pull('stopncii', page(three, 'round'), page(three, 'round'), page(three, 'round')), {
      failure: 'pages-repeat',
    })
    t.ok(asked.length <= 3)
    t.match(await pull('stopncii', { status: 503, body: '', headers: { 'retry-after': '1' } }, page(three, null)), {
      state: 'waiting',
    })
  },
)

t.test('a bank that is made again under its name is filled from the beginning', async (t) => {
  const { base } = await ready
  const clock = { nowMs: Date.now() }
  const configs = [
    { name: 'again', api: 'stopncii', baseUrl: `${base}/v1`, functionKey: 'f', subscriptionKey: 's', bank: 'again' },
  ]
  const feeds = exchangesIn(JSON.stringify({ exchanges: configs }))
  const service = await startService(t, { exchanges: feeds, now: () => clock.nowMs })
  const { headers, key } = await keyFor(service, 'operator', ['signals:write', 'match', 'admin'], 'operator')
  const caller = service.services.identify(key)
  if (caller === undefined) throw new Error('a key is known once it is made')
  const make = () => service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'again' } })
  const body = { count: 0, nextSetTimestamp: 1_700_000_000, nextPageToken: null, hasMoreRecords: false, hashRecords: [] }
  const pull = async () => {
    asked.length = 0
    standIn.answerWith({ body })
    await service.services.exchanges.pull('again')
    return asked[0]?.url
  }
  await make()
  t.match(await pull(), /startTimestamp=10&/)
  t.match(await pull(), /startTimestamp=1700000000&/)
  await service.services.banks.remove(caller, 'again')
  clock.nowMs += 20_000
  await until(async () => (await make()).statusCode === 201)
  t.match(await pull(), /startTimestamp=10&/)
})

t.test('a feed not read for longer than it reports deletions is read anew, and missing records are removed', async (t) => {
  const [kept = '', gone = '', fresh = '', other = ''] = hashes.slice(24)
  const clock = { nowMs: Date.now() }
  const base = await ready.then(({ base }) => base)
  const config = {
    api: 'threatexchange',
    name: 'old',
    bank: 'OLD',
    baseUrl: `${base}/v21.0`,
    privacyGroup: '78',
    accessToken: 'x',
  }
  const service = await startService(t, {
    now: () => clock.nowMs,
    exchanges: exchangesIn(JSON.stringify({ exchanges: [config] })),
  })
  const { headers } = await keyFor(service, 'operator', ['signals:write', 'match'], 'operator')
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'OLD' } })
  const found = async (...asked: string[]) => {
    const payload = { queries: asked.map((hash) => ({ signals: [{ type: 'pdq', hash }] })) }
    const response = await service.app.inject({ method: 'POST', url: '/v1/match', headers, payload })
    return response.json<{ results: { matches: unknown[] }[] }>().results.map(({ matches }) => matches.length)
  }
  const update = (id: string, indicator: string) => ({
    id,
    indicator,
    type: 'HASH_PDQ',
    last_updated: 1_700_000_100,
    descriptors: { data: [{ id: '1', owner: { id: '2' }, status: 'MALICIOUS', tags: [], reactions: [] }] },
  })
  const pull = async (...pages: StandInAnswer[]) => {
    asked.length = 0
    standIn.answerWith(...pages)
    return (await service.services.exchanges.pull('old')).progress
  }
  const more = { next: `${base}/v21.0/78/threat_updates/?limit=100&after=QVFI` }
  await service.app.inject({
    method: 'POST',
    url: '/v1/banks/OLD/signals',
    headers,
    payload: { signals: [{ type: 'pdq', hash: other }] },
  })
  await pull({ body: { data: [update('1', kept), update('2', gone)] } })
  clock.nowMs += 80 * 86_400_000
  await pull({ body: { data: [] } })
  t.match(asked[0]?.url, /start_time=/, 'as long as deletions are reported, it continues at its position')
  t.same(await found(kept, gone), [1, 1])

  clock.nowMs += 86 * 86_400_000
  t.match(
    await pull({ body: { data: [update('3', fresh)], paging: more } }, { status: 400, body: '' }, { status: 400, body: '' }),
    {
      state: 'failed',
    },
  )
  t.notMatch(asked[0]?.url, /start_time=/)
  t.same(await found(kept, gone, fresh), [1, 1, 1], 'half a pass removes nothing')
  t.match(await pull({ body: { data: [update('1', kept)] } }), { state: 'waiting', removed: 1 })
  t.match(asked[0]?.url, /after=QVFI/, 'the pass continues')
  t.same(await found(kept, gone, fresh, other), [1, 0, 1, 1], 'signals that people added to the same bank stay')
  t.match(await pull({ body: { data: [] } }), { removed: 1 }, 'removed once')
  t.match(asked[0]?.url, /start_time=/)
  t.same(await found(kept, fresh), [1, 1])
})

t.test('a page that is too costly to parse is refused before it is parsed', async (t) => {
  const { pull } = await ready
  const stopncii = (records: string) => ({ body: `{"nextSetTimestamp":1700000001,"hashRecords":[${records}]}` })
  const many = (unit: string, count: number) => unit.repeat(count).slice(0, -1)
  const tagged = (tags: string) =>
    `{"data":[{"id":"1","indicator":"x","type":"y","descriptors":{"data":[{"tags":${tags}}]}}]}`
  const costly: Readonly<Record<string, readonly [feed: string, page: StandInAnswer]>> = {
    'a million empty records': ['stopncii', stopncii(many('{},', 1_000_000))],
    'names in one record': ['stopncii', stopncii(`{${many('"a":1,', 300_000)}}`)],
    'lists in lists': ['stopncii', stopncii('['.repeat(100_000) + ']'.repeat(100_000))],
    'tags in tags': ['threatexchange', { body: tagged('['.repeat(20_000) + ']'.repeat(20_000)) }],
    'more records than fit on a page': ['stopncii', stopncii(many('1,', 20_000))],
    elements: ['ncmec', { body: `<r>${'<a/>'.repeat(300_000)}</r>` }],
    attributes: ['ncmec', { body: `<r ${Array.from({ length: 210_000 }, (_, i) => `a${i}=""`).join(' ')}/>` }],
    'more bytes than a page has': ['stopncii', stopncii(`"${'x'.repeat(9 << 20)}"`)],
  }
  for (const [name, [feed, page]] of Object.entries(costly))
    t.match(await pull(feed, page), { state: 'failed', failure: 'response-invalid' }, name)
})

t.test('a slow feed without an end gives other feeds their turn and continues in the next pull', async (t) => {
  const clock = { nowMs: Date.now() }
  const { base } = await ready
  const config = { api: 'stopncii', name: 'slow', bank: 'slow', baseUrl: base, functionKey: 'fk', subscriptionKey: 'sk' }
  const exchanges = exchangesIn(JSON.stringify({ exchanges: [config] }))
  const service = await startService(t, { exchanges, now: () => clock.nowMs })
  const { headers } = await keyFor(service, 'operator', ['signals:write'], 'operator')
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'slow' } })
  const pages = Array.from({ length: 30 }, (_, i) => ({
    body: {
      toJSON() {
        clock.nowMs += 60_000
        return { nextSetTimestamp: 1, nextPageToken: `page ${i}`, hasMoreRecords: true, hashRecords: [] }
      },
    },
  }))
  const pull = async () => (await service.services.exchanges.pull('slow')).progress
  standIn.answerWith(...pages)
  t.match(await pull(), { state: 'pulling', failure: undefined, pages: 10 })
  asked.length = 0
  t.match(await pull(), { pages: 20 })
  t.match(asked[0]?.url, /nextPageToken=page\+9/)
})

t.test('an operator sees the state of feeds and requests a pull, which the queue runs; other callers do not', async (t) => {
  const { service, headers } = await ready
  const { app } = service
  const list = await app.inject({ url: '/v1/exchanges', headers })
  t.match(list.json(), { exchanges: [{ name: 'stopncii', bank: 'stopncii', intervalS: 300, state: String }, {}, {}, {}] })
  refused(t, await app.inject({ method: 'POST', url: '/v1/exchanges/nobody/pulls', headers }), 'exchange-unknown')
  const before = await service.services.exchanges.report('tat')
  const begunAtMs = Date.now()
  standIn.answerWith() // so that each scheduled pull ends at once
  service.services.beginPulling()
  await until(async () => {
    const all = await service.services.exchanges.list()
    return all.every(({ progress }) => progress?.state === 'failed' && progress.startedAtMs >= begunAtMs)
  })
  standIn.answerWith({ body: { token: 't' } }, { body: { next: null, checkpoint: '9,9', results: [] } })
  const asked = await app.inject({ method: 'POST', url: '/v1/exchanges/tat/pulls', headers })
  t.equal(asked.statusCode, 202, asked.body)
  const pages = before.progress?.pages ?? 0
  await until(async () => ((await service.services.exchanges.report('tat')).progress?.pages ?? 0) > pages)
  const acts = async () => (await app.inject({ url: '/v1/audit?limit=1000', headers })).body
  await until(async () => (await acts()).includes('"exchange.pull-asked"'))
  t.equal((await acts()).split('"exchange.pull-asked"').length, 2, 'once, and not for an unknown feed')
  const stranger = await keyFor(service, 'stranger', ['match', 'signals:write'])
  refused(t, await app.inject({ url: '/v1/exchanges', headers: stranger.headers }), 'scope-missing')
})

t.test('of two pulls of one feed, the older one writes nothing more', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const exchanges = createExchangeStore(store)
  const older = await exchanges.begin('feed', 'older')
  const progress = {
    state: 'pulling',
    startedAtMs: 1,
    updatedAtMs: 1,
    pages: 0,
    accepted: 0,
    removed: 0,
    refused: 0,
  } as const
  const state = (position: string): ExchangeState => ({
    identity: 'i',
    place: { position, highest: position },
    progress: { ...progress, failure: undefined, caughtUpAtMs: undefined, rejectedFor: {} },
  })
  await exchanges.save('feed', older, state('1'), [])
  const newer = await exchanges.begin('feed', 'newer')
  await exchanges.save('feed', newer, state('3'), [])
  await t.rejects(exchanges.save('feed', older, state('2'), []), { code: 'idempotency-key-busy' })
  t.match(await exchanges.get('feed'), { place: { position: '3' } })
})

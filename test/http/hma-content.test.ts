// Content in the HMA interface: ids, notes, metadata; and HMA features that Tabir does not have.

import t from 'tap'
import { DEFAULT_FRESHNESS } from '../../src/services/index/readiness.js'
import { HMA_SCOPES, hmaClient, hmaWorld } from '../helpers/hma.js'
import { MARKER } from '../helpers/refusal.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { ask, operator } from '../helpers/trust.js'

t.test('content has an id, a note and an end of its disabling; invalid values get the errors of HMA', async (t) => {
  const { service, hma } = await hmaWorld(t)
  const hash = randomHashText()
  const url = '/c/bank/MINE/signal'
  const made = await hma('POST', url, { pdq: hash, note: 'seen twice' })
  const { id } = made.body as { id: number }
  t.match(made, { status: 200, body: { id: Number, signals: { pdq: hash } } })
  t.ok(Number.isSafeInteger(id))
  t.same(
    (await hma('POST', url, { pdq: hash, note: 'seen twice' })).body,
    made.body,
    'adding it again gives the same content',
  )
  const content = `/c/bank/MINE/content/${id}`
  t.same((await hma('GET', content)).body, {
    id,
    disable_until_ts: 1,
    original_media_uri: null,
    bank: { name: 'MINE', matching_enabled_ratio: 1 },
    note: 'seen twice',
  })
  const withSignals = `${content}?include_signals=true`
  t.match(
    await hma('GET', withSignals),
    { status: 403, body: { message: String, signals: undefined } },
    'signals:write does not allow reading signals',
  )
  const reader = await keyFor(service, 'platform', [...HMA_SCOPES, 'feed'])
  t.match((await hmaClient(service, reader.headers)('GET', withSignals)).body, { signals: { pdq: hash } })
  const { headers: admin } = await operator(service)
  const told = `"act":"feed.read","by":"key:${reader.keyId}"`
  await until(async () => (await ask(service, 'GET', '/v1/audit', admin)).body.includes(told))
  t.same((await hma('PUT', content, { note: 'once more' })).body, {
    id,
    disable_until_ts: 1,
    collab_metadata: {},
    original_media_uri: null,
    bank: { name: 'MINE', matching_enabled_ratio: 1 },
    user_metadata: null,
    note: 'once more',
  })
  t.match((await hma('GET', content)).body, { note: 'once more' })
  await hma('PUT', content, { note: '' })
  t.notOk('note' in Object((await hma('GET', content)).body))

  const refusals: [object, RegExp][] = [
    [{}, /^No signals given/],
    [{ tmk: 'x' }, /^No such signal type/],
    [{ video_md5: 'x' }, /^Invalid video_md5 signal: not a valid MD5 hash/],
    [{ pdq: hash, video_md5: MARKER }, /^Invalid video_md5 signal/],
    [{ vpdq: '[]' }, /^Invalid vpdq signal: invalid VpdqCompactFeature serialization/],
    [{ pdq: hash.slice(32) }, /^Invalid pdq signal: invalid PDQ hash/],
    [{ pdq: hash.toUpperCase() }, /^Invalid pdq signal/],
    [{ pdq: 5 }, /^Invalid pdq signal/],
    [{ pdq: hash, note: 7 }, /^note should be a string/],
    [{ pdq: hash, note: 'x'.repeat(256) }, /^note must be at most 255 characters/],
  ]
  for (const [body, message] of refusals) t.match(await hma('POST', url, body), { status: 400, body: { message } })
  for (const [untilTs, message] of [
    [-1, /non-negative/],
    [9_999_999_999, /less than 5 years/],
    ['x', /^Invalid int/],
    ['1.5', /^Invalid int/],
    [null, /^Invalid int/],
    [true, /^Invalid int/],
  ] as const)
    t.match(await hma('PUT', content, { disable_until_ts: untilTs }), { status: 400, body: { message } })
  t.match(
    (await hma('PUT', content, { disable_until_ts: 1.9 })).body,
    { disable_until_ts: 1 },
    'truncated as Python’s int() does',
  )
  await hma('POST', '/c/banks', { name: 'ELSEWHERE' })
  const elsewhere = `/c/bank/ELSEWHERE/content/${id}`
  t.equal((await hma('GET', elsewhere)).status, 404, 'content is found in its own bank only')
  t.equal((await hma('PUT', elsewhere, { disable_until_ts: 0 })).status, 404)
  t.same((await hma('DELETE', elsewhere)).body, { deleted: 0 })
  for (const other of ['1', '0', 'x', '9'.repeat(30), '-1', '1.5']) {
    t.equal((await hma('GET', `/c/bank/MINE/content/${other}`)).status, 404, other)
    t.equal((await hma('PUT', `/c/bank/MINE/content/${other}`, {})).status, 404, other)
    t.match(await hma('DELETE', `/c/bank/MINE/content/${other}`), { status: 200, body: { deleted: 0 } })
  }
  t.equal((await hma('POST', '/c/bank/NO_SUCH/signal', { pdq: hash })).status, 404)
  t.match(await hma('POST', '/c/bank/MINE/content', {}), { status: 400, body: { message: /^Neither `url` nor multipart/ } })
  t.match(await hma('POST', '/c/bank/MINE/content?url=https://example.org/'), { status: 403 })
  t.match(await hma('POST', url, '{"pdq":', { 'content-type': 'application/json' }), {
    status: 400,
    body: { message: String },
  })
})

t.test('HMA features that Tabir lacks are answered as by an HMA server without them', async (t) => {
  const { service, key, hma } = await hmaWorld(t)
  t.same(await hma('GET', '/c/exchanges/apis'), { status: 200, body: [] })
  t.same(await hma('GET', '/c/exchanges'), { status: 200, body: [] })
  t.match(await hma('GET', '/c/exchanges/api/ncmec'), { status: 400, body: { message: /^no such Exchange API/ } })
  t.match(await hma('POST', '/c/exchanges/api/ncmec', { credential_json: {} }), { status: 400 })
  t.match(await hma('GET', '/c/exchanges/api/ncmec/schema'), { status: 404 })
  t.match(await hma('POST', '/c/exchanges', { bank: 'X', api: 'ncmec', api_json: {} }), { status: 400 })
  t.match(await hma('GET', '/c/exchange/X'), { status: 404 })
  t.match(await hma('GET', '/c/exchange/X/status'), { status: 404 })
  t.match(await hma('PUT', '/c/exchange/X', { enabled: true }), { status: 404 })
  t.match(await hma('DELETE', '/c/exchange/X'), { status: 200, body: { message: 'Exchange deleted' } })
  t.same((await hma('GET', '/c/signal_type')).body, [
    { name: 'pdq', enabled_ratio: 1 },
    { name: 'video_md5', enabled_ratio: 1 },
    { name: 'vpdq', enabled_ratio: 1 },
  ])
  t.equal((await hma('PUT', '/c/signal_type/pdq', { enabled_ratio: 1 })).status, 204)
  t.equal((await hma('PUT', '/c/signal_type/pdq', { enabled_ratio: 0 })).status, 403)
  t.match((await hma('GET', '/c/signal_type/index')).body, {
    pdq: { db_size: Number, index_out_of_date: false },
    video_md5: { db_size: Number },
    vpdq: { db_size: Number },
  })
  t.same((await hma('GET', '/c/content_type')).body, [
    { name: 'photo', enabled: true },
    { name: 'video', enabled: true },
  ])

  const open = hmaClient(service, {})
  t.same(await open('GET', '/status'), { status: 200, body: 'I-AM-ALIVE' })
  t.same(await open('GET', '/status/live'), { status: 200, body: 'I-AM-ALIVE' })
  const map = (await open('GET', '/site-map')).body
  if (!Array.isArray(map)) throw new Error('a site map is a list')
  t.ok(map.includes('/m/lookup') && map.includes('/c/bank/<bank_name>/content/<int:content_id>'))
  t.same(map, [...map].sort(), 'sorted like HMA')
  t.same((await open('GET', '/hma/whatever/site-map')).body, map)

  const cold = await startService(t, { redis: service.redis, hydrated: false })
  t.same(await hmaClient(cold, {})('GET', '/status'), { status: 503, body: 'INDEX-NOT-LOADED' })
  t.same(await hmaClient(cold, {})('GET', '/status/live'), { status: 200, body: 'I-AM-ALIVE' })
  const early = hmaClient(cold, key.headers)
  for (const url of [`/m/lookup?signal_type=pdq&signal=${randomHashText()}`, '/m/index/status'])
    t.match(await early('GET', url), { status: 503, body: { message: 'index not yet ready' } })

  const impatient = hmaClient(await startService(t, { redis: service.redis, freshness: DEFAULT_FRESHNESS }), {})
  await service.redis.server.stop()
  await until(async () => (await impatient('GET', '/status')).body === 'INDEX-STALE')
})

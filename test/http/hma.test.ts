// HMA's routes, row by row: withdrawals first, then who may what, then every answer that a client could notice.

import t, { type Test } from 'tap'
import { hmaClient, Lookup } from '../helpers/hma.js'
import { MARKER } from '../helpers/refusal.js'
import { forged, silent, withTypo } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, until, withBitsFlipped } from '../helpers/service.js'
import { ask, operator } from '../helpers/trust.js'

const ALL = ['match', 'match:distance', 'signals:write'] as const

async function world(t: Test) {
  const service = await startService(t)
  const key = await keyFor(service, 'platform', ALL)
  const hma = hmaClient(service, key.headers)
  await hma('POST', '/c/banks', { name: 'MINE' })
  const add = async (hash: string, bank = 'MINE') => {
    const { body } = await hma('POST', `/c/bank/${bank}/signal`, { pdq: hash })
    return (body as { id: number }).id
  }
  const look = async (hash: string, more = '') => (await hma('GET', `/m/lookup?signal_type=pdq&signal=${hash}${more}`)).body
  const raw = async (hash: string) => (await hma('GET', `/m/raw_lookup?signal_type=pdq&signal=${hash}`)).body
  return { service, key, hma, add, look, raw }
}

t.test('what is withdrawn, switched off or removed is found on no route, at once', async (t) => {
  const { service, key, hma, add, look, raw } = await world(t)
  const nothing = async (hash: string, what: string) => {
    t.same(await look(hash), {}, `${what}: lookup`)
    t.same(await raw(hash), { matches: [] }, `${what}: raw lookup`)
    const own = await ask(service, 'POST', '/v1/match', key.headers, { queries: [{ signals: [{ type: 'pdq', hash }] }] })
    t.match(own.json(), { results: [{ matches: { length: 0 } }] }, `${what}: own route`)
  }
  const there = async (hash: string, what: string) => t.not(Object.keys(Object(await look(hash))).length, 0, what)

  const hers = randomHashText()
  const her = await openCase(service.app)
  const images = [{ signals: [{ type: 'pdq', hash: hers, quality: 90 }] }]
  await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images })
  t.match(await look(hers), { cases: [{ distance: '0' }] })
  await service.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  await nothing(hers, 'a case that was withdrawn')

  const hash = randomHashText()
  const id = await add(hash)
  await there(hash, 'handed in')
  t.match(await hma('PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: 0 }), { status: 200, body: { id } })
  await nothing(hash, 'content that was switched off')
  t.match((await hma('GET', `/c/bank/MINE/content/${id}`)).body, { disable_until_ts: 0 })
  t.match(await hma('PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: '1' }), { status: 200 })
  await there(hash, 'switched on')
  t.match((await hma('GET', `/c/bank/MINE/content/${id}`)).body, { disable_until_ts: 1 })

  await hma('PUT', '/c/bank/MINE', { enabled: 'false' })
  await nothing(hash, 'a bank that was switched off')
  t.same(await look(hash, '&bypass_coinflip=true'), {}, 'whatever is asked')
  t.match(await hma('PUT', '/c/bank/MINE', { enabled_ratio: '1.0', enabled: false }), {
    body: { matching_enabled_ratio: 1 },
  })
  await there(hash, 'the ratio counts for more than the switch')

  const { headers: admin } = await operator(service)
  const harmless = await ask(service, 'POST', '/v1/banks/harmless/signals', admin, {
    signals: [{ type: 'pdq', hash: hers }],
  })
  t.equal(harmless.statusCode, 201)
  await nothing(hers, 'a harmless picture')

  t.same((await hma('DELETE', `/c/bank/MINE/content/${id}`)).body, { deleted: 1 })
  await nothing(hash, 'content that was removed')
  t.same((await hma('DELETE', `/c/bank/MINE/content/${id}`)).body, { deleted: 0 })

  const other = randomHashText()
  await add(other)
  t.same(await hma('DELETE', '/c/bank/MINE'), { status: 200, body: { message: 'Done' } })
  await nothing(other, 'a bank that was removed')
  t.equal((await hma('GET', '/c/bank/MINE')).status, 404)
  t.equal((await hma('POST', '/c/bank/MINE/signal', { pdq: other })).status, 404)
  await until(async () => service.services.health.index().images === 1) // the harmless one: the bits of the others are gone
})

t.test('content that is switched off until a time matches again by itself', async (t) => {
  let nowMs = Date.now()
  const service = await startService(t, { now: () => nowMs })
  const hma = hmaClient(service, (await keyFor(service, 'platform', ALL)).headers)
  await hma('POST', '/c/banks', { name: 'MINE' })
  const hash = randomHashText()
  const { id } = (await hma('POST', '/c/bank/MINE/signal', { pdq: hash })).body as { id: number }
  const untilS = Math.floor(nowMs / 1000) + 60
  await hma('PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: untilS })
  t.match((await hma('GET', `/c/bank/MINE/content/${id}`)).body, { disable_until_ts: untilS })
  const look = async () => (await hma('GET', `/m/lookup?signal_type=pdq&signal=${hash}`)).body
  t.same(await look(), {})
  nowMs += 61_000
  await service.services.contents.releaseDue()
  t.match(await look(), { MINE: [{ bank_content_id: id }] })

  const { headers: admin } = await operator(service)
  const { signalId } = (
    await ask(service, 'POST', '/v1/banks/MINE/signals', (await keyFor(service, 'platform', ALL)).headers, {
      signals: [{ type: 'pdq', hash }],
    })
  ).json<{ signals: { signalId: string }[] }>().signals[0] ?? { signalId: '' }
  await hma('PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: 0 })
  t.same((await ask(service, 'GET', '/v1/quarantine', admin)).json(), { signals: [] }, 'no operator has to look at it')
  await ask(service, 'POST', `/v1/signals/${signalId}/quarantine`, admin)
  await hma('PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: 1 })
  t.same(await look(), {}, 'what the operator holds its owner cannot release')
})

t.test('who may not is refused, with 401 or 403 and never with 404', async (t) => {
  const { service, key, hma, add } = await world(t)
  const id = await add(randomHashText())
  const routes = [
    ['GET', '/c/banks', 'signals:write'],
    ['POST', '/c/banks', 'signals:write'],
    ['GET', '/c/bank/MINE', 'signals:write'],
    ['GET', `/c/bank/NO_SUCH`, 'signals:write'],
    ['PUT', '/c/bank/MINE', 'signals:write'],
    ['DELETE', '/c/bank/MINE', 'signals:write'],
    ['POST', '/c/bank/MINE/content', 'signals:write'],
    ['POST', '/c/bank/MINE/signal', 'signals:write'],
    ['GET', `/c/bank/MINE/content/${id}`, 'signals:write'],
    ['PUT', `/c/bank/MINE/content/${id}`, 'signals:write'],
    ['DELETE', `/c/bank/MINE/content/${id}`, 'signals:write'],
    ['GET', '/c/exchanges/apis', 'signals:write'],
    ['GET', '/c/exchange/NO_SUCH', 'signals:write'],
    ['GET', '/c/exchange/NO_SUCH/status', 'signals:write'],
    ['GET', '/c/signal_type', 'signals:write'],
    ['GET', '/h/hash', 'match'],
    ['POST', '/h/hash', 'match'],
    ['GET', '/m/lookup', 'match'],
    ['POST', '/m/lookup', 'match'],
    ['GET', '/m/raw_lookup', 'match'],
    ['POST', '/m/compare', 'match'],
    ['GET', '/m/index/status', 'match'],
  ] as const
  const without = {
    match: await keyFor(service, 'writer', ['signals:write', 'feed', 'admin']),
    'signals:write': await keyFor(service, 'asker', ['match', 'feed', 'admin', 'match:distance']),
  }
  for (const [method, url, scope] of routes) {
    for (const wrong of ['', MARKER, withTypo(key.key), forged(key.key)]) {
      const asked = await service.app.inject({ method, url, headers: { authorization: `Bearer ${wrong}` } })
      t.equal(asked.statusCode, 401, `${method} ${url}`)
      t.equal(asked.body, 'Authentication required')
      const inPath = await service.app.inject({ method, url: `/hma/${wrong === '' ? 'x' : wrong}${url}` })
      t.equal(inPath.statusCode, 401, `${method} ${url}, with a key in the path`)
      t.notMatch(inPath.body, MARKER)
    }
    const refused = await service.app.inject({ method, url, headers: without[scope].headers })
    t.equal(refused.statusCode, 403, `${method} ${url}, another scope`)
    t.match(refused.json(), { message: String })
  }
  t.match(await hma('GET', '//c///banks'), { status: 200 }, 'slashes that came twice')
  const pathOnly = hmaClient(service, {}, `/hma/${key.key}/`)
  t.match(await pathOnly('GET', '/c/banks'), { status: 200, body: [{ name: 'cases' }, { name: 'MINE' }] })

  const other = hmaClient(service, (await keyFor(service, 'other', ALL)).headers)
  t.match(await other('GET', '/c/bank/MINE'), { status: 200 }, 'another’s bank is seen')
  for (const [method, url, body] of [
    ['PUT', '/c/bank/MINE', { enabled: false }],
    ['DELETE', '/c/bank/MINE', undefined],
    ['POST', '/c/bank/MINE/signal', { pdq: randomHashText() }],
    ['PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: 0 }],
    ['DELETE', `/c/bank/MINE/content/${id}`, undefined],
  ] as const)
    t.equal((await other(method, url, body)).status, 403, `${method} ${url} of another`)
  t.equal((await other('GET', `/c/bank/MINE/content/${id}`)).status, 404, 'its contents are nobody else’s')
  silent(t, service)
})

t.test('banks', async (t) => {
  const { hma } = await world(t)
  t.same(await hma('POST', '/c/banks', { name: 'A', enabled_ratio: '0.5', matching_enabled_ratio: 1 }), {
    status: 201,
    body: { name: 'A', matching_enabled_ratio: 0.5 },
  })
  t.match(await hma('POST', '/c/banks', { name: 'A' }), { status: 403, body: { message: 'Bank already exists' } })
  t.match(await hma('POST', '/c/banks', { name: 'B', enabled: 'true' }), {
    status: 201,
    body: { matching_enabled_ratio: 1 },
  })
  for (const name of ['lower', '1A', 'A-B', 'Ä', '', 'A'.repeat(300)])
    t.match(await hma('POST', '/c/banks', { name }), {
      status: 400,
      body: { message: 'Bank names must be UPPER_WITH_UNDERSCORE' },
    })
  t.match(await hma('POST', '/c/banks', {}), {
    status: 422,
    body: [{ type: 'missing', loc: ['name'], msg: 'Field required' }],
  })
  for (const [method, url] of [
    ['POST', '/c/banks'],
    ['PUT', '/c/bank/MINE'],
  ] as const)
    for (const body of [undefined, []]) {
      const answer = await hma(method, url, body)
      t.match(answer, { status: 422, body: [{ type: 'model_type', loc: [] }] })
      t.equal(Object(answer.body).length, 1, 'and nothing more is said of it')
    }
  for (const [ratio, type] of [
    [2, 'less_than_equal'],
    [-1, 'greater_than_equal'],
    ['x', 'float_parsing'],
  ] as const)
    t.match(await hma('POST', '/c/banks', { name: 'RATIO', enabled_ratio: ratio }), {
      status: 422,
      body: [{ type, loc: ['enabled_ratio'] }],
    })
  t.match(await hma('POST', '/c/banks', { name: 'OFF', enabled: false }), { body: { matching_enabled_ratio: 0 } })
  await hma('DELETE', '/c/bank/OFF')
  t.match(await hma('POST', '/c/banks', { name: 7 }), { status: 422, body: [{ type: 'string_type' }] })
  const wrong = await hma('POST', '/c/banks', { name: 'C', enabled_ratio: MARKER, enabled: MARKER })
  t.match(wrong, { status: 422, body: [{ type: 'float_parsing' }, { type: 'bool_parsing' }] })
  t.notMatch(JSON.stringify(wrong), MARKER, 'nothing is repeated')
  t.same(await hma('GET', '/c/bank/A'), { status: 200, body: { name: 'A', matching_enabled_ratio: 0.5 } })
  t.match(await hma('GET', '/c/bank/NO_SUCH'), { status: 404, body: { message: String } })
  t.match(await hma('PUT', '/c/bank/NO_SUCH', { enabled: true }), { status: 404, body: { message: 'Bank not found' } })
  t.match(await hma('PUT', '/c/bank/A', { name: 'A', enabled_ratio: 0.25 }), { body: { matching_enabled_ratio: 0.25 } })
  const renamed = (name: string) => hma('PUT', '/c/bank/A', { name, enabled_ratio: 1 })
  t.match(await renamed('Z'), { status: 400, body: { message: 'Banks cannot be renamed here: make another one' } })
  t.match(await renamed('lower'), { status: 400, body: { message: 'Bank names must be UPPER_WITH_UNDERSCORE' } })
  await hma('POST', '/c/banks', { name: 'TAKEN' })
  t.match(await renamed('TAKEN'), { status: 403, body: { message: 'Bank name already exists' } })
  t.match((await hma('GET', '/c/bank/A')).body, { name: 'A', matching_enabled_ratio: 0.25 }, 'nothing of it is done')
  await hma('DELETE', '/c/bank/TAKEN')
  t.same(await hma('DELETE', '/c/bank/NO_SUCH'), { status: 200, body: { message: 'Done' } })
  t.match((await hma('GET', '/c/banks')).body, [{ name: 'cases', matching_enabled_ratio: 1 }, {}, {}, {}])
  t.match(await hma('DELETE', '/c/bank/cases'), { status: 403 })
})

t.test('lookups: texts for distances, an object for what is missing, a coin for some banks', async (t) => {
  const { service, hma, add, look, raw } = await world(t)
  const hash = randomHashText()
  const id = await add(hash)
  t.same(await look(hash), { MINE: [{ bank_content_id: id, distance: '0' }] })
  t.same(await look(withBitsFlipped(hash, 31)), { MINE: [{ bank_content_id: id, distance: '31' }] })
  t.same(await look(withBitsFlipped(hash, 60)), {}, 'nothing is an empty object')
  t.same(await raw(hash), { matches: [id] })
  t.same((await hma('GET', `/m/raw_lookup?signal_type=pdq&signal=${hash}&include_distance=1`)).body, {
    matches: [{ bank_content_id: id, distance: '0' }],
  })
  t.same((await hma('GET', `/m/raw_lookup?signal_type=pdq&signal=${hash}&banks=OTHER,cases`)).body, { matches: [] })
  t.same(await look(hash, '&banks=MINE,OTHER'), { MINE: [{ bank_content_id: id, distance: '0' }] })
  t.same(await look(hash, '&banks=OTHER'), {})

  const banded = hmaClient(service, (await keyFor(service, 'platform', ['match'])).headers)
  const asked = `/m/lookup?signal_type=pdq&signal=`
  t.same((await banded('GET', asked + withBitsFlipped(hash, 7))).body, { MINE: [{ bank_content_id: id, distance: '15' }] })
  const others = hmaClient(service, (await keyFor(service, 'other', ALL)).headers)
  const theirs = Lookup.parse((await others('GET', asked + hash)).body)
  t.not(theirs['MINE']?.[0]?.bank_content_id, id, 'another organisation has another number for it')

  await hma('PUT', '/c/bank/MINE', { enabled_ratio: 0.5 })
  const seeds = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => 'MINE' in Object(await look(hash, `&seed=${i}`))),
  )
  t.ok(seeds.includes(true) && seeds.includes(false), 'the coin falls both ways')
  t.equal('MINE' in Object(await look(hash, '&seed=3')), seeds[3], 'and the same way for the same seed')

  const wrong = async (url: string) => await hma('GET', url)
  t.match(await wrong('/m/lookup'), {
    status: 400,
    body: { message: 'Either url or both signal and signal_type are required' },
  })
  t.match(await wrong(`/m/lookup?signal=${hash}`), { status: 400 })
  t.match(await wrong(`/m/raw_lookup?signal=${hash}`), { status: 422, body: [{ loc: ['signal_type'] }] })
  t.match(await wrong('/m/raw_lookup'), { status: 422, body: [{ loc: ['signal'] }, { loc: ['signal_type'] }] })
  t.match(await wrong(`/m/raw_lookup?signal=${hash}&signal_type=pdq&include_distance=perhaps`), { status: 422 })
  t.match(await wrong(`/m/lookup?signal=${hash}&signal_type=video_md5`), {
    status: 400,
    body: { message: /^No such SignalType/ },
  })
  for (const signal of [hash.slice(32), hash.toUpperCase(), `${hash}0`, `%20${hash}`, 'x'.repeat(64), MARKER]) {
    const answer = await wrong(`/m/lookup?signal_type=pdq&signal=${signal}`)
    t.match(answer, { status: 400, body: { message: 'invalid signal: invalid PDQ hash' } }, signal)
    t.match(await wrong(`/m/raw_lookup?signal_type=pdq&signal=${signal}`), { status: 400 })
  }
  t.match(await wrong('/m/lookup?url=https://example.org/x.jpg'), { status: 403, body: { message: /missing role/ } })

  const compare = async (body: object) => await hma('POST', '/m/compare', body)
  t.same((await compare({ pdq: [hash, withBitsFlipped(hash, 9)] })).body, { pdq: [true, { distance: 9 }] })
  t.match((await compare({ pdq: [hash, withBitsFlipped(hash, 31)] })).body, { pdq: [true, { distance: 31 }] })
  t.match((await compare({ pdq: [hash, withBitsFlipped(hash, 32)] })).body, { pdq: [false, { distance: 32 }] })
  t.match(await compare([hash]), { status: 400, body: { message: 'Request input was not a dict' } })
  t.match(await compare({ pdq: hash }), { status: 400, body: { message: 'Comparison hashes for pdq was not a list' } })
  t.match(await compare({ pdq: [hash] }), {
    status: 400,
    body: { message: 'Comparison hash list length must be exactly 2' },
  })
  t.match(await compare({ pdq: [hash, MARKER] }), { status: 400, body: { message: /^Invalid pdq hash/ } })
  t.match(await compare({ tmk: [hash, hash] }), { status: 400, body: { message: /^No such SignalType/ } })
  t.match((await wrong('/m/index/status')).body, { pdq: { present: true, built_to: Number, size: Number } })
  for (const url of ['/m/index/status', '/c/signal_type/index'])
    t.match(await wrong(`${url}?signal_type=x`), { status: 400, body: { message: /^No such signal type/ } })
})

t.test('content: numbers, notes, metadata', async (t) => {
  const { service, hma } = await world(t)
  const hash = randomHashText()
  const url = '/c/bank/MINE/signal'
  const made = await hma('POST', url, { pdq: hash, note: 'seen twice' })
  const { id } = made.body as { id: number }
  t.match(made, { status: 200, body: { id: Number, signals: { pdq: hash } } })
  t.ok(Number.isSafeInteger(id))
  t.same((await hma('POST', url, { pdq: hash, note: 'seen twice' })).body, made.body, 'the same again is the same')
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
    'writing is not reading',
  )
  const reader = await keyFor(service, 'platform', [...ALL, 'feed'])
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
    [{ video_md5: 'x' }, /^No such signal type/],
    [{ pdq: hash, video_md5: MARKER }, /^No such signal type/],
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
    'what Python’s int() makes of it',
  )
  await hma('POST', '/c/banks', { name: 'ELSEWHERE' })
  const elsewhere = `/c/bank/ELSEWHERE/content/${id}`
  t.equal((await hma('GET', elsewhere)).status, 404, 'content is in its own bank alone')
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

t.test('what there is none of here is answered as a server without it would', async (t) => {
  const { service, key, hma } = await world(t)
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
  t.same((await hma('GET', '/c/signal_type')).body, [{ name: 'pdq', enabled_ratio: 1 }])
  t.equal((await hma('PUT', '/c/signal_type/pdq', { enabled_ratio: 1 })).status, 204)
  t.equal((await hma('PUT', '/c/signal_type/pdq', { enabled_ratio: 0 })).status, 403)
  t.match((await hma('GET', '/c/signal_type/index')).body, { pdq: { db_size: Number, index_out_of_date: false } })
  t.same((await hma('GET', '/c/content_type')).body, [
    { name: 'photo', enabled: true },
    { name: 'video', enabled: false },
  ])

  const open = hmaClient(service, {})
  t.same(await open('GET', '/status'), { status: 200, body: 'I-AM-ALIVE' })
  t.same(await open('GET', '/status/live'), { status: 200, body: 'I-AM-ALIVE' })
  const map = (await open('GET', '/site-map')).body
  if (!Array.isArray(map)) throw new Error('a site map is a list')
  t.ok(map.includes('/m/lookup') && map.includes('/c/bank/<bank_name>/content/<int:content_id>'))
  t.same(map, [...map].sort(), 'as HMA writes and sorts them')
  t.same((await open('GET', '/hma/whatever/site-map')).body, map)

  const cold = await startService(t, { redis: service.redis, hydrated: false })
  t.same(await hmaClient(cold, {})('GET', '/status'), { status: 503, body: 'INDEX-NOT-LOADED' })
  t.same(await hmaClient(cold, {})('GET', '/status/live'), { status: 200, body: 'I-AM-ALIVE' })
  const early = hmaClient(cold, key.headers)
  for (const url of [`/m/lookup?signal_type=pdq&signal=${randomHashText()}`, '/m/index/status'])
    t.match(await early('GET', url), { status: 503, body: { message: 'index not yet ready' } })
  await service.redis.server.stop()
  await until(async () => (await open('GET', '/status')).body === 'INDEX-STALE')
})

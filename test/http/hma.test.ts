// HMA's routes: withdrawals first, then authorisation, then each answer that a client could notice.

import t from 'tap'
import { HMA_SCOPES, hmaClient, hmaWorld, Lookup } from '../helpers/hma.js'
import { MARKER } from '../helpers/refusal.js'
import { forged, silent, withTypo } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, until, withBitsFlipped } from '../helpers/service.js'
import { ask, operator } from '../helpers/trust.js'

t.test('withdrawn, disabled, removed and allowlisted content matches on no route, at once', async (t) => {
  const { service, key, hma, add, look, raw } = await hmaWorld(t)
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
  await nothing(hers, 'a withdrawn case')

  const hash = randomHashText()
  const id = await add(hash)
  await there(hash, 'added')
  t.match(await hma('PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: 0 }), { status: 200, body: { id } })
  await nothing(hash, 'disabled content')
  t.match((await hma('GET', `/c/bank/MINE/content/${id}`)).body, { disable_until_ts: 0 })
  t.match(await hma('PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: '1' }), { status: 200 })
  await there(hash, 'enabled content')
  t.match((await hma('GET', `/c/bank/MINE/content/${id}`)).body, { disable_until_ts: 1 })

  await hma('PUT', '/c/bank/MINE', { enabled: 'false' })
  await nothing(hash, 'a disabled bank')
  t.same(await look(hash, '&bypass_coinflip=true'), {}, 'also with bypass_coinflip')
  t.match(await hma('PUT', '/c/bank/MINE', { enabled_ratio: '1.0', enabled: false }), {
    body: { matching_enabled_ratio: 1 },
  })
  await there(hash, 'the ratio overrides the switch')

  const { headers: admin } = await operator(service)
  const harmless = await ask(service, 'POST', '/v1/banks/harmless/signals', admin, {
    signals: [{ type: 'pdq', hash: hers }],
  })
  t.equal(harmless.statusCode, 201)
  await nothing(hers, 'an allowlisted picture')

  t.same((await hma('DELETE', `/c/bank/MINE/content/${id}`)).body, { deleted: 1 })
  await nothing(hash, 'removed content')
  t.same((await hma('DELETE', `/c/bank/MINE/content/${id}`)).body, { deleted: 0 })

  const other = randomHashText()
  await add(other)
  t.same(await hma('DELETE', '/c/bank/MINE'), { status: 200, body: { message: 'Done' } })
  await nothing(other, 'a removed bank')
  t.equal((await hma('GET', '/c/bank/MINE')).status, 404)
  t.equal((await hma('POST', '/c/bank/MINE/signal', { pdq: other })).status, 404)
  await until(async () => service.services.health.index().images === 1) // only the allowlisted one is left in the index
})

t.test('content that is disabled until a time matches again then, unless an operator holds it', async (t) => {
  let nowMs = Date.now()
  const service = await startService(t, { now: () => nowMs })
  const hma = hmaClient(service, (await keyFor(service, 'platform', HMA_SCOPES)).headers)
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
    await ask(service, 'POST', '/v1/banks/MINE/signals', (await keyFor(service, 'platform', HMA_SCOPES)).headers, {
      signals: [{ type: 'pdq', hash }],
    })
  ).json<{ signals: { signalId: string }[] }>().signals[0] ?? { signalId: '' }
  await hma('PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: 0 })
  t.same(
    (await ask(service, 'GET', '/v1/quarantine', admin)).json(),
    { signals: [], next: null },
    'disabled content is not in the operator’s quarantine',
  )
  await ask(service, 'POST', `/v1/signals/${signalId}/quarantine`, admin)
  await hma('PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: 1 })
  t.same(await look(), {}, 'the owner cannot release what the operator holds')
})

t.test('a caller without a valid key or the scope gets 401 or 403, never 404', async (t) => {
  const { service, key, hma, add } = await hmaWorld(t)
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
  t.match(await hma('GET', '//c///banks'), { status: 200 }, 'double slashes are accepted')
  const pathOnly = hmaClient(service, {}, `/hma/${key.key}/`)
  t.match(await pathOnly('GET', '/c/banks'), { status: 200, body: [{ name: 'cases' }, { name: 'MINE' }] })

  const other = hmaClient(service, (await keyFor(service, 'other', HMA_SCOPES)).headers)
  t.match(await other('GET', '/c/bank/MINE'), { status: 404 }, 'another organisation’s hidden bank is unknown')
  t.equal((await ask(service, 'PATCH', '/v1/banks/MINE', key.headers, { readers: null })).statusCode, 200)
  t.match(await other('GET', '/c/bank/MINE'), { status: 200 }, 'another organisation’s public bank is known')
  for (const [method, url, body] of [
    ['PUT', '/c/bank/MINE', { enabled: false }],
    ['DELETE', '/c/bank/MINE', undefined],
    ['POST', '/c/bank/MINE/signal', { pdq: randomHashText() }],
    ['PUT', `/c/bank/MINE/content/${id}`, { disable_until_ts: 0 }],
    ['DELETE', `/c/bank/MINE/content/${id}`, undefined],
  ] as const)
    t.equal((await other(method, url, body)).status, 403, `${method} ${url} by another organisation`)
  t.equal((await other('GET', `/c/bank/MINE/content/${id}`)).status, 404, 'only the owner reads contents')
  silent(t, service)
})

t.test('lookups give distances as text, an empty object without a match, and banks by their ratio', async (t) => {
  const { service, hma, add, look, raw } = await hmaWorld(t)
  const hash = randomHashText()
  const id = await add(hash)
  t.same(await look(hash), { MINE: [{ bank_content_id: id, distance: '0' }] })
  t.same(await look(withBitsFlipped(hash, 31)), { MINE: [{ bank_content_id: id, distance: '31' }] })
  t.same(await look(withBitsFlipped(hash, 60)), {}, 'no match is an empty object')
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
  const others = hmaClient(service, (await keyFor(service, 'other', HMA_SCOPES)).headers)
  const theirs = Lookup.parse((await others('GET', asked + hash)).body)
  t.not(theirs['MINE']?.[0]?.bank_content_id, id, 'another organisation gets another id')

  await hma('PUT', '/c/bank/MINE', { enabled_ratio: 0.5 })
  const seeds = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => 'MINE' in Object(await look(hash, `&seed=${i}`))),
  )
  t.ok(seeds.includes(true) && seeds.includes(false), 'with a ratio of 0.5 some seeds match and others do not')
  t.equal('MINE' in Object(await look(hash, '&seed=3')), seeds[3], 'a seed gives the same result again')

  const wrong = async (url: string) => await hma('GET', url)
  t.match(await wrong('/m/lookup'), {
    status: 400,
    body: { message: 'Either url or both signal and signal_type are required' },
  })
  t.match(await wrong(`/m/lookup?signal=${hash}`), { status: 400 })
  t.match(await wrong(`/m/raw_lookup?signal=${hash}`), { status: 422, body: [{ loc: ['signal_type'] }] })
  t.match(await wrong('/m/raw_lookup'), { status: 422, body: [{ loc: ['signal'] }, { loc: ['signal_type'] }] })
  t.match(await wrong(`/m/raw_lookup?signal=${hash}&signal_type=pdq&include_distance=perhaps`), { status: 422 })
  t.match(await wrong(`/m/lookup?signal=${hash}&signal_type=video_tmk`), {
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
  t.match(await compare([hash]), { status: 400, body: { message: 'The body must be a JSON object' } })
  t.match(await compare({ pdq: hash }), { status: 400, body: { message: 'pdq must be a list of two hashes' } })
  t.match(await compare({ pdq: [hash] }), {
    status: 400,
    body: { message: 'pdq must be a list of two hashes' },
  })
  t.match(await compare({ pdq: [hash, MARKER] }), { status: 400, body: { message: /^Invalid pdq hash/ } })
  t.match(await compare({ tmk: [hash, hash] }), { status: 400, body: { message: /^No such SignalType/ } })
  t.match((await wrong('/m/index/status')).body, { pdq: { present: true, built_to: Number, size: Number } })
  for (const url of ['/m/index/status', '/c/signal_type/index'])
    t.match(await wrong(`${url}?signal_type=x`), { status: 400, body: { message: /^No such signal type/ } })
})

t.test('ratios are written as floats for strict clients, and texts are not changed', async (t) => {
  const { service, key, hma, add } = await hmaWorld(t)
  const written = async (method: 'GET' | 'PUT' | 'POST', url: string, payload?: object) =>
    (await service.app.inject({ method, url, headers: key.headers, ...(payload && { payload }) })).body
  t.equal(await written('POST', '/c/banks', { name: 'A' }), '{"name":"A","matching_enabled_ratio":1.0}')
  t.equal(await written('PUT', '/c/bank/A', { enabled: false }), '{"name":"A","matching_enabled_ratio":0.0}')
  t.equal(await written('PUT', '/c/bank/A', { enabled_ratio: 0.25 }), '{"name":"A","matching_enabled_ratio":0.25}')
  t.match(await written('GET', '/c/banks'), '{"name":"MINE","matching_enabled_ratio":1.0}')
  t.equal(
    await written('GET', '/c/signal_type'),
    '[{"name":"pdq","enabled_ratio":1.0},{"name":"video_md5","enabled_ratio":1.0},{"name":"vpdq","enabled_ratio":1.0}]',
  )
  const id = await add(randomHashText())
  const note = '"enabled_ratio":1,'
  await hma('PUT', `/c/bank/MINE/content/${id}`, { note })
  t.match((await hma('GET', `/c/bank/MINE/content/${id}`)).body, { note })
})

t.test('HMA routes accept the key as a Basic password, and Tabir’s own routes do not', async (t) => {
  const { service, key } = await hmaWorld(t)
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  })
  const statusOf = async (headers: Readonly<Record<string, string>>, url = '/c/banks') =>
    (await service.app.inject({ url, headers })).statusCode
  for (const user of ['', 'hma', 'a:b'.slice(0, 1)]) t.equal(await statusOf(basic(user, key.key)), 200)
  t.equal(await statusOf(basic('', key.key), '/m/index/status'), 200)
  for (const wrong of [basic('hma', ''), basic('hma', forged(key.key)), basic(key.key, ''), { authorization: 'Basic %%%' }])
    t.equal(await statusOf(wrong), 401)
  t.equal(await statusOf(basic('', key.key), '/v1/banks'), 401, 'Tabir’s own routes need a bearer token')
  silent(t, service)
})

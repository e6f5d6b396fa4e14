// Rate limits: which requests count, for whom, and that ordinary use stays below them.

import { connect } from 'node:net'
import t from 'tap'
import { EXPOSURES, LIMITS, ROUTES_WITH_LIMITS } from '../../src/http/limit-table.js'
import { limitsHere } from '../../src/http/plugins/rate-limits.js'
import { refused } from '../helpers/refusal.js'
import { head, post } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, type TestService, until } from '../helpers/service.js'
import { listen, readAll } from '../helpers/sockets.js'

/** In the middle of a minute, so that no window ends during a test. */
const now = () => Date.UTC(2026, 0, 1, 12, 0, 30)

function match({ app }: TestService, headers: Record<string, string>, count = 1) {
  const queries = Array.from({ length: count }, () => ({ signals: [{ type: 'pdq', hash: randomHashText() }] }))
  return post(app, '/v1/match', { queries }, headers)
}

t.test('every route but liveness and readiness has limits, and the table names existing routes only', async (t) => {
  const { app } = await startService(t, { hydrated: false, exposure: 'public' })
  for (const named of ROUTES_WITH_LIMITS) {
    const [method = '', url = ''] = named.split(' ')
    t.ok(app.hasRoute({ method, url }), named)
  }
  const unlimited = new Set(['GET /health/live', 'GET /health/ready'])
  const paths = ['/', '/case', '/how-it-works', '/v1/receipts/key', '/health/live', '/health/ready']
  const policy = async (method: 'GET' | 'HEAD', url: string) =>
    (await app.inject({ method, url })).headers['ratelimit-policy']
  for (const path of [...paths, '/v1/cases/challenge']) {
    t.equal((await policy('GET', path)) !== undefined, !unlimited.has(`GET ${path}`), path)
    t.equal(await policy('HEAD', path), await policy('GET', path), `HEAD ${path}`)
  }
})

t.test('an address that opens a case and queries 5,000 pictures is far from its limits', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const leftOf = (answer: { readonly headers: Readonly<Record<string, unknown>> }) =>
    Number(/;r=(\d+);/.exec(String(answer.headers['ratelimit']))?.[1])
  const opened = await post(service.app, '/v1/cases', { adult: true }) // slow, because its PIN is stretched
  t.equal(opened.statusCode, 201)
  t.ok(leftOf(opened) > 5000)
  for (let i = 0; i < 5; i++) t.equal((await match(service, headers, 1000)).statusCode, 200)
  t.ok(leftOf(await match(service, headers)) > 1_000_000)
})

t.test('answers state the remaining quota, and a request beyond it is refused until the window ends', async (t) => {
  const clock = { nowMs: Date.UTC(2026, 0, 1, 0, 0, 10) }
  const service = await startService(t, { maxOf: { 'match-requests': 3, 'match-queries': 40 }, now: () => clock.nowMs })
  const one = await keyFor(service, 'platform', ['match'])
  const two = await keyFor(service, 'platform', ['match'])

  const first = await match(service, one.headers, 30)
  t.equal(first.headers['ratelimit-policy'], '"match-requests";q=3;w=60, "match-queries";q=40;w=86400')
  t.equal(first.headers['ratelimit'], `"match-requests";r=2;t=50, "match-queries";r=10;t=${86_400 - 10}`)
  const tooMany = await match(service, two.headers, 11)
  refused(t, tooMany, 'rate-limited', 'queries count for all keys of an organisation')
  t.equal(tooMany.headers['retry-after'], String(86_400 - 10))
  t.equal((await match(service, two.headers, 10)).statusCode, 200, 'a request within the quota is answered')

  clock.nowMs += 86_400_000
  for (let i = 0; i < 3; i++) t.equal((await match(service, one.headers)).statusCode, 200)
  refused(t, await match(service, one.headers), 'rate-limited', 'requests count for each key')
  t.equal((await match(service, two.headers)).statusCode, 200, 'another key has its own limit')
  clock.nowMs += 60_000
  t.equal((await match(service, one.headers)).statusCode, 200)
})

t.test('services in one process, and routes that share a declaration, have separate limits', async (t) => {
  for (const max of [5, 3]) {
    const service = await startService(t, { maxOf: { 'match-queries': max } })
    const { headers } = await keyFor(service, 'platform', ['match'])
    const answer = await service.app.inject({ url: `/m/lookup?signal_type=pdq&signal=${randomHashText()}`, headers })
    t.match(answer.headers['ratelimit-policy'], `"match-queries";q=${max}`)
  }
})

t.test('HMA lookups count as queries, and feed pages count their signals', async (t) => {
  const clock = { nowMs: Date.UTC(2026, 0, 1, 12) }
  const service = await startService(t, { maxOf: { 'match-queries': 3, 'feed-signals': 7 }, now: () => clock.nowMs })
  const { headers } = await keyFor(service, 'platform', ['match', 'feed', 'signals:write'])
  const left = (answer: { readonly headers: Readonly<Record<string, unknown>> }, name: string) =>
    Number(new RegExp(`"${name}";r=(\\d+)`).exec(String(answer.headers['ratelimit']))?.[1])
  const get = (url: string) => service.app.inject({ url, headers })
  const signals = Array.from({ length: 5 }, () => ({ type: 'pdq', hash: randomHashText() }))
  await post(service.app, '/v1/banks', { name: 'mine' }, headers)
  t.equal((await post(service.app, '/v1/banks/mine/signals', { signals }, headers)).statusCode, 201)

  const query = `signal_type=pdq&signal=${signals[0]?.hash}`
  t.equal(left(await get(`/m/lookup?${query}`), 'match-queries'), 2)
  t.equal(left(await get(`/m/raw_lookup?${query}`), 'match-queries'), 1)
  t.equal((await get('/m/lookup?signal_type=pdq&signal=nonsense')).statusCode, 400)
  t.equal((await get(`/m/lookup?${query}`)).statusCode, 200)
  t.equal((await get(`/m/lookup?${query}`)).statusCode, 429, 'the fourth lookup')

  t.equal(left(await get('/v1/feed'), 'feed-signals'), 6)
  const fetched = await get('/stopncii/v1/FetchHashes')
  t.equal(fetched.json<{ count: number }>().count, 5, 'a page that exceeds the limit is sent to its end')
  t.equal(left(fetched, 'feed-signals'), 1)
  refused(t, await get('/v1/feed'), 'rate-limited', 'the next page is refused')
  t.equal((await get('/stopncii/v1/FetchHashes')).statusCode, 429)
  clock.nowMs += 86_400_000
  t.equal((await get('/v1/feed')).statusCode, 200)
})

t.test('limits hold over all processes', async (t) => {
  const service = await startService(t, { maxOf: { 'match-requests': 6 }, now })
  const other = await startService(t, { redis: service.redis, maxOf: { 'match-requests': 6 }, now })
  const { headers } = await keyFor(service, 'platform', ['match'])
  await until(async () => (await match(other, headers)).statusCode === 200)
  await until(async () => (await match(service, headers)).statusCode === 429)
  await Promise.all([service.services.limits.flush(), other.services.limits.flush()])
  const answers = []
  for (let i = 0; i < 7; i++) answers.push((await match(other, headers)).statusCode)
  t.equal(answers.at(-1), 429)
  t.ok(answers.filter((status) => status === 200).length < 6, 'requests at the other process count')
})

t.test('cases, case openings, failed authentications and anonymous requests have separate limits', async (t) => {
  const most = { case: 2, 'case-opening': 3, 'case-login': 2, 'auth-failures': 2, anonymous: 2 }
  const { app } = await startService(t, { maxOf: most, now })
  const her = await openCase(app)
  const his = await openCase(app)
  for (let i = 0; i < 2; i++) t.equal((await app.inject({ url: her.url, headers: her.headers })).statusCode, 200)
  refused(t, await app.inject({ url: her.url, headers: her.headers }), 'rate-limited', 'beyond the limit of this case')
  t.equal((await app.inject({ url: his.url, headers: his.headers })).statusCode, 200, 'another case has its own limit')

  await openCase(app)
  refused(t, await post(app, '/v1/cases', { adult: true }), 'rate-limited', 'a fourth case')
  const elsewhere = await app.inject({
    method: 'POST',
    url: '/v1/cases',
    payload: { adult: true },
    remoteAddress: '192.0.2.1',
  })
  t.equal(elsewhere.statusCode, 201)

  const stranger = { authorization: 'Bearer nothing' }
  for (let i = 0; i < 2; i++) refused(t, await post(app, '/v1/match', {}, stranger), 'key-invalid')
  refused(t, await post(app, '/v1/match', {}, stranger), 'rate-limited', 'beyond the limit of invalid keys')
  t.equal(
    (await app.inject({ url: his.url, headers: his.headers })).statusCode,
    200,
    'a valid token from the same address works',
  )

  for (let i = 0; i < 2; i++) t.equal((await app.inject({ url: '/' })).statusCode, 200)
  refused(t, await app.inject({ url: '/' }), 'rate-limited')
})

t.test('limits by address have a window of one minute, and limits of the feed fail closed', async (t) => {
  for (const [name, { by, windowS, max: most }] of Object.entries(LIMITS)) {
    if (by === 'address') t.equal(windowS, 60, name)
    t.ok(most.public <= most.private, name)
  }
  t.equal(LIMITS['feed-requests'].whenStoreUnavailable, 'closed')
  for (const exposure of EXPOSURES) {
    for (const [name, limit] of Object.entries(limitsHere({ exposure, most: {} }))) {
      const row = Object.entries(LIMITS).find(([each]) => each === name)?.[1]
      t.equal(limit.failsClosed, row?.whenStoreUnavailable === 'closed', `${name} fails closed as in its row`)
      t.equal(limit.isLocal, row?.by === 'address', name)
    }
  }
})

t.test('a client that sends headers or a body too slowly is disconnected', async (t) => {
  const service = await startService(t, {
    serverLimits: { headersMs: 300, checkIntervalMs: 50, slowForMs: 400, minBodyBytesPerS: 100 },
  })
  const { key } = await keyFor(service, 'platform', ['match', 'signals:write'])
  const port = await listen(service.app)

  const drip = async (start: string, drop: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(start)
    const timer = setInterval(() => socket.write(drop), 40)
    await readAll(socket).catch(() => '') // it ends when the server cuts it; that may arrive as a reset
    clearInterval(timer)
  }
  await drip('GET / HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n')
  for (const [type, path] of [
    ['application/json', '/v1/match'],
    ['application/x-ndjson', '/v1/banks/none/signals'],
    ['multipart/form-data; boundary=x', '/v1/match/images'],
  ] as const) {
    await drip(head(path, key, type, 100_000), ' ')
  }
  const many = connect(port, '127.0.0.1')
  many.on('error', () => {})
  many.write(`GET / HTTP/1.1\r\nHost: x\r\n${`a: ${'b'.repeat(1000)}\r\n`.repeat(40)}\r\n`)
  t.match(await readAll(many), /^HTTP\/1\.1 4\d\d /, 'headers that are too large')

  const fast = await service.app.inject({ url: '/health/live' })
  t.equal(fast.statusCode, 200)
})

t.test('beyond its limit of connections the server accepts none and serves those it has', async (t) => {
  const service = await startService(t, { hydrated: false, serverLimits: { connections: 3 } })
  const port = await listen(service.app)
  const sockets = Array.from({ length: 3 }, () => connect(port, '127.0.0.1'))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  const fourth = connect(port, '127.0.0.1')
  fourth.on('error', () => {})
  fourth.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal(await readAll(fourth).catch(() => ''), '')
  sockets[0]?.write('GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  if (sockets[0] !== undefined) t.match(await readAll(sockets[0]), /^HTTP\/1\.1 200 /)
})

t.test('hashes sent to cases count for their address, in JSON and in lines, before anything is registered', async (t) => {
  const { app } = await startService(t, {
    now,
    exposure: 'public',
    maxOf: { 'address-hashes': 5 },
    trustLimits: { proofRounds: 0 },
  })
  const whole = () => ({ type: 'pdq', hash: randomHashText(), quality: 100 })
  const frames = () => [0, 500].map((atMs) => ({ atMs, signals: [whole()] }))
  const hers = await Promise.all([openCase(app), openCase(app)])
  const add = ({ url, headers }: (typeof hers)[number], payload: object) => post(app, `${url}/hashes`, payload, headers)
  const images = [{ signals: [whole()], animation: { durationMs: 1000, frames: frames() } }]
  t.equal((await add(hers[0], { images })).statusCode, 201)
  refused(t, await add(hers[1], { images }), 'rate-limited', 'six hashes of one address, over two cases')
  t.equal((await add(hers[1], { videos: [{ durationMs: 1000, frames: frames() }] })).statusCode, 201)

  const [first = whole()] = frames().flatMap(({ signals }) => signals)
  const line = {
    type: 'pdq',
    hash: first.hash,
    video: { durationMs: 1000 },
    signals: [{ ...first, view: 'whole', atMs: 0 }],
  }
  const { url, headers } = hers[1]
  const type = { 'content-type': 'application/x-ndjson' }
  const lines = {
    method: 'POST',
    url: `${url}/hashes`,
    headers: { ...headers, ...type },
    payload: JSON.stringify(line),
  } as const
  refused(t, await app.inject(lines), 'rate-limited')
  t.match((await app.inject({ url, headers })).json(), { images: 1 })
})

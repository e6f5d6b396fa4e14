// Malformed requests get a clear problem that echoes nothing. No worker is needed.

import { gzipSync } from 'node:zlib'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { hasPin, MARKER, refused } from '../helpers/refusal.js'
import { del, exchange, post, prepared, signals, silent, UNKNOWN_CASE } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'

t.test('a body that violates the schema is refused with the place of the error and without its value', async (t) => {
  const { service, platform, ngo } = await prepared(t)
  const { app } = service
  const match = (payload: InjectOptions['payload']) => post(app, '/v1/match', payload, platform.headers)
  const query = (signal: object) => ({ queries: [{ signals: [signal] }] })
  const hash = randomHashText()

  const cases = {
    'a hash that is too short': query({ type: 'pdq', hash: MARKER }),
    'a hash in capitals': query({ type: 'pdq', hash: hash.toUpperCase() }),
    'a hash with a line break': query({ type: 'pdq', hash: `${hash}\n` }),
    'a hash that is no text': query({ type: 'pdq', hash: 7 }),
    'an unknown signal type': query({ type: MARKER, hash }),
    'an unknown view': query({ type: 'pdq', hash, view: MARKER }),
    'an unknown field': { ...query({ type: 'pdq', hash }), [MARKER]: MARKER },
    'an unknown field deep inside': query({ type: 'pdq', hash, [MARKER]: 1 }),
    'a quality of 101': query({ type: 'pdq', hash, quality: 101 }),
    'no queries': { queries: [] },
    '1,001 queries': { queries: Array.from({ length: 1001 }, () => ({ id: MARKER, signals: [{ type: 'pdq', hash }] })) },
    'more signals than one call may bring': {
      queries: Array.from({ length: 300 }, () => ({
        id: MARKER,
        signals: Array.from({ length: 27 }, () => ({ type: 'pdq', hash })),
      })),
    },
    'more signals than an image has': { queries: [{ signals: Array.from({ length: 195 }, () => ({ type: 'pdq', hash })) }] },
    'a threshold beyond all': { ...query({ type: 'pdq', hash }), thresholdBits: 91 },
    'half a bit': { ...query({ type: 'pdq', hash }), thresholdBits: 3.5 },
    'a bank that cannot be': { ...query({ type: 'pdq', hash }), banks: [`${MARKER}/..`] },
    'an id beyond its length': { queries: [{ id: MARKER.repeat(11), signals: [{ type: 'pdq', hash }] }] },
    'a list for an object': [MARKER],
    null: 'null',
  }
  for (const [what, payload] of Object.entries(cases)) {
    const answer = await match(payload)
    refused(t, answer, 'request-invalid', what)
    t.match(answer.json(), { errors: [{ pointer: /^#/, detail: /./ }] }, `${what}: the place of the error`)
  }
  t.match((await match(query({ type: 'pdq', hash: MARKER }))).json(), {
    errors: [{ pointer: '#/queries/0/signals/0/hash', detail: 'must be 64 lowercase hex digits' }],
  })

  const others: [string, Promise<Awaited<ReturnType<typeof post>>>][] = [
    ['a case without an answer to adult', post(app, '/v1/cases', { category: 'nude' })],
    ['a case with a word for adult', post(app, '/v1/cases', { adult: MARKER })],
    ['a case of an unknown category', post(app, '/v1/cases', { adult: true, category: MARKER })],
    ['a case with a name', post(app, '/v1/cases', { adult: true, name: MARKER })],
    ['a PIN of letters', post(app, `/v1/cases/${UNKNOWN_CASE}/tokens`, { pin: MARKER })],
    ['a PIN as a number', post(app, `/v1/cases/${UNKNOWN_CASE}/tokens`, { pin: 123456 })],
    ['a bank with spaces', post(app, '/v1/banks', { name: `${MARKER} x` }, ngo.headers)],
    ['a bank with a policy', post(app, '/v1/banks', { name: 'b', thresholdBits: { sha256: 1 } }, ngo.headers)],
    ['signals beyond 1,000', post(app, '/v1/banks/mine/signals', signals(1001), ngo.headers)],
    ['a signal id that is none', del(app, `/v1/banks/mine/signals/${MARKER}`, ngo.headers)],
    ['an unknown problem', app.inject({ url: `/problems/${MARKER}` })],
    ['a threshold that is no number', post(app, `/v1/match/images?thresholdBits=${MARKER}`, undefined, platform.headers)],
  ]
  for (const [what, answer] of others) refused(t, await answer, 'request-invalid', what)
  silent(t, service)
})

t.test('a body that does not have its declared type, or is too large, is refused', async (t) => {
  const { service, platform, ngo } = await prepared(t)
  const { app } = service
  const raw = (url: string, type: string | undefined, payload: string, headers = platform.headers) =>
    app.inject({
      method: 'POST',
      url,
      payload,
      headers: { ...headers, ...(type !== undefined && { 'content-type': type }) },
    })
  const json = 'application/json'

  refused(t, await raw('/v1/match', json, `{"${MARKER}":`), 'body-unreadable', 'half an object')
  refused(t, await raw('/v1/match', json, MARKER), 'body-unreadable', 'a word')
  refused(t, await raw('/v1/match', json, ''), 'body-unreadable', 'nothing')
  refused(t, await raw('/v1/match', json, `{"queries":[],"__proto__":{"${MARKER}":1}}`), 'body-unreadable', 'a prototype')
  refused(t, await raw('/v1/cases', json, `\0${MARKER}`), 'body-unreadable', 'a NUL')
  refused(t, await raw('/v1/match', 'text/xml', `<${MARKER}/>`), 'media-unsupported', 'XML')
  refused(t, await raw('/v1/match', `application/x-${MARKER}`, MARKER), 'media-unsupported', 'an invented type')
  refused(t, await raw('/v1/match', MARKER, MARKER), 'media-unsupported', 'a type that is none')
  refused(t, await raw('/v1/cases', 'application/x-www-form-urlencoded', `adult=${MARKER}`), 'media-unsupported', 'a form')
  refused(
    t,
    await raw('/v1/match', 'application/x-ndjson', `{"a":"${MARKER}"}\n`),
    'media-unsupported',
    'lines where none are read',
  )
  refused(
    t,
    await raw('/v1/match', 'multipart/form-data; boundary=x', `--x\r\n${MARKER}`),
    'media-unsupported',
    'a picture for a hash',
  )
  refused(t, await raw('/v1/match', json, MARKER.repeat(400_000)), 'body-too-large', 'more than 4 MiB of queries')
  refused(t, await raw('/v1/cases', json, MARKER.repeat(100_000)), 'body-too-large', 'more than 1 MiB for a case')
  refused(
    t,
    await raw('/v1/banks/mine/signals', json, MARKER.repeat(700_001), ngo.headers),
    'body-too-large',
    'more than 8 MiB of signals',
  )
  silent(t, service)
})

t.test('a packed body is refused as such, and taken where files of hashes are', async (t) => {
  const { service, platform, ngo } = await prepared(t)
  const { app } = service
  const packed = (url: string, type: string, payload: string, headers: object, encoding = 'gzip') =>
    app.inject({
      method: 'POST',
      url,
      payload: encoding === 'gzip' ? gzipSync(payload) : payload,
      headers: { ...headers, 'content-type': type, 'content-encoding': encoding },
    })
  const query = JSON.stringify({ queries: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }] })
  const line = JSON.stringify({ signals: [{ type: 'pdq', view: 'whole', quality: 90, hash: randomHashText() }] })
  refused(t, await packed('/v1/match', 'application/json', query, platform.headers), 'media-unsupported', 'queries')
  refused(t, await packed('/v1/cases', 'application/json', '{"adult":true}', {}), 'media-unsupported', 'a case')
  refused(t, await packed('/v1/banks/mine/signals', 'application/x-ndjson', line, ngo.headers), 'media-unsupported', 'lines')
  for (const encoding of ['identity', 'Identity', ''])
    t.equal((await packed('/v1/match', 'application/json', query, platform.headers, encoding)).statusCode, 200, encoding)
  const file = await packed('/v1/banks/mine/imports', 'text/csv', `hash\n${randomHashText()}\n`, ngo.headers)
  t.match(file.json(), { accepted: 1, rejected: 0 }, 'a file of hashes')
})

t.test('a content type without a body is accepted where no body is expected', async (t) => {
  const { app } = await startService(t)
  const her = await openCase(app)
  const headers = { ...her.headers, 'content-type': 'application/json' }
  t.equal((await app.inject({ method: 'POST', url: `${her.url}/pin`, headers })).statusCode, 201)
  t.match(await app.inject({ method: 'DELETE', url: her.url, headers, payload: `{"${MARKER}":` }), { statusCode: 400 })
  t.equal((await app.inject({ method: 'DELETE', url: her.url, headers })).statusCode, 200, 'the case is withdrawn')
})

t.test('a method that a path does not support gets 405 with the allowed methods', async (t) => {
  const { app } = await startService(t)
  for (const [method, url, allow] of [
    ['PUT', '/v1/cases', 'POST'],
    ['DELETE', '/v1/match?x=1', 'POST'],
    ['POST', '/v1/cases/TBR-0000-0000-0000', 'DELETE, GET, HEAD'],
    ['PATCH', '//health/ready', 'GET, HEAD'],
    ['POST', '/problems/route-unknown', 'GET, HEAD'],
    ['GET', '/v1/banks/list/imports/1/2', undefined],
    ['OPTIONS', '/v1/match', 'POST'],
  ] as const) {
    const answer = await app.inject({ method, url })
    refused(t, answer, allow === undefined ? 'route-unknown' : 'method-not-allowed', `${method} ${url}`)
    t.equal(answer.headers['allow'], allow)
  }
})

t.test('an unknown field is named in the problem only if its name cannot be a secret', async (t) => {
  const { service, ngo, platform } = await prepared(t)
  const { app } = service
  const known = { type: 'pdq', hash: randomHashText() }
  const errorsOf = async (answer: ReturnType<typeof post>) => (await answer).json<{ errors: unknown }>().errors
  const detail = 'is a field that is not known here'
  t.same(await errorsOf(post(app, '/v1/cases', { adult: true, categroy: 'nude' })), [{ pointer: '#/categroy', detail }])
  t.same(
    await errorsOf(
      post(app, '/v1/match', { queries: [{ signals: [{ ...known, treshold: 1 }], bank: 'x' }] }, platform.headers),
    ),
    [
      { pointer: '#/queries/0/signals/0/treshold', detail },
      { pointer: '#/queries/0/bank', detail },
    ],
  )
  t.same(await errorsOf(post(app, '/v1/banks/mine/signals', { signals: [known], bnak: 'x' }, ngo.headers)), [
    { pointer: '#/bnak', detail },
  ])
  for (const name of [
    randomHashText(),
    '648934',
    'TBR-C9GK-YSFK-TZPE',
    'a'.repeat(33),
    '<script>',
    'x/y',
    '',
    MARKER,
    'name of hers',
  ])
    t.same(
      await errorsOf(post(app, '/v1/cases', { adult: true, [name]: 1 })),
      [{ pointer: '#', detail: 'has a field that is not known here' }],
      'a name that could be a secret is not echoed',
    )
  const many = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`field${'abcdefghij'[i % 10]}${'klmn'[Math.floor(i / 10)]}`, 1]),
  )
  t.match(await errorsOf(post(app, '/v1/cases', { adult: true, ...many })), { length: 20 }, 'at most 20 errors are listed')
  silent(t, service)
})

t.test('an unknown path and a broken escape are refused without an echo', async (t) => {
  const service = await startService(t)
  const { app } = service
  const long = `${MARKER}${'x'.repeat(200)}`

  for (const url of [
    `/${MARKER}`,
    `/v1/${MARKER}`,
    `/v1/cases/${MARKER}/${MARKER}`,
    `/v2/match?${MARKER}=1`,
    `//${MARKER}`,
  ]) {
    refused(t, await app.inject({ url }), 'route-unknown', url)
  }
  for (const url of [`/v1/cases/%zz${MARKER}`, `/%E0%A4%A${MARKER}`]) {
    refused(t, await app.inject({ url }), 'request-invalid', 'a broken escape')
  }
  const token = { authorization: `Bearer ${MARKER}` }
  refused(t, await app.inject({ url: `/v1/cases/${long}`, headers: token }), 'case-unknown', 'a number of 212 letters')
  silent(t, service)
})

t.test('HTTP without a Host or with an unknown Expect is answered as a problem or ignored', async (t) => {
  const { app } = await startService(t)
  const port = await listen(app)
  const asked = (head: string) =>
    exchange(port, `POST /v1/cases HTTP/${head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
  const withoutHost = await asked('1.1')
  t.match(withoutHost, /^HTTP\/1\.1 400 /)
  t.match(withoutHost, /"code":"request-invalid"/)
  t.notMatch(withoutHost, /"pointer"/, 'refused before the body is read')
  t.match(await asked('1.0'), /"pointer":"#"/, 'HTTP/1.0 needs no Host, so the body is refused')
  const expecting = await asked(`1.1\r\nHost: x\r\nExpect: ${MARKER}`)
  t.match(expecting, /"pointer":"#"/, 'answered as without Expect')
  t.notOk(expecting.includes(MARKER))
})

t.test('bytes that are not HTTP are refused, never echoed and not logged at any level', async (t) => {
  const service = await startService(t, { logLevel: 'trace' })
  const port = await listen(service.app)
  const chunked = `POST /v1/cases HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`

  for (const [what, status, title, bytes] of [
    ['a word', 400, 'not well-formed HTTP', `${MARKER}\r\n\r\n`],
    ['a long header', 431, 'longer', `GET / HTTP/1.1\r\nHost: x\r\n${MARKER}: ${'x'.repeat(40_000)}\r\n\r\n`],
    ['a chunk without a length', 400, 'not well-formed HTTP', `${chunked}${MARKER}\r\n`],
    ['a picture for a chunk', 400, 'not well-formed HTTP', `${chunked}4\r\n{"a"\r\n\u0089PNG${MARKER}\r\n`],
  ] as const) {
    const answer = await exchange(port, bytes)
    t.ok(answer.startsWith(`HTTP/1.1 ${status} `), what)
    t.match(
      JSON.parse(answer.slice(answer.indexOf('{'))),
      { status, code: 'request-invalid', title: new RegExp(title) },
      what,
    )
    t.match(answer, /content-type: application\/problem\+json/i, what)
    t.notOk(answer.includes(MARKER), `${what}: no echo`)
  }
  silent(t, service)
})

t.test('a form without a boundary is refused with what it lacks', async (t) => {
  const { app } = await startService(t)
  const { headers, url } = await openCase(app)
  for (const path of ['images', 'videos']) {
    const answer = await app.inject({
      ...{ method: 'POST', url: `${url}/${path}`, payload: '--x\r\n' },
      headers: { ...headers, 'content-type': 'multipart/form-data' },
    })
    refused(t, answer, 'upload-incomplete', path)
    t.match(answer.json(), { errors: [{ pointer: '#', detail: /no boundary/ }] }, path)
  }
})

t.test('keys, tokens, PINs and case numbers are not logged at any level', async (t) => {
  const service = await startService(t, { logLevel: 'trace' })
  const platform = await keyFor(service, 'platform', ['match'])
  const her = await openCase(service.app)
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  const payload = '--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--x--\r\n'

  for (const [url, secret] of [
    [`${her.url}/images`, her.headers],
    ['/v1/match/images', platform.headers],
  ] as const) {
    refused(
      t,
      await service.app.inject({ method: 'POST', url, payload, headers: { ...headers, ...secret } }),
      'image-missing',
    )
  }

  const log = service.log.join('')
  const { caseNumber, token, pin } = her
  for (const [what, secret] of Object.entries({ caseNumber, token, key: platform.key })) t.notOk(log.includes(secret), what)
  t.notOk(hasPin(log, pin), 'pin')
})

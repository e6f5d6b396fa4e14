// Whatever is asked wrongly, or by somebody who may not, has a clear answer that repeats nothing. No worker is needed.

import { scryptSync } from 'node:crypto'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { writtenForms } from '../../src/demo/written-forms.js'
import { SCOPES, type Scope } from '../../src/domain/access.js'
import { MARKER, refused, withoutInstance } from '../helpers/refusal.js'
import { keyFor, openCase, randomHashText, startService, type TestService, until } from '../helpers/service.js'
import { connectionsOf, listen, readAll } from '../helpers/sockets.js'

const PIN_TRIES = 10
const UNKNOWN_CASE = 'TBR-0000-0000-0000'

t.test('what does not match the schema is refused, and the answer names the place and not what stood there', async (t) => {
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
    t.match(answer.json(), { errors: [{ pointer: /^#/, detail: /./ }] }, `${what}: where`)
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

t.test('a body that is not what it says is refused', async (t) => {
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
  refused(t, await raw('/v1/banks/mine/signals', json, MARKER.repeat(100_000), ngo.headers), 'body-too-large', 'signals')
  silent(t, service)
})

t.test('an address that leads nowhere is refused as everything else is', async (t) => {
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
  refused(t, await app.inject({ method: 'PUT', url: '/v1/cases' }), 'route-unknown', 'a method that it has not')
  for (const url of [`/v1/cases/%zz${MARKER}`, `/%E0%A4%A${MARKER}`]) {
    refused(t, await app.inject({ url }), 'request-invalid', 'an escape that is none')
  }
  const token = { authorization: `Bearer ${MARKER}` }
  refused(t, await app.inject({ url: `/v1/cases/${long}`, headers: token }), 'case-unknown', 'a number of 212 letters')
  silent(t, service)
})

t.test('bytes that are no HTTP are refused, and none of them is repeated or logged, at any log level', async (t) => {
  const service = await startService(t, { logLevel: 'trace' })
  const port = await listen(service.app)
  const chunked = `POST /v1/cases HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`

  for (const [what, bytes] of [
    ['a word', `${MARKER}\r\n\r\n`],
    ['a header without an end', `GET / HTTP/1.1\r\nHost: x\r\n${MARKER}: ${'x'.repeat(40_000)}\r\n\r\n`],
    ['a chunk without a length', `${chunked}${MARKER}\r\n`],
    ['a picture for a chunk', `${chunked}4\r\n{"a"\r\n\u0089PNG${MARKER}\r\n`],
  ] as const) {
    const answer = await exchange(port, bytes)
    t.match(answer, /^HTTP\/1\.1 4\d\d /, what)
    t.match(answer, /content-type: application\/problem\+json/i, what)
    t.notOk(answer.includes(MARKER), `${what}: repeats nothing`)
  }
  silent(t, service)
})

t.test('a secret that opens something is not logged at any log level', async (t) => {
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
  for (const [what, secret] of Object.entries({ ...her, key: platform.key })) {
    if (typeof secret === 'string' && what !== 'url') t.notOk(log.includes(secret), what)
  }
})

t.test('every route asks for its scope, and no other scope opens it', async (t) => {
  const { service, ngo } = await prepared(t)
  const { app } = service
  const her = await openCase(app)
  const guarded = guardedRoutes(app)
  t.ok(guarded.length >= 10, `${guarded.length} guarded routes`)
  t.same(new Set(guarded.map(({ scope }) => scope)), new Set(['case', 'match', 'signals:write']))

  for (const { method, url, scope, name } of guarded) {
    const ask = (authorization?: string) =>
      app.inject({ method, url, ...(authorization !== undefined && { headers: { authorization } }) })
    const missing = scope === 'case' ? 'token-missing' : 'key-missing'

    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      `Basic ${MARKER}`,
      MARKER,
      `Bearer ${MARKER} ${MARKER}`,
    ]) {
      const answer = await ask(authorization)
      refused(t, answer, missing, `${name}, ${authorization ?? 'nothing'}`)
      t.equal(answer.headers['www-authenticate'], 'Bearer')
    }
    if (scope === 'case') {
      for (const token of [MARKER, ngo.key]) refused(t, await ask(`Bearer ${token}`), 'case-unknown', `${name}, no token`)
      continue
    }
    for (const text of [MARKER, her.token, withTypo(ngo.key), forged(ngo.key), `${ngo.key}0`]) {
      refused(t, await ask(`Bearer ${text}`), 'key-missing', `${name}, a key that is none`)
    }
    const allOthers = await keyFor(service, `all but ${scope}`, otherScopes(scope))
    refused(t, await ask(`Bearer ${allOthers.key}`), 'scope-missing', `${name}, the other scopes`)
  }
  silent(t, service)
})

t.test('the exact distance is told to those alone who have the scope for it', async (t) => {
  const { service, ngo } = await prepared(t)
  const hash = randomHashText()
  await post(service.app, '/v1/banks/mine/signals', { signals: [{ type: 'pdq', hash }] }, ngo.headers)
  const ask = async (scopes: Scope[]) => {
    const { headers } = await keyFor(service, 'asker', scopes)
    return await post(service.app, '/v1/match', { queries: [{ signals: [{ type: 'pdq', hash }] }] }, headers)
  }

  t.notOk((await ask(['match'])).body.includes('distanceBits'))
  t.match((await ask(['match', 'match:distance'])).json(), { results: [{ matches: [{ distanceBits: 0 }] }] })
  refused(t, await ask(['match:distance']), 'scope-missing')
})

t.test('an unknown case, another one’s token and a wrong PIN look the same', async (t) => {
  const service = await startService(t)
  const { app } = service
  const [hers, his] = [await openCase(app), await openCase(app)]

  for (const [method, url] of [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/images'],
    ['POST', '/hashes'],
  ] as const) {
    const ask = (caseNumber: string) => app.inject({ method, url: `/v1/cases/${caseNumber}${url}`, headers: his.headers })
    const answers = await Promise.all([hers.caseNumber, UNKNOWN_CASE, MARKER, '%00'].map(ask))
    for (const answer of answers) {
      refused(t, answer, 'case-unknown', `${method} ${url}`)
      t.same(withoutInstance(answer.body), withoutInstance(answers[0]?.body ?? ''))
    }
  }
  t.match((await app.inject({ url: hers.url, headers: hers.headers })).json(), { state: 'open' }, 'hers is untouched')

  const wrong = await tryPin(app, hers.caseNumber, otherPin(hers.pin))
  const unknown = await tryPin(app, UNKNOWN_CASE, hers.pin)
  const nonsense = await tryPin(app, MARKER, hers.pin)
  for (const answer of [wrong, unknown, nonsense]) refused(t, answer, 'case-unknown')
  t.same(withoutInstance(wrong.body), withoutInstance(unknown.body))
  t.same(Object.keys(wrong.headers).sort(), Object.keys(unknown.headers).sort())
  t.equal((await tryPin(app, hers.caseNumber, hers.pin)).statusCode, 201, 'hers opens still')
  silent(t, service)
})

t.test('the PIN is stretched for cases that do not exist as well', async (t) => {
  const { app } = await startService(t)
  const { caseNumber, pin } = await openCase(app)
  // The same work on the same machine, the fastest of several: what else runs here can only make a try slower.
  const workMs = fastest(() => scryptSync('123456', 'salt', 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 }))

  const wrongMs: number[] = []
  const unknownMs: number[] = []
  for (let i = 0; i < 4; i++) {
    wrongMs.push(await timed(() => tryPin(app, caseNumber, otherPin(pin))))
    unknownMs.push(await timed(() => tryPin(app, UNKNOWN_CASE, pin)))
  }

  t.ok(Math.min(...wrongMs) > workMs / 2, 'a wrong PIN costs the work')
  t.ok(Math.min(...unknownMs) > workMs / 2, 'an unknown case costs the work')
})

t.test('after ten wrong PINs a number is locked, also for the right one, whether the case exists or not', async (t) => {
  const { app } = await startService(t)
  const { caseNumber, pin } = await openCase(app)

  const answers: string[] = []
  for (const number of [caseNumber, UNKNOWN_CASE]) {
    for (let i = 0; i < PIN_TRIES; i++) refused(t, await tryPin(app, number, otherPin(pin)), 'case-unknown')
    const locked = await tryPin(app, number, pin)
    refused(t, locked, 'pin-locked')
    const retryAfterS = Number(locked.headers['retry-after'])
    t.ok(retryAfterS > 3500 && retryAfterS <= 3600, 'for an hour from the first try')
    answers.push(locked.body.replace(/"instance":"[^"]*"|"retryAfterS":\d+/g, ''))
  }
  t.equal(answers[0], answers[1])

  const written = [caseNumber.toLowerCase(), caseNumber.replaceAll('-', ''), caseNumber.replaceAll('-', '%20')]
  for (const number of written) refused(t, await tryPin(app, number, pin), 'pin-locked', 'however it is written')
})

t.test('a right PIN forgets the wrong ones before it', async (t) => {
  const { app } = await startService(t)
  const { caseNumber, pin } = await openCase(app)

  for (let round = 0; round < 2; round++) {
    await Promise.all(Array.from({ length: PIN_TRIES - 1 }, () => tryPin(app, caseNumber, otherPin(pin))))
    t.equal((await tryPin(app, caseNumber, pin)).statusCode, 201)
  }
})

t.test('fifty PINs at once are ten tries', async (t) => {
  const { app } = await startService(t)
  const { caseNumber, pin } = await openCase(app)

  const answers = await Promise.all(Array.from({ length: 50 }, () => tryPin(app, caseNumber, otherPin(pin))))

  t.equal(answers.filter(({ statusCode }) => statusCode === 404).length, PIN_TRIES)
  t.equal(answers.filter(({ statusCode }) => statusCode === 429).length, 50 - PIN_TRIES)
  refused(t, await tryPin(app, caseNumber, pin), 'pin-locked')
})

t.test('mistyped numbers of many people lock nobody out', async (t) => {
  const { app } = await startService(t)
  for (let i = 0; i < PIN_TRIES; i++) await tryPin(app, `TBR-${i}`, '000000')

  refused(t, await tryPin(app, 'my case', '123456'), 'case-unknown')
})

t.test('a declared minor is sent to the hotlines, and nothing is kept', async (t) => {
  const service = await startService(t)
  const redis = await redisOf(t, service)
  const before = await redis.dbsize()

  for (const payload of [{ adult: false }, { adult: false, category: 'nude' }]) {
    const answer = await post(service.app, '/v1/cases', payload)
    refused(t, answer, 'minor-declared')
    t.match(answer.json(), {
      hotlines: [{ name: 'NCMEC Take It Down' }, { name: /IWF/ }, { name: 'Talian Kasih', phone: '15999' }],
    })
    t.notMatch(answer.body, /caseNumber|token|pin/i)
  }

  t.equal(await redis.dbsize(), before)
  t.equal(await redis.xlen('{tabir}:changes'), 0)
})

t.test('a withdrawn case takes nothing more, and withdrawing again gives the first answer', async (t) => {
  const service = await startService(t)
  const { app } = service
  const her = await openCase(app)
  const given = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] }] }
  t.equal((await post(app, `${her.url}/hashes`, given, her.headers)).statusCode, 201)

  const first = await del(app, her.url, her.headers)
  const again = await del(app, her.url, her.headers)
  t.equal(first.statusCode, 200)
  t.match(first.json(), { state: 'withdrawn', images: 1 })
  t.same(again.json(), first.json())

  refused(t, await post(app, `${her.url}/hashes`, given, her.headers), 'case-withdrawn')
  t.match((await app.inject({ url: her.url, headers: her.headers })).json(), { state: 'withdrawn', images: 0 })
})

t.test('a case takes no picture that arrives while it is being withdrawn', async (t) => {
  const service = await startService(t)
  const { app } = service
  const platform = await keyFor(service, 'platform', ['match'])
  const her = await openCase(app)
  const hashes = Array.from({ length: 40 }, randomHashText)
  const add = (hash: string) =>
    post(app, `${her.url}/hashes`, { images: [{ signals: [{ type: 'pdq', hash, quality: 90 }] }] }, her.headers)

  const [withdrawn, ...added] = await Promise.all([
    ...hashes.slice(0, 1).map(() => del(app, her.url, her.headers)),
    ...hashes.map(add),
  ])

  t.equal(withdrawn?.statusCode, 200)
  for (const { statusCode } of added) t.ok(statusCode === 201 || statusCode === 410)
  const queries = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  const asked = await post(app, '/v1/match', { queries }, platform.headers)
  t.notMatch(asked.body, /matchId/, 'what was taken before went with the case')
})

t.test('a bank of others looks like one that is not there', async (t) => {
  const { service, ngo, platform } = await prepared(t)
  const { app } = service
  const { headers } = await keyFor(service, 'another ngo')
  const added = await post(app, '/v1/banks/mine/signals', signals(1), ngo.headers)
  const { signalId } = z.object({ signals: z.tuple([z.object({ signalId: z.string() })]) }).parse(added.json()).signals[0]

  const ways = (bank: string) => [
    post(app, `/v1/banks/${bank}/signals`, signals(1), headers),
    ndjson(app, bank, JSON.stringify(signals(1).signals[0]), headers),
    del(app, `/v1/banks/${bank}/signals/${signalId}`, headers),
  ]
  const [foreign, unknown, cases] = await Promise.all(['mine', 'nobodys', 'cases'].map((bank) => Promise.all(ways(bank))))
  for (const [i, answer] of (foreign ?? []).entries()) {
    refused(t, answer, 'bank-unknown')
    for (const other of [unknown?.[i], cases?.[i]]) t.same(withoutInstance(other?.body ?? ''), withoutInstance(answer.body))
  }
  refused(t, await post(app, '/v1/banks', { name: 'mine' }, headers), 'bank-exists')
  refused(t, await post(app, '/v1/banks', { name: 'cases' }, headers), 'bank-exists', 'the bank of the cases')
  refused(t, await del(app, `/v1/banks/mine/signals/00000000-0000-7000-8000-000000000000`, ngo.headers), 'signal-unknown')
  const query = { queries: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }], banks: ['mine', MARKER] }
  refused(t, await post(app, '/v1/match', query, platform.headers), 'bank-unknown', 'asked in a bank that is not there')
  refused(t, await post(app, `/v1/match/images?banks=${MARKER}`, undefined, platform.headers), 'media-unsupported')

  t.equal((await del(app, `/v1/banks/mine/signals/${signalId}`, ngo.headers)).statusCode, 204, 'its owner may')
  refused(t, await del(app, `/v1/banks/mine/signals/${signalId}`, ngo.headers), 'signal-unknown', 'and not twice')
  silent(t, service)
})

t.test('a line that cannot be used is refused with its number, and stops no other', async (t) => {
  const { service, ngo, platform } = await prepared(t)
  const { app } = service
  const [first, last] = [randomHashText(), randomHashText()]
  const good = (hash: string) => JSON.stringify({ type: 'pdq', hash })
  const lines = [
    good(first),
    `{"type":"pdq","hash":"${MARKER}`,
    '',
    `{"type":"pdq","hash":"${randomHashText()}","${MARKER}":1}`,
    JSON.stringify({ type: 'pdq', hash: randomHashText(), ref: MARKER.repeat(20) }),
    `{"type":"pdq","hash":"${randomHashText()}","ref":"${MARKER.repeat(1000)}"}`,
    `${good(randomHashText())}\0`,
    JSON.stringify({ type: 'pdq', hash: randomHashText(), quality: 49 }),
    `[${MARKER}]`,
    'null',
    Buffer.from([0xff, 0xfe, 0x00]).toString('latin1'),
    `${good(last)}\r`,
  ]

  const answer = await ndjson(app, 'mine', lines.join('\n'), ngo.headers)

  t.equal(answer.statusCode, 201)
  const refusedLines = [2, 4, 5, 6, 7, 8, 9, 10, 11]
  t.match(answer.json(), {
    accepted: 2,
    refused: refusedLines.length,
    signals: [
      { line: 1, state: 'registered' },
      ...refusedLines.map((line) => ({
        line,
        state: 'refused',
        problem: { code: line === 8 ? 'quality-too-low' : 'request-invalid' },
      })),
      { line: 12, state: 'registered' },
    ],
  })
  t.notOk(answer.body.includes(MARKER))
  const queries = [first, last].map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  t.match((await post(app, '/v1/match', { queries }, platform.headers)).json(), {
    results: [{ matches: [{ grade: 'exact' }] }, { matches: [{ grade: 'exact' }] }],
  })

  refused(t, await ndjson(app, 'mine', `${MARKER}\n${MARKER}`, ngo.headers), 'request-invalid', 'no good line at all')
  refused(t, await ndjson(app, 'mine', '', ngo.headers), 'request-invalid', 'no line at all')
  refused(t, await ndjson(app, 'mine', MARKER.repeat(1_000_000), ngo.headers), 'request-invalid', 'a line of 12 MB')
  silent(t, service)
})

t.test(
  'a million bytes of lines are no body that is too large, and a stream that breaks off loses no line before',
  async (t) => {
    const { service, ngo, platform } = await prepared(t)
    const lines = Array.from({ length: 15_000 }, () => JSON.stringify({ type: 'pdq', hash: randomHashText() }))
    const whole = await ndjson(service.app, 'mine', lines.join('\n'), ngo.headers)
    t.match(whole.json(), { accepted: lines.length, refused: 0 })

    const port = await listen(service.app)
    const hash = randomHashText()
    const text = [hash, ...Array.from({ length: 600 }, randomHashText)].map((h) => `{"type":"pdq","hash":"${h}"}\n`).join('')
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(head('/v1/banks/mine/signals', ngo.key, 'application/x-ndjson', text.length * 2) + text)
    const query = { queries: [{ signals: [{ type: 'pdq', hash }] }] }
    await until(async () => (await post(service.app, '/v1/match', query, platform.headers)).body.includes('matchId'))
    socket.destroy()
    await until(() => connectionsOf(service.app).then((count) => count === 0))
    await ndjson(service.app, 'mine', JSON.stringify({ type: 'pdq', hash }), ngo.headers)
    t.notOk(
      service.log.some((line) => line.includes('"level":50')),
      'a client that leaves is no fault of ours',
    )
  },
)

t.test('a given hash of low quality is refused, alone as a whole and among others in its place', async (t) => {
  const { service, ngo, platform } = await prepared(t)
  const { app } = service
  const her = await openCase(app)
  const image = (quality: number) => ({ signals: [{ type: 'pdq', hash: randomHashText(), quality }] })

  const alone = await post(app, `${her.url}/hashes`, { images: [image(49)] }, her.headers)
  refused(t, alone, 'quality-too-low')
  t.match(alone.json(), { detail: /detail.*larger or sharper/ }, 'with advice')
  const among = await post(app, `${her.url}/hashes`, { images: [image(49), image(50)] }, her.headers)
  t.equal(among.statusCode, 201)
  t.match(among.json(), {
    images: [
      { state: 'refused', problem: { code: 'quality-too-low' } },
      { state: 'registered', quality: 50 },
    ],
  })
  t.match((await app.inject({ url: her.url, headers: her.headers })).json(), { images: 1 })

  const bank = { signals: [{ type: 'pdq', hash: randomHashText(), quality: 49 }] }
  refused(t, await post(app, '/v1/banks/mine/signals', bank, ngo.headers), 'quality-too-low')
  const asked = await post(app, '/v1/match', { queries: [image(49), image(90)] }, platform.headers)
  t.match(asked.json(), { results: [{ matches: [], problem: { code: 'quality-too-low' } }, { matches: [] }] })
})

async function prepared(t: Test) {
  const service = await startService(t)
  const ngo = await keyFor(service, 'ngo', ['signals:write'])
  const platform = await keyFor(service, 'platform', ['match'])
  await post(service.app, '/v1/banks', { name: 'mine' }, ngo.headers)
  return { service, ngo, platform }
}

function post(app: FastifyInstance, url: string, payload: InjectOptions['payload'], headers: Record<string, string> = {}) {
  const isText = typeof payload === 'string'
  return app.inject({
    method: 'POST',
    url,
    ...(payload !== undefined && { payload }),
    headers: { ...headers, ...(isText && { 'content-type': 'application/json' }) },
  })
}

function del(app: FastifyInstance, url: string, headers: Record<string, string>) {
  return app.inject({ method: 'DELETE', url, headers })
}

/** In pieces that cut lines and characters anywhere. */
function ndjson(app: FastifyInstance, bank: string, text: string, headers: Record<string, string>) {
  const bytes = Buffer.from(text)
  const pieceBytes = Math.max(7, Math.ceil(bytes.length / 1000))
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) =>
    bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes),
  )
  return app.inject({
    method: 'POST',
    url: `/v1/banks/${bank}/signals`,
    payload: Readable.from(pieces),
    headers: { ...headers, 'content-type': 'application/x-ndjson' },
  })
}

function tryPin(app: FastifyInstance, caseNumber: string, pin: string) {
  return post(app, `/v1/cases/${caseNumber}/tokens`, { pin })
}

function otherPin(pin: string): string {
  return String((Number(pin) + 1) % 1_000_000).padStart(6, '0')
}

function signals(count: number) {
  return { signals: Array.from({ length: count }, () => ({ type: 'pdq', hash: randomHashText() })) }
}

const Description = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ security: z.array(z.record(z.string(), z.array(z.string()))).optional() })),
  ),
})

/** Every route that is not public, from the description that the routes themselves give, with a path to ask for. */
function guardedRoutes(app: FastifyInstance) {
  const methods = { get: 'GET', post: 'POST', delete: 'DELETE', put: 'PUT', patch: 'PATCH' } as const
  const { paths } = Description.parse(app.swagger())
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(methods).flatMap(([method, verb]) => {
      const security = operations[method]?.security?.[0]
      if (security === undefined) return []
      const scope = 'caseToken' in security ? 'case' : (security['apiKey']?.[0] ?? 'none')
      const url = path.replaceAll(/\{\w+\}/g, MARKER)
      return [{ method: verb, url, scope, name: `${verb} ${path}` }]
    }),
  )
}

function otherScopes(scope: string): Scope[] {
  return SCOPES.filter((other) => other !== scope)
}

function withTypo(key: string): string {
  return key.slice(0, 20) + (key[20] === 'a' ? 'b' : 'a') + key.slice(21)
}

/** The same id and another secret, without the checksum that belongs to it. */
function forged(key: string): string {
  const secretAt = key.lastIndexOf('_') + 1
  return key.slice(0, secretAt) + '0'.repeat(key.length - secretAt)
}

function silent(t: Test, { log }: TestService): void {
  t.ok(log.length > 0, 'there is a log')
  const text = log.join('')
  const written = [MARKER, ...writtenForms(Buffer.from(MARKER)).map((form) => form.text)]
  t.same(
    written.filter((form) => text.includes(form)),
    [],
    'the log repeats nothing, in whatever form',
  )
}

async function redisOf(t: Test, { redis: { socket } }: TestService): Promise<Redis> {
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  return redis
}

function head(path: string, key: string, contentType: string, sizeBytes: number): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: ${contentType}\r\nContent-Length: ${sizeBytes}\r\n\r\n`
}

/** Sends bytes and reads whatever comes back until the server hangs up. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(Buffer.from(bytes, 'latin1'))
  return await readAll(socket)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

function fastest(work: () => unknown): number {
  return Math.min(
    ...Array.from({ length: 3 }, () => {
      const startedAt = performance.now()
      work()
      return performance.now() - startedAt
    }),
  )
}

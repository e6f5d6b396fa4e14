// An organisation acts for a submitter with her consent and its own key, until it hands the case over.

import { Redis } from 'ioredis'
import t from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { MARKER, refused, withoutInstance } from '../helpers/refusal.js'
import { del, post, tryPin } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'

const REQUEST = { adult: true, consent: { kind: 'in-person', on: '2026-01-31' } }

function given(hash: string) {
  return { images: [{ signals: [{ type: 'pdq', hash, quality: 80 }] }] }
}

t.test('an NGO opens, fills and hands over a case; afterwards only its submitter has access', async (t) => {
  const service = await startService(t)
  const { app } = service
  const ngo = await keyFor(service, 'ngo', ['cases:write'])
  const platform = await keyFor(service, 'platform', ['match'])
  const tierOf = async (hash: string) => {
    const answer = await post(app, '/v1/match', { queries: [{ signals: [{ type: 'pdq', hash }] }] }, platform.headers)
    return /"tier":"([a-z-]+)"/.exec(answer.body)?.[1]
  }
  const opened = await post(app, '/v1/assisted-cases', { ...REQUEST, attest: true, category: 'nude' }, ngo.headers)
  t.equal(opened.statusCode, 201, opened.body)
  t.strictSame(Object.keys(opened.json()).toSorted(), ['caseId', 'caseNumber', 'expiresAt', 'remindAt'], 'no PIN, no token')
  const { caseNumber } = opened.json<{ caseNumber: string }>()
  const url = `/v1/cases/${caseNumber}`

  const attested = randomHashText()
  t.equal((await post(app, `${url}/hashes`, given(attested), ngo.headers)).statusCode, 201)
  t.equal(await tierOf(attested), 'ngo-attested')
  t.match((await app.inject({ url, headers: ngo.headers })).json(), {
    state: 'active',
    assisted: { consent: { kind: 'in-person', on: '2026-01-31' }, attested: true, handedOverAt: null },
  })
  refused(t, await post(app, `${url}/pin`, undefined, ngo.headers), 'handover-needed')

  const handover = await post(app, `${url}/handover`, {}, ngo.headers)
  const token = await tryPin(app, caseNumber, handover.json<{ recoveryCode: string }>().recoveryCode)
  t.equal(token.statusCode, 201)
  const hers = { authorization: `Bearer ${token.json<{ token: string }>().token}` }
  for (const method of ['GET', 'DELETE'] as const)
    refused(t, await app.inject({ method, url, headers: ngo.headers }), 'case-unknown', 'the NGO has no access any more')
  refused(t, await post(app, `${url}/hashes`, given(randomHashText()), ngo.headers), 'case-unknown')
  refused(t, await post(app, `${url}/handover`, {}, ngo.headers), 'handed-over', 'the NGO cannot hand over twice')
  refused(t, await post(app, `${url}/handover`, {}, hers), 'not-assisted')

  const own = randomHashText()
  t.equal((await post(app, `${url}/hashes`, given(own), hers)).statusCode, 201)
  t.equal(await tierOf(own), 'self-reported', 'what she adds herself is not attested')
  const { events } = (await app.inject({ url: `${url}/events`, headers: hers })).json<{ events: { kind: string }[] }>()
  t.same(
    events.map(({ kind }) => kind).filter((kind) => kind !== 'matched'), // the query above adds this event later
    ['opened', 'registered', 'attested', 'handed-over', 'registered'],
  )
  t.match((await del(app, url, hers)).json(), { state: 'withdrawn', images: 2 })
})

t.test('with keepReading, an organisation that handed a case over may read it and change nothing', async (t) => {
  const service = await startService(t)
  const { app } = service
  const ngo = await keyFor(service, 'ngo', ['cases:write'])
  const { caseNumber } = (await post(app, '/v1/assisted-cases', REQUEST, ngo.headers)).json<{ caseNumber: string }>()
  const url = `/v1/cases/${caseNumber}`
  const hash = randomHashText()
  await post(app, `${url}/hashes`, given(hash), ngo.headers)
  t.match((await app.inject({ url: `${url}/export`, headers: ngo.headers })).json(), {
    images: [{ tier: 'self-reported' }],
  })
  t.equal((await post(app, `${url}/handover`, { keepReading: true }, ngo.headers)).statusCode, 201)
  for (const path of ['', '/events', '/export'])
    t.equal((await app.inject({ url: `${url}${path}`, headers: ngo.headers })).statusCode, 200, path)
  refused(t, await del(app, url, ngo.headers), 'case-unknown')
  refused(t, await post(app, `${url}/hashes`, given(hash), ngo.headers), 'case-unknown')
  refused(t, await post(app, `${url}/pin`, undefined, ngo.headers), 'case-unknown')
})

t.test('the submitter sees who may read her case, and ends that, also with a PIN of her own', async (t) => {
  const service = await startService(t)
  const { app } = service
  const ngo = await keyFor(service, 'Helpline', ['cases:write'])
  const { caseNumber } = (await post(app, '/v1/assisted-cases', REQUEST, ngo.headers)).json<{ caseNumber: string }>()
  const url = `/v1/cases/${caseNumber}`
  const [shown, right] = [`${url}/export`, `${url}/reading-right`]
  refused(t, await del(app, right, ngo.headers), 'handover-needed')
  const handed = await post(app, `${url}/handover`, { keepReading: true }, ngo.headers)
  const withPin = async (pin: string) => {
    const { token } = (await tryPin(app, caseNumber, pin)).json<{ token: string }>()
    return { authorization: `Bearer ${token}` }
  }
  const first = await withPin(handed.json<{ recoveryCode: string }>().recoveryCode)
  const own = await post(app, `${url}/pin`, undefined, first)
  const hers = await withPin(own.json<{ pin: string }>().pin)
  const seen = (await app.inject({ url: shown, headers: hers })).json<{ case: { assisted: { handedOverAt: string } } }>()
    .case
  const since = seen.assisted.handedOverAt
  t.match(seen, { assisted: { organisation: 'Helpline', readsSince: since } }, 'a new PIN does not end it')
  t.match((await app.inject({ url, headers: hers })).json(), { assisted: { organisation: 'Helpline', readsSince: since } })

  refused(t, await del(app, right, ngo.headers), 'case-unknown', 'the organisation changes nothing any more')
  for (const time of ['once', 'repeated'])
    t.match((await del(app, right, hers)).json(), { assisted: { organisation: 'Helpline', readsSince: null } }, time)
  for (const path of ['', '/events', '/export'])
    refused(t, await app.inject({ url: `${url}${path}`, headers: ngo.headers }), 'case-unknown', path)
  refused(t, await post(app, `${url}/handover`, { keepReading: true }, ngo.headers), 'handed-over', 'it cannot get it back')
  const after = (await app.inject({ url: shown, headers: hers })).json<{ case: object; events: { kind: string }[] }>()
  t.match(after.case, { assisted: { organisation: 'Helpline', readsSince: null, handedOverAt: since } })
  t.equal(after.events.filter(({ kind }) => kind === 'reading-ended').length, 1)
})

t.test('a key does not open a case of another organisation, or one that a submitter opened', async (t) => {
  const service = await startService(t)
  const { app } = service
  const ngo = await keyFor(service, 'ngo', ['cases:write'])
  const other = await keyFor(service, 'other', ['cases:write'])
  const reader = await keyFor(service, 'ngo', ['match'])
  const { caseNumber } = (await post(app, '/v1/assisted-cases', REQUEST, ngo.headers)).json<{ caseNumber: string }>()
  const her = await openCase(app)
  const answers = [
    await app.inject({ url: `/v1/cases/${caseNumber}`, headers: other.headers }),
    await app.inject({ url: `/v1/cases/${caseNumber}`, headers: reader.headers }),
    await app.inject({ url: her.url, headers: ngo.headers }),
    await app.inject({ url: '/v1/cases/TBR-0000-0000-0000', headers: ngo.headers }),
    await app.inject({ url: `/v1/cases/${MARKER}`, headers: ngo.headers }),
  ]
  for (const answer of answers) {
    refused(t, answer, 'case-unknown')
    t.same(withoutInstance(answer.body), withoutInstance(answers[0]?.body ?? ''))
  }
  for (const pin of ['000000', '123456']) refused(t, await tryPin(app, caseNumber, pin), 'case-unknown', 'no PIN as yet')
  refused(t, await post(app, `${her.url}/handover`, {}, her.headers), 'not-assisted')
  refused(t, await post(app, '/v1/assisted-cases', REQUEST), 'key-missing')
  refused(t, await post(app, '/v1/assisted-cases', REQUEST, reader.headers), 'scope-missing')
})

t.test('an assisted case needs a valid consent and no unknown fields', async (t) => {
  const service = await startService(t)
  const { app } = service
  const ngo = await keyFor(service, 'ngo', ['cases:write'])
  const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10)
  for (const wrong of [
    { adult: true },
    { ...REQUEST, consent: { kind: 'assumed', on: '2026-01-31' } },
    { ...REQUEST, consent: { kind: 'in-person', on: '2026-02-31' } },
    { ...REQUEST, consent: { kind: 'in-person', on: tomorrow } },
    { ...REQUEST, consent: { ...REQUEST.consent, name: MARKER } },
    { ...REQUEST, name: MARKER },
    { ...REQUEST, complaint: '---' },
    { ...REQUEST, complaint: 'x'.repeat(65) },
  ])
    refused(t, await post(app, '/v1/assisted-cases', wrong, ngo.headers), 'request-invalid')
  refused(t, await post(app, '/v1/assisted-cases', { ...REQUEST, age: 16 }, ngo.headers), 'minor-declared')
})

t.test('the number of a complaint is stored as a keyed hash: it can be compared and not read', async (t) => {
  const service = await startService(t)
  const { app, redis } = service
  const her = await openCase(app)
  const reference = 'DANG WANGI/012345/26'
  const put = (body: object) =>
    app.inject({ method: 'PUT', url: `${her.url}/complaint`, headers: her.headers, payload: body })
  t.match((await app.inject(her)).json(), { complaint: false })
  t.equal((await put({ reference })).statusCode, 204)
  t.match((await app.inject(her)).json(), { complaint: true })
  for (const [text, noted] of [
    [reference, true],
    ['dang wangi 012345-26', true],
    ['DANG WANGI/012345/27', false],
  ] as const) {
    const answer = await post(app, `${her.url}/complaint/checks`, { reference: text }, her.headers)
    t.same(answer.json(), { noted })
  }
  const client = new Redis(redis.socket)
  t.teardown(() => client.disconnect())
  const [name] = await client.keys('{tabir}:case:*[0-9a-f]')
  const { complaint } = await client.hgetall(name ?? '')
  t.match(complaint, /^[0-9a-f]{64}$/)

  const other = await openCase(app)
  await app.inject({ method: 'PUT', url: `${other.url}/complaint`, headers: other.headers, payload: { reference } })
  const all = await client.keys('{tabir}:case:*[0-9a-f]')
  t.equal(
    new Set(await Promise.all(all.map((each) => client.hget(each, 'complaint')))).size,
    2,
    'the hash differs in each case',
  )
  refused(t, await put({ reference: ' ' }), 'request-invalid')
  await del(app, her.url, her.headers)
  refused(t, await put({ reference }), 'case-withdrawn')
})

t.test('requests of the organisation that reach the store after the handover are refused', async (t) => {
  const service = await startService(t)
  const { app, services } = service
  const { key, headers } = await keyFor(service, 'ngo', ['cases:write'])
  const caller = services.identify(key)
  if (caller === undefined) return t.fail('the key is known')
  const { caseNumber } = (await post(app, '/v1/assisted-cases', REQUEST, headers)).json<{ caseNumber: string }>()
  const url = `/v1/cases/${caseNumber}`
  const hash = randomHashText()
  await post(app, `${url}/hashes`, given(hash), headers)

  // Authorised before the handover; the requests below reach the store after it.
  const own = await services.cases.ownByKey(caseNumber, caller, 'act')
  const { pin, recoveryCode } = (await post(app, `${url}/handover`, { keepReading: true }, headers)).json<{
    pin: string
    recoveryCode: string
  }>()
  const notice = { laws: [], statements: [], actingAs: 'representative', contact: undefined } as const
  await t.rejects(services.cases.withdraw(own), { code: 'case-unknown' }, 'withdraw')
  await t.rejects(services.cases.noteComplaint(own, 'AZ 1'), { code: 'case-unknown' }, 'note a complaint')
  await t.rejects(services.notices.give(own, notice), { code: 'case-unknown' }, 'give notice')
  await t.rejects(services.cases.handOver(own, { keepsReading: false }), { code: 'request-invalid' }, 'hand over otherwise')
  t.match(await services.cases.handOver(own, { keepsReading: true }), { pin }, 'repeating the handover gives the valid PIN')
  const signals = [{ type: 'pdq' as const, view: 'whole' as const, quality: 80, hash: hashFromBytes(Buffer.alloc(32, 3)) }]
  await t.rejects(services.registration.forCase(own, [{ signals, category: undefined }]), { code: 'case-unknown' }, 'add')

  const { token } = (await tryPin(app, caseNumber, recoveryCode)).json<{ token: string }>()
  const headersOfHers = { authorization: `Bearer ${token}` }
  const view = (await app.inject({ url, headers: headersOfHers })).json()
  t.match(view, { state: 'active', images: 1, complaint: false })
  t.equal((await del(app, url, headersOfHers)).statusCode, 200, 'the submitter can withdraw')
})

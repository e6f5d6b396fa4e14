import t from 'tap'
import { refused } from '../helpers/refusal.js'
import { post } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, type TestService, until } from '../helpers/service.js'

/** `undefined` while the process answers 503. */
async function isFound({ app }: TestService, headers: Record<string, string>, hash: string): Promise<boolean | undefined> {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/match',
    headers,
    payload: { queries: [{ signals: [{ type: 'pdq', hash }] }] },
  })
  if (response.statusCode === 503) return undefined
  return response.json<{ results: { matches: unknown[] }[] }>().results[0]?.matches.length === 1
}

async function openBank(service: TestService, name: string) {
  const { headers } = await keyFor(service, `org of ${name}`, ['signals:write', 'match'])
  const made = await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name } })
  return { headers, made, url: `/v1/banks/${name}/signals` }
}

t.test('signals are submitted, matched, resubmitted without duplicates, and removed', async (t) => {
  const service = await startService(t)
  const { headers, made, url } = await openBank(service, 'NGO-1')
  t.match(made.json(), { bank: 'NGO-1', own: true })
  const hash = randomHashText()
  const payload = {
    signals: [
      { type: 'pdq', hash, quality: 90, ref: 'case 7', category: 'nude' },
      { type: 'pdq', hash: randomHashText(), quality: 10 },
    ],
  }

  const first = await service.app.inject({ method: 'POST', url, headers, payload })
  t.equal(first.statusCode, 201)
  t.match(first.json(), {
    accepted: 1,
    refused: 1,
    signals: [
      { signalId: String, state: 'registered' },
      { state: 'refused', problem: { code: 'quality-too-low' } },
    ],
  })
  const { signals } = first.json<{ signals: { signalId: string }[] }>()
  t.ok(await isFound(service, headers, hash))

  const again = await service.app.inject({ method: 'POST', url, headers, payload })
  t.same(again.json(), first.json(), 'the same signal has the same id')
  t.ok(await isFound(service, headers, hash), 'it is still one match')

  const removed = await service.app.inject({ method: 'DELETE', url: `${url}/${signals[0]?.signalId}`, headers })
  t.equal(removed.statusCode, 204)
  t.notOk(await isFound(service, headers, hash))
  const twice = await service.app.inject({ method: 'DELETE', url: `${url}/${signals[0]?.signalId}`, headers })
  t.match(twice.json(), { code: 'signal-unknown', status: 404 })
})

t.test('each line of NDJSON is accepted or refused by itself, and broken lines stop no other', async (t) => {
  const service = await startService(t)
  const { headers, url } = await openBank(service, 'lines')
  const hashes = Array.from({ length: 1234 }, randomHashText)
  const lines = hashes.map((hash) => JSON.stringify({ type: 'pdq', hash }))
  lines.splice(
    700,
    0,
    '{"type":"pdq"',
    '',
    '{"type":"pdq","hash":"nope"}',
    'x'.repeat(5000),
    `{"type":"pdq","hash":"${randomHashText()}","quality":3}`,
  )

  const response = await service.app.inject({
    method: 'POST',
    url,
    headers: { ...headers, 'content-type': 'application/x-ndjson' },
    payload: lines.join('\n'),
  })
  t.equal(response.statusCode, 201)
  const { accepted, refused, signals } = response.json<{
    accepted: number
    refused: number
    signals: { line: number; state: string; problem?: { code: string } }[]
  }>()
  t.equal(accepted, hashes.length)
  t.equal(refused, 4)
  t.match(response.headers['content-type'], /^application\/json/)
  t.equal(response.headers['content-length'], String(response.rawPayload.length))
  t.same(
    signals.map(({ line }) => line),
    lines.flatMap((line, i) => (line === '' ? [] : [i + 1])),
    'every line in its order, although the answer is written in pieces',
  )
  t.match(
    signals.filter(({ state }) => state === 'refused'),
    [
      { line: 701, problem: { code: 'request-invalid' } },
      { line: 703, problem: { code: 'request-invalid' } },
      { line: 704, problem: { code: 'request-invalid' } },
      { line: 705, problem: { code: 'quality-too-low' } },
    ],
  )
  for (const hash of [hashes[0], hashes[600], hashes[1233]]) t.ok(await isFound(service, headers, hash ?? ''))
})

t.test('when no submitted signal can be used, the request is refused with the reason', async (t) => {
  const service = await startService(t)
  const { headers, url } = await openBank(service, 'none')
  const post = (payload: object | string, type = 'application/json') =>
    service.app.inject({ method: 'POST', url, headers: { ...headers, 'content-type': type }, payload })
  const signal = (quality: number) => ({ type: 'pdq', hash: randomHashText(), quality })

  t.match((await post('{"type":"pdq"}\nnothing', 'application/x-ndjson')).json(), { code: 'request-invalid', status: 400 })
  t.match((await post({ signals: [signal(49)] })).json(), { code: 'quality-too-low', status: 422 })
  t.match((await post({ signals: [signal(49), signal(50)] })).json(), { accepted: 1, refused: 1 }, 'quality 50 is accepted')
})

t.test('during an import both apis answer, and a withdrawal reaches the other one', async (t) => {
  const one = await startService(t)
  const two = await startService(t, { redis: one.redis })
  const { headers, url } = await openBank(one, 'large')
  await until(() => two.services.identify(headers.authorization.slice(7)) !== undefined)
  const her = await openCase(one.app)
  const hash = randomHashText()
  await one.app.inject({
    method: 'POST',
    url: `${her.url}/hashes`,
    headers: her.headers,
    payload: { images: [{ signals: [{ type: 'pdq', hash, quality: 100 }] }] },
  })
  await until(async () => (await isFound(two, headers, hash)) === true)

  const lines = Array.from({ length: 15_000 }, () => JSON.stringify({ type: 'pdq', hash: randomHashText() }))
  let isImporting = true
  const importing = one.app
    .inject({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': 'application/x-ndjson' },
      payload: lines.join('\n'),
    })
    .finally(() => {
      isImporting = false
    })
  await one.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.ok(isImporting, 'the import is still under way')
  t.equal(await isFound(one, headers, hash), false)
  await until(async () => (await isFound(two, headers, hash)) === false)
  t.equal((await importing).statusCode, 201)
})

t.test('only its owner can add to a bank or remove from it', async (t) => {
  const service = await startService(t)
  const mine = await openBank(service, 'mine')
  const theirs = await openBank(service, 'theirs')
  const hash = randomHashText()
  const added = await service.app.inject({
    method: 'POST',
    url: mine.url,
    headers: mine.headers,
    payload: { signals: [{ type: 'pdq', hash }] },
  })
  const { signals } = added.json<{ signals: { signalId: string }[] }>()

  for (const url of [mine.url, '/v1/banks/cases/signals', '/v1/banks/nobody/signals']) {
    const refused = await service.app.inject({
      method: 'POST',
      url,
      headers: theirs.headers,
      payload: { signals: [{ type: 'pdq', hash }] },
    })
    t.match(refused.json(), { code: 'bank-unknown', status: 404 })
  }
  const removal = await service.app.inject({
    method: 'DELETE',
    url: `${theirs.url}/${signals[0]?.signalId}`,
    headers: theirs.headers,
  })
  t.match(removal.json(), { code: 'signal-unknown' }, 'the signal is in another bank')
  t.ok(await isFound(service, mine.headers, hash))

  const listed = await service.app.inject({ url: '/v1/banks', headers: mine.headers })
  const { banks } = listed.json<{ banks: { bank: string; own: boolean }[] }>()
  t.same(banks.map(({ bank, own }) => [bank, own]).sort(), [
    ['cases', false],
    ['harmless', false],
    ['mine', true],
    ['theirs', false],
  ])
})

t.test('a bank name that is taken or reserved is refused', async (t) => {
  const service = await startService(t)
  const { headers } = await openBank(service, 'taken')
  for (const name of ['taken', 'cases']) {
    const response = await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name } })
    t.match(response.json(), { code: 'bank-exists', status: 409 })
  }
})

t.test('every process accepts signals for a bank as soon as its creation is answered', async (t) => {
  const first = await startService(t)
  const second = await startService(t, { redis: first.redis })
  const { headers } = await keyFor(first, 'ngo', ['signals:write'])
  await until(async () => (await second.app.inject({ url: '/v1/banks', headers })).statusCode === 200)
  for (let i = 0; i < 20; i++) {
    await first.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: `new-${i}` } })
    const payload = { signals: [{ type: 'pdq', hash: randomHashText() }] }
    const added = await second.app.inject({ method: 'POST', url: `/v1/banks/new-${i}/signals`, headers, payload })
    t.equal(added.statusCode, 201)
  }
})

t.test('an organisation can have 200 banks, independently of other organisations', async (t) => {
  const service = await startService(t)
  const loud = await keyFor(service, 'loud', ['signals:write'])
  const quiet = await keyFor(service, 'quiet', ['signals:write'])
  const make = (name: string, { headers } = loud) => post(service.app, '/v1/banks', { name }, headers)
  const made = await Promise.all(Array.from({ length: 210 }, (_, i) => make(`BANK_${i}`)))
  t.equal(made.filter(({ statusCode }) => statusCode === 201).length, 200)
  refused(t, await make('one-more'), 'banks-full')
  t.equal((await make('quiet', quiet)).statusCode, 201)
  const first = made.findIndex(({ statusCode }) => statusCode === 201)
  const removed = await service.app.inject({ method: 'DELETE', url: `/c/bank/BANK_${first}`, headers: loud.headers })
  t.equal(removed.statusCode, 200, removed.body)
  const again = await make('one-more')
  t.equal(again.statusCode, 201, again.body)
})

t.test('a picture with several hashes is one signal of a bank and is found by each hash', async (t) => {
  const service = await startService(t)
  const { headers, url } = await openBank(service, 'pictures')
  const one = (type: string, view = 'whole', quality = 90) => ({ type, view, quality, hash: randomHashText() })
  const signals = [one('pdq'), one('pdq', 'crop'), one('pdq-area'), one('sha256')]
  const [whole, crop, , file] = signals
  const single = { type: 'pdq', hash: randomHashText() }
  const payload = { signals: [single], images: [{ signals, ref: 'case 7', category: 'nude' }] }
  const first = await service.app.inject({ method: 'POST', url, headers, payload })
  t.match(first.json(), { accepted: 2, refused: 0, signals: [{ state: 'registered' }, { state: 'registered' }] })
  t.same(
    (await service.app.inject({ method: 'POST', url, headers, payload })).json(),
    first.json(),
    'nothing is added twice',
  )
  const queries = [whole, crop, file].map((signal) => ({ signals: [{ type: signal?.type, hash: signal?.hash }] }))
  const found = await post(service.app, '/v1/match', { queries }, headers)
  t.match(found.json(), { results: queries.map(() => ({ matches: [{ bank: 'pictures', distanceBand: '0' }] })) })
  const [, added] = first.json<{ signals: { signalId: string }[] }>().signals
  await service.app.inject({ method: 'DELETE', url: `${url}/${added?.signalId}`, headers })
  t.notOk(await isFound(service, headers, whole?.hash ?? ''))

  const low = { signals: [one('pdq', 'whole', 49)] }
  const some = await service.app.inject({ method: 'POST', url, headers, payload: { images: [low, { signals }] } })
  t.match(some.json(), { accepted: 1, refused: 1, signals: [{ problem: { code: 'quality-too-low' } }, {}] })
  for (const wrong of [
    [],
    [one('pdq', 'crop')],
    Array.from({ length: 17 }, () => one('pdq')),
    [{ ...one('pdq'), hash: 'no hash' }],
  ])
    refused(
      t,
      await service.app.inject({ method: 'POST', url, headers, payload: { images: [{ signals: wrong }] } }),
      'request-invalid',
    )
  const minor = await service.app.inject({ method: 'POST', url, headers, payload: { images: [{ signals, age: 15 }] } })
  refused(t, minor, 'minor-declared')
})

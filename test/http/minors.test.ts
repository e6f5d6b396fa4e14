// Pictures of people under 18 are refused, wherever a request declares it.

import t from 'tap'
import { HELPLINES } from '../../src/domain/cases/helplines.js'
import { hotlinesFor } from '../../src/domain/cases/hotlines.js'
import { declaresMinor, fieldDeclaresMinor } from '../../src/domain/cases/minors.js'
import { imagePart, multipart, type Part } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { refused } from '../helpers/refusal.js'
import { post, redisOf, silent } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, until } from '../helpers/service.js'
import { everythingIn } from '../helpers/unchanged.js'
import { startWorkers } from '../helpers/workers.js'

t.test('a declared minor is refused on every route and in every field, and only a counter changes', async (t) => {
  const service = await startService(t, { country: 'MY' })
  const { app } = service
  const redis = await redisOf(t, service)
  const her = await openCase(app)
  const ngo = await keyFor(service, 'ngo')
  await post(app, '/v1/banks', { name: 'mine' }, ngo.headers)
  await startWorkers(t, service.redis)
  await until(async () => (await redis.exists('{tabir}:audit-due')) === 0) // earlier acts are in the chain
  // Queues, heartbeats and rate limits change meanwhile. They contain nothing that was sent.
  const beside = /hash-image|case-life|\}:limit:|\}:worker-heartbeats/
  const kept = async () => (await redis.keys('*')).filter((key) => !beside.test(key)).toSorted()
  const before = { kept: await kept(), changes: await redis.xlen('{tabir}:changes') }
  const signal = { type: 'pdq', hash: randomHashText(), quality: 80 }
  const images = [{ signals: [signal] }]
  let refusals = 0
  const turnedAway = async (answer: Awaited<ReturnType<typeof post>>, what: string) => {
    refused(t, answer, 'minor-declared', what)
    const { hotlines } = answer.json<{ hotlines: { name: string; phone?: string }[] }>()
    t.match(hotlines[0], { name: 'Talian Kasih', phone: '15999' })
    t.ok(hotlines.some(({ name }) => name === 'NCMEC Take It Down'))
    refusals += 1
  }
  for (const minor of [
    { adult: false },
    { age: 17 },
    { adult: true, age: 0 },
    { age: '15' },
    { age: -1 },
    { adult: 'no' },
  ]) {
    const what = JSON.stringify(minor)
    await turnedAway(await post(app, '/v1/cases', { adult: true, ...minor }), what)
    await turnedAway(await post(app, `${her.url}/hashes`, { images, ...minor }, her.headers), what)
    const inImages = { images: [...images, { signals: [signal], ...minor }] }
    await turnedAway(await post(app, `${her.url}/hashes`, inImages, her.headers), what)
    const signals = [{ ...signal, ...minor }]
    await turnedAway(await post(app, '/v1/banks/mine/signals', { signals }, ngo.headers), what)
    const ndjson = await app.inject({
      method: 'POST',
      url: '/v1/banks/mine/signals',
      headers: { ...ngo.headers, 'content-type': 'application/x-ndjson' },
      payload: `${JSON.stringify(signals[0])}\n`,
    })
    await turnedAway(ndjson, what)
    await turnedAway(await post(app, '/v1/match', { queries: [{ signals: [signal], ...minor }] }, ngo.headers), what)
  }
  const picture = imagePart(await scene(1))
  const field = (name: string, text: string): Part => ({ name, bytes: Buffer.from(text) })
  for (const parts of [
    [field('age', '17'), picture],
    [field('adult', 'false'), picture],
    [picture, field('age', '9')],
  ]) {
    for (const [url, headers] of [
      [`${her.url}/images`, her.headers],
      ['/v1/match/images', ngo.headers],
    ] as const) {
      const upload = multipart(parts)
      const sent = { method: 'POST', url, headers: { ...headers, ...upload.headers }, payload: upload.payload } as const
      await turnedAway(await app.inject(sent), 'a form')
    }
  }
  await turnedAway(await post(app, `${her.url}/hashes?age=12`, { images }, her.headers), 'in the address')

  t.equal(await redis.xlen('{tabir}:changes'), before.changes)
  t.same(await kept(), before.kept)
  t.match((await app.inject(her)).json(), { state: 'open', images: 0 })
  const { body } = await app.inject('/metrics')
  t.match(body, new RegExp(`^tabir_minors_rejected_total ${refusals}$`, 'm'))
  silent(t, service)
})

t.test('HMA, StopNCII, watches and imports refuse a declared minor in each of their fields', async (t) => {
  const service = await startService(t, { country: 'MY' })
  const { app } = service
  const ngo = await keyFor(service, 'ngo')
  const redis = await redisOf(t, service)
  await post(app, '/c/banks', { name: 'MINE' }, ngo.headers)
  await post(app, '/v1/banks', { name: 'mine' }, ngo.headers)
  const hash = randomHashText()
  const signal = { type: 'pdq', hash, quality: 80 }
  const record = { signalType: 'ImagePDQ', hashValue: hash }
  const young = { age: 16 }
  const metadata = { json: young }
  const form = multipart([{ name: 'metadata', bytes: JSON.stringify(metadata) }, imagePart(await scene(1), 'photo')])
  const asForm = async (url: string, { payload, headers }: typeof form) =>
    await app.inject({ method: 'POST', url, payload, headers: { ...ngo.headers, ...headers } })
  const before = await everythingIn(redis)
  const asked: readonly (readonly [string, Promise<Awaited<ReturnType<typeof post>>>])[] = [
    ['a hash in a bank', post(app, '/c/bank/MINE/signal', { pdq: hash, ...young }, ngo.headers)],
    ['its metadata', post(app, '/c/bank/MINE/signal', { pdq: hash, metadata }, ngo.headers)],
    ['a picture in a bank', asForm('/c/bank/MINE/content', form)],
    ['a picture by its address', post(app, '/c/bank/MINE/content?url=https://a.example/a.jpg', { metadata }, ngo.headers)],
    ['a picture to be hashed', asForm('/h/hash?age=12', form)],
    [
      'a picture to be looked up',
      asForm('/m/lookup', multipart([{ name: 'age', bytes: '12' }, imagePart(await scene(1), 'photo')])),
    ],
    ['a comparison', post(app, '/m/compare', { pdq: [hash, hash], ...young }, ngo.headers)],
    [
      'a record of StopNCII',
      post(app, '/stopncii/v1/SubmitHashes', { hashRecords: [record, { ...record, ...young }] }, ngo.headers),
    ],
    [
      'its tags',
      post(app, '/stopncii/v1/SubmitHashes', { hashRecords: [{ ...record, tags: ['nude', 'minor'] }] }, ngo.headers),
    ],
    [
      'its feedback',
      post(
        app,
        '/stopncii/v1/SubmitHashes',
        { hashRecords: [{ ...record, CSPFeedbacks: [{ source: 'x', tags: ['A1'] }] }] },
        ngo.headers,
      ),
    ],
    [
      'feedback',
      post(
        app,
        '/stopncii/v1/SubmitFeedback',
        { hashFeedbacks: [{ hashValue: hash, feedbackValue: 'Blocked', tags: ['child'] }] },
        ngo.headers,
      ),
    ],
    ['a watch', post(app, '/v1/watch', { watches: [{ signals: [{ ...signal, ...young }] }] }, ngo.headers)],
    ['a question', post(app, '/v1/match', { queries: [{ signals: [{ ...signal, ...young }] }] }, ngo.headers)],
    [
      'an assisted case',
      post(app, '/v1/assisted-cases', { adult: false, consent: { kind: 'in-person', on: '2026-01-31' } }, ngo.headers),
    ],
  ]
  for (const [what, answering] of asked) {
    const answer = await answering
    t.equal(answer.statusCode, 422, `${what}: ${answer.body}`)
    t.match(answer.json(), { hotlines: [{ name: 'Talian Kasih', phone: '15999' }] }, what)
    t.notMatch(answer.body, hash, what)
  }
  t.same(await everythingIn(redis), before, 'nothing is stored')
  const { body } = await app.inject('/metrics')
  t.match(body, new RegExp(`^tabir_minors_rejected_total ${asked.length}$`, 'm'), 'only the counter changes')

  const file = await app.inject({
    method: 'POST',
    url: '/v1/banks/mine/imports',
    headers: { ...ngo.headers, 'content-type': 'application/octet-stream' },
    payload: `${JSON.stringify({ ...signal, ...young })}\n`,
  })
  t.match(file.json(), { accepted: 0, rejections: [{ fromLine: 1, toLine: 1, reason: 'minor-declared' }] })
  t.same(await images(redis), [], 'a file is read to its end, and such a line is rejected')
})

/** Keys of images. */
async function images(redis: Awaited<ReturnType<typeof redisOf>>) {
  return (await redis.keys('{tabir}:*')).filter((name) => /:images?:/.test(name))
}

t.test('a declared age of 18 or more is accepted, a missing age too, and a malformed age is refused', async (t) => {
  const service = await startService(t)
  const { app } = service
  const her = await openCase(app)
  const signal = { type: 'pdq', hash: randomHashText(), quality: 80 }
  t.equal((await post(app, '/v1/cases', { adult: true, age: 18 })).statusCode, 201)
  const body = { adult: true, age: 41, images: [{ signals: [signal], age: 18 }] }
  t.equal((await post(app, `${her.url}/hashes`, body, her.headers)).statusCode, 201)
  refused(t, await post(app, '/v1/cases', {}), 'request-invalid', 'opening a case needs the declaration')
  for (const age of ['old', 18.5, 200, null])
    refused(t, await post(app, '/v1/cases', { adult: true, age }), 'request-invalid')
})

t.test('hotlines of the country come first, then worldwide ones; without a country all are listed', async (t) => {
  for (const country of ['MY', 'GB', 'US', 'AU', 'CA', 'IN']) {
    const [first, ...rest] = hotlinesFor(country)
    t.not(first?.where, 'worldwide')
    t.ok(rest.some(({ name }) => name === 'NCMEC Take It Down'))
  }
  t.equal(hotlinesFor(undefined).length, HELPLINES.filter(({ whom }) => whom.includes('under18')).length)
  t.ok(hotlinesFor(undefined).some(({ where }) => where === 'Malaysia'))
  for (const country of ['XX', 'toString']) t.ok(hotlinesFor(country).every(({ where }) => where === 'worldwide'))
  for (const each of hotlinesFor(undefined)) t.ok(each.url ?? each.phone)
})

t.test('a value that does not declare a minor is not taken for a declaration', async (t) => {
  for (const body of [undefined, null, 'age', 17, [], { images: 17 }, { images: [null, 'x'] }, { ages: 3 }, { age: 18 }])
    t.notOk(declaresMinor(body))
  t.notOk(fieldDeclaresMinor('age', 'unknown'))
  t.notOk(fieldDeclaresMinor('page', '3'))
  t.ok(fieldDeclaresMinor('age', ' 17 years'))
})

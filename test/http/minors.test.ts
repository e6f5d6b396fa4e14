// Pictures of people under 18 do not get in, wherever it is said that they are.

import t from 'tap'
import { hotlinesFor } from '../../src/domain/hotlines.js'
import { declaresMinor, fieldDeclaresMinor } from '../../src/domain/minors.js'
import { imagePart, multipart, type Part } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { refused } from '../helpers/refusal.js'
import { post, redisOf, silent } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, startWorkers } from '../helpers/service.js'

t.test('a declared minor passes no door, in no form, and leaves nothing but a count', async (t) => {
  const service = await startService(t, { country: 'MY' })
  const { app } = service
  const redis = await redisOf(t, service)
  const her = await openCase(app)
  const ngo = await keyFor(service, 'ngo')
  await post(app, '/v1/banks', { name: 'mine' }, ngo.headers)
  await startWorkers(t, service.redis)
  // Queues, signs of life and how often somebody asked go on beside it, and know nothing of what was sent.
  const beside = /hash-image|case-life|\}:limit:|\}:worker-beats/
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
  t.match(body, new RegExp(`^tabir_minors_turned_away_total ${refusals}$`, 'm'))
  silent(t, service)
})

t.test('grown-ups pass, and so does who says nothing of it', async (t) => {
  const service = await startService(t)
  const { app } = service
  const her = await openCase(app)
  const signal = { type: 'pdq', hash: randomHashText(), quality: 80 }
  t.equal((await post(app, '/v1/cases', { adult: true, age: 18 })).statusCode, 201)
  const body = { adult: true, age: 41, images: [{ signals: [signal], age: 18 }] }
  t.equal((await post(app, `${her.url}/hashes`, body, her.headers)).statusCode, 201)
  refused(t, await post(app, '/v1/cases', {}), 'request-invalid', 'an answer is needed')
  for (const age of ['old', 18.5, 200, null])
    refused(t, await post(app, '/v1/cases', { adult: true, age }), 'request-invalid')
})

t.test('a country’s own hotlines come first, then those for everywhere; without a country, all', async (t) => {
  for (const country of ['MY', 'GB', 'US', 'AU', 'CA', 'IN']) {
    const [first, ...rest] = hotlinesFor(country)
    t.not(first?.where, 'worldwide')
    t.ok(rest.some(({ name }) => name === 'NCMEC Take It Down'))
  }
  t.equal(hotlinesFor(undefined).length, 12)
  for (const country of ['XX', 'toString']) t.ok(hotlinesFor(country).every(({ where }) => where === 'worldwide'))
  for (const each of hotlinesFor(undefined)) t.ok(each.url ?? each.phone)
})

t.test('what is no declaration is none', async (t) => {
  for (const body of [undefined, null, 'age', 17, [], { images: 17 }, { images: [null, 'x'] }, { ages: 3 }, { age: 18 }])
    t.notOk(declaresMinor(body))
  t.notOk(fieldDeclaresMinor('age', 'unknown'))
  t.notOk(fieldDeclaresMinor('page', '3'))
  t.ok(fieldDeclaresMinor('age', ' 17 years'))
})

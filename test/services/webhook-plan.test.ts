// Which webhooks learn of which event: things happen in a service, and their outbox entries become deliveries.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { EVENTS_MISSED, WITHDRAWN_SPREAD_MS } from '../../src/domain/organisations/webhook.js'
import { WEBHOOK_PAYLOADS } from '../../src/services/webhooks/webhook-payloads.js'
import { keys } from '../../src/store/redis/keys.js'
import type { NewDelivery } from '../../src/store/webhooks/deliveries.js'
import { createEventStore } from '../../src/store/webhooks/events.js'
import { del, post } from '../helpers/requests.js'
import { keyFor, randomHashText, until } from '../helpers/service.js'
import { startWebhookPlans } from '../helpers/webhook-plans.js'

const plans = await startWebhookPlans(t)
const { service, store, webhooks, deadlines, images, imageOf, mayLearn, organisation, sent, told, hash, match } = plans
const { app, services } = service

t.test('the opener of an assisted case receives its events in order, until it is handed over', async (t) => {
  const ngo = await organisation(t, 'ngo')
  await organisation(t, 'ngo')
  const opened = await post(
    app,
    '/v1/assisted-cases',
    { adult: true, consent: { kind: 'in-writing', on: '2026-01-01' } },
    ngo.headers,
  )
  const { caseNumber, caseId } = opened.json<{ caseNumber: string; caseId: string }>()
  const url = `/v1/cases/${caseNumber}`
  const image = { signals: [hash(randomHashText())] }
  t.equal(
    (await post(app, `${url}/hashes`, { images: [image, { signals: [hash(randomHashText())] }] }, ngo.headers)).statusCode,
    201,
  )

  const events = await told()
  t.same(
    events.map(({ webhookId, type, data }) => ({ webhookId, type, data })),
    [
      { webhookId: ngo.webhookId, type: 'case.updated', data: { caseId, event: 'opened' } },
      { webhookId: ngo.webhookId, type: 'case.updated', data: { caseId, event: 'registered', images: 2 } },
    ],
  )
  t.equal(new Set(events.map(({ subject }) => subject)).size, 1, 'one subject')
  t.notOk(JSON.stringify(events).includes(image.signals[0]?.hash ?? ''))

  await post(app, `${url}/handover`, { keepReading: false }, ngo.headers)
  await match(image.signals[0]?.hash ?? '', await organisation(t, 'platform'))
  t.same(await told(), [], 'not once the case is handed over')
})

t.test('an organisation without a webhook key receives nothing, not even of cases that it followed', async (t) => {
  const ngo = await organisation(t, 'ngo')
  const consent = { kind: 'in-writing', on: '2026-01-01' }
  const opened = await post(app, '/v1/assisted-cases', { adult: true, consent }, ngo.headers)
  const url = `/v1/cases/${opened.json<{ caseNumber: string }>().caseNumber}`
  const { pin } = (await post(app, `${url}/handover`, { keepReading: true }, ngo.headers)).json<{ pin: string }>()
  const { token } = (await post(app, `${url}/tokens`, { pin })).json<{ token: string }>()
  const headers = { authorization: `Bearer ${token}` }
  const add = () => post(app, `${url}/hashes`, { images: [{ signals: [hash(randomHashText())] }] }, headers)
  await add()
  const waiting = (await told()).at(-1)
  t.match(waiting?.data, { event: 'registered' })

  const operator = await keyFor(service, 'operator', ['admin'], 'operator')
  t.equal((await del(app, `/v1/keys/${ngo.keyId}`, operator.headers)).statusCode, 204)
  await add()
  t.same(await told(), [])
  const again = await keyFor(service, ngo.org, ['webhooks'], 'ngo')
  await add()
  t.match(await told(), [{ webhookId: ngo.webhookId, data: { event: 'registered' } }], 'once it has a key again')
  const { caseId = '', type = '' } = waiting ?? {}
  const { orgId = '' } = (await webhooks.get(ngo.webhookId)) ?? {}
  t.equal(await mayLearn(orgId, caseId, type), true)
  t.equal((await del(app, `${url}/reading-right`, headers)).statusCode, 200)
  t.equal(await mayLearn(orgId, caseId, type), false, 'what waits is not sent once she ended its right')
  t.equal((await del(app, `/v1/webhooks/${ngo.webhookId}`, again.headers)).statusCode, 204)
})

t.test('a case without an organisation is no event to any webhook', async (t) => {
  await organisation(t, 'ngo')
  const opened = (await post(app, '/v1/cases', { adult: true })).json<{ caseNumber: string; token: string }>()
  const headers = { authorization: `Bearer ${opened.token}` }
  await post(app, `/v1/cases/${opened.caseNumber}/hashes`, { images: [{ signals: [hash(randomHashText())] }] }, headers)
  await del(app, `/v1/cases/${opened.caseNumber}`, headers)
  t.same(await told(), [])
})

t.test('a platform that matched a picture learns of its withdrawal by its own match id, each at its own time', async (t) => {
  const met = await organisation(t, 'platform')
  await organisation(t, 'platform')
  const opened = (await post(app, '/v1/cases', { adult: true })).json<{ caseNumber: string; token: string }>()
  const headers = { authorization: `Bearer ${opened.token}` }
  const hashes = Array.from({ length: 8 }, () => randomHashText())
  await post(
    app,
    `/v1/cases/${opened.caseNumber}/hashes`,
    { images: hashes.map((text) => ({ signals: [hash(text)] })) },
    headers,
  )
  const matchIds: (string | undefined)[] = []
  for (const text of hashes.slice(1)) matchIds.push((await match(text, met))[0]?.matchId)
  await told()
  const beforeMs = Date.now()
  await del(app, `/v1/cases/${opened.caseNumber}`, headers)

  const events = await told()
  t.same(new Set(events.map(({ data }) => data['matchId'])), new Set(matchIds), 'those it matched, and no other')
  t.ok(events.every(({ webhookId, type }) => webhookId === met.webhookId && type === 'signal.withdrawn'))
  const holdSchedule = events.map(({ dueAtMs }) => dueAtMs - beforeMs)
  t.ok(holdSchedule.every((ms) => ms >= -1000 && ms <= WITHDRAWN_SPREAD_MS + 1000))
  t.ok(Math.max(...holdSchedule) - Math.min(...holdSchedule) > WITHDRAWN_SPREAD_MS / 20, 'spread out')
  t.ok(events.every(({ body, dueAtMs }) => JSON.parse(body).timestamp === new Date(dueAtMs).toISOString()))
  t.equal(new Set(events.map(({ subject }) => subject)).size, events.length, 'nothing shows that they belong together')
  const listed = (await app.inject({ url: `/v1/webhooks/${met.webhookId}/deliveries`, headers: met.headers })).json<{
    deliveries: unknown[]
  }>()
  t.ok(listed.deliveries.length < events.length, 'not listed before their time')
})

t.test('all webhooks and organisations learn of one withdrawal at the same moment', async (t) => {
  const [met, friend] = [await organisation(t, 'platform'), await organisation(t, 'platform')]
  for (let more = 0; more < 4; more++) {
    const payload = { url: `https://hooks.example/${more}`, events: ['signal.withdrawn'] }
    const { webhookId } = (await post(app, '/v1/webhooks', payload, met.headers)).json<{ webhookId: string }>()
    t.teardown(() => del(app, `/v1/webhooks/${webhookId}`, met.headers))
  }
  const { caseNumber, token } = (await post(app, '/v1/cases', { adult: true })).json<{ caseNumber: string; token: string }>()
  const headers = { authorization: `Bearer ${token}` }
  const texts = [randomHashText(), randomHashText()]
  await post(app, `/v1/cases/${caseNumber}/hashes`, { images: texts.map((text) => ({ signals: [hash(text)] })) }, headers)
  for (const text of texts) for (const each of [met, friend]) await match(text, each)
  await told()
  await del(app, `/v1/cases/${caseNumber}`, headers)
  const events = (await told()).filter(({ type }) => type === 'signal.withdrawn')
  t.equal(events.length, 12, 'six webhooks are told of two pictures')
  t.equal(new Set(events.map(({ dueAtMs }) => dueAtMs)).size, 2, 'each at one moment')
})

t.test(
  'a withdrawal reaches every platform that matched, however long ago, and even a match at the same moment',
  async (t) => {
    const met = await organisation(t, 'platform')
    const image = async () => {
      const { caseNumber, token } = (await post(app, '/v1/cases', { adult: true })).json<{
        caseNumber: string
        token: string
      }>()
      const headers = { authorization: `Bearer ${token}` }
      const url = `/v1/cases/${caseNumber}`
      const text = randomHashText()
      await post(app, `${url}/hashes`, { images: [{ signals: [hash(text)] }] }, headers)
      return { text, withdraw: () => del(app, url, headers) }
    }
    const longAgo = await image()
    const [{ matchId = '' } = {}] = await match(longAgo.text, met)
    await told()
    // As Redis expires them 35 days after the last match.
    await store.ask(async (redis) => redis.del(...(await redis.keys(keys.matchEvents('*')))))
    await longAgo.withdraw()
    t.match(await told(), [{ type: 'signal.withdrawn', webhookId: met.webhookId, data: { matchId } }])

    const now = await image()
    const [{ matchId: second = '' } = {}] = await match(now.text, met)
    await now.withdraw() // before the match is noted
    const events = await told()
    t.ok(events.length > 0)
    t.ok(
      events.every(
        ({ type, webhookId, data }) =>
          type === 'signal.withdrawn' && webhookId === met.webhookId && data['matchId'] === second,
      ),
    )
  },
)

t.test('a watch match is sent to its owner only, by ids that it knows, while the signal matches', async (t) => {
  const watcher = await organisation(t, 'platform')
  await organisation(t, 'platform')
  const ngo = await organisation(t, 'ngo')
  const bank = randomBytes(6).toString('hex')
  await post(app, '/v1/banks', { name: bank }, ngo.headers)
  const text = randomHashText()
  const watches = [{ signals: [{ type: 'pdq', hash: text }], reference: 'upload-7' }]
  const left = await post(app, '/v1/watch', { watches }, watcher.headers)
  const { watchId } = left.json<{ watches: [{ watchId: string }] }>().watches[0]
  const added = await post(app, `/v1/banks/${bank}/signals`, { signals: [{ type: 'pdq', hash: text }] }, ngo.headers)
  const { signalId } = added.json<{ signals: [{ signalId: string }] }>().signals[0]

  const events: Awaited<ReturnType<typeof told>> = []
  await until(async () => events.push(...(await told())) > 0)
  const matchId = (await match(text, watcher))[0]?.matchId
  t.match(events, [
    { webhookId: watcher.webhookId, type: 'match.found', data: { watchId, matchId, grade: 'near' }, imageId: signalId },
  ])
  t.equal(events.length, 1)
  t.notMatch(JSON.stringify(events), /upload-7/)
  t.notOk(events[0]?.body.includes(signalId), 'not the signal’s own id')
})

t.test('a dispute is sent once to the owner of the signal and once to a platform that matched it', async (t) => {
  const [ngo, met] = [await organisation(t, 'ngo'), await organisation(t, 'platform')]
  const bank = randomBytes(6).toString('hex')
  await post(app, '/v1/banks', { name: bank }, ngo.headers)
  const text = randomHashText()
  const added = await post(app, `/v1/banks/${bank}/signals`, { signals: [{ type: 'pdq', hash: text }] }, ngo.headers)
  const [first] = added.json<{ signals: { signalId: string }[] }>().signals
  const signalId = first?.signalId ?? ''
  const matchId = (await match(text, met))[0]?.matchId ?? ''
  await services.settled()
  const dispute = (reason: string) =>
    post(app, `/v1/matches/${matchId}/feedback`, { verdict: 'disputed', reason }, met.headers)
  t.equal((await dispute('other')).statusCode, 200)
  await dispute('other')

  const events = await told()
  t.same(
    new Map(events.map(({ webhookId, type, data }) => [webhookId, { type, data }])),
    new Map([
      [ngo.webhookId, { type: 'signal.disputed', data: { signalId } }],
      [met.webhookId, { type: 'signal.disputed', data: { matchId } }],
    ]),
  )
  t.equal(events.length, 2)
})

t.test(
  'a missed deadline is sent to its platform and the notice’s contact, a suspended key to its organisation',
  async (t) => {
    const [platform, ngo] = [await organisation(t, 'platform'), await organisation(t, 'ngo')]
    const [platformOrg, ngoOrg] = await Promise.all(
      [platform, ngo].map(async ({ webhookId }) => (await webhooks.get(webhookId))?.orgId ?? ''),
    )
    const opened = (await post(app, '/v1/cases', { adult: true })).json<{ caseNumber: string; token: string }>()
    const headers = { authorization: `Bearer ${opened.token}` }
    const text = randomHashText()
    await post(app, `/v1/cases/${opened.caseNumber}/hashes`, { images: [{ signals: [hash(text)] }] }, headers)
    const matchId = (await match(text, platform))[0]?.matchId
    const imageId = imageOf(platformOrg ?? '', matchId ?? '') ?? ''
    const [image] = await images.get([imageId])
    await deadlines.putNotice(image?.caseId ?? '', {
      laws: ['my-onsa'],
      statements: ['goodFaith', 'accurate'],
      actingAs: 'self',
      contactOrgId: ngoOrg,
      givenAtMs: Date.now(),
    })
    const events = createEventStore(store)
    const dueAt = '2026-01-01T00:00:00.000Z'
    const about = { signalId: imageId, orgId: platformOrg ?? '', law: 'my-onsa', stage: 'assess', dueAt }
    await events.add('sla.due', about, Date.now(), 60)
    await events.add('key.suspended', { keyId: platform.keyId }, Date.now(), 60)

    t.same(
      (await told()).map(({ webhookId, type, data }) => ({ webhookId, type, data })),
      [
        { webhookId: platform.webhookId, type: 'sla.due', data: { matchId, law: 'my-onsa', stage: 'assess', dueAt } },
        { webhookId: ngo.webhookId, type: 'sla.due', data: { signalId: imageId, law: 'my-onsa', stage: 'assess', dueAt } },
        { webhookId: platform.webhookId, type: 'key.suspended', data: { keyId: platform.keyId } },
      ],
    )
    t.same(await told(), [], 'each event once')
  },
)

t.test('an acknowledged event is delivered although the store is killed at that moment', async (t) => {
  const ngo = await organisation(t, 'ngo')
  const opened = await post(
    app,
    '/v1/assisted-cases',
    { adult: true, consent: { kind: 'in-writing', on: '2026-01-01' } },
    ngo.headers,
  )
  service.redis.server.kill()
  await service.redis.reopen()
  const { caseId } = opened.json<{ caseId: string }>()
  const events: NewDelivery[] = []
  await until(async () => events.push(...(await told().catch(() => []))) > 0)
  t.same(
    events.map(({ body }) => JSON.parse(body).data),
    [{ caseId, event: 'opened' }],
  )
})

t.test('every webhook message type was sent above and fits openapi.yaml', async (t) => {
  const { webhookId, headers } = await organisation(t, 'platform')
  t.equal((await post(app, `/v1/webhooks/${webhookId}/ping`, undefined, headers)).statusCode, 202)
  t.match(await told(), [{ type: 'webhook.ping', data: { webhookId } }])
  // webhook-missed.test.ts sends the message about missed events, case-reminders.test.ts that about cases; both compare it with its schema.
  t.same([...sent, EVENTS_MISSED, 'case.expires-soon'].sort(), WEBHOOK_PAYLOADS.map(({ type }) => type).sort())
})

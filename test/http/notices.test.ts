import t from 'tap'
import { z } from 'zod'
import { LAWS, SLA_PROFILES, type SlaProfile } from '../../src/domain/cases/sla.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { redisOf, silent } from '../helpers/requests.js'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, matchesOf, matchIdOf, operator, platform } from '../helpers/trust.js'

const HOUR_MS = 3_600_000
const ALL = ['goodFaith', 'withoutConsent', 'accurate', 'authorised']
const MALAYSIA = { laws: ['my-onsa'], statements: ALL, actingAs: 'self' }

const Overdue = z.object({
  deadlines: z.array(z.object({ platform: z.string(), law: z.string(), stage: z.string(), signalId: z.string() })),
})

t.test('deadlines start at the first match, end with a decision, and are reported once when overdue', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1)
  const service = await startService(t, { now: () => nowMs })
  const her = await caseWithPicture(service)
  const [slow, quick] = [await platform(service, 'slow'), await platform(service, 'quick')]
  const { headers } = await operator(service)
  const overdue = async () => {
    const { deadlines } = Overdue.parse((await ask(service, 'GET', '/v1/deadlines/overdue', headers)).json())
    return deadlines.map(({ platform, law, stage }) => `${platform} ${law} ${stage}`).sort()
  }

  await matchesOf(service, slow.headers, her.hash)
  await service.services.settled()
  t.equal((await ask(service, 'PUT', `${her.url}/notice`, her.headers, MALAYSIA)).statusCode, 200)
  await matchesOf(service, slow.headers, her.hash) // matched before the notice, so the deadline starts now
  await matchesOf(service, quick.headers, her.hash)
  await service.services.settled()
  await feedback(service, quick, her.hash, { verdict: 'pending-review' })
  t.match(
    (await ask(service, 'GET', `/v1/matches/${await matchIdOf(service, slow.headers, her.hash)}`, slow.headers)).json(),
    {
      deadlines: [
        { stage: 'acknowledge', dueAt: '2026-06-01T01:00:00.000Z' },
        { stage: 'assess', dueAt: '2026-06-01T12:00:00.000Z' },
      ],
    },
  )
  nowMs += HOUR_MS
  t.same(await overdue(), ['slow my-onsa acknowledge'], 'due to the millisecond')
  nowMs += 11 * HOUR_MS
  t.same(await overdue(), ['quick my-onsa assess', 'slow my-onsa acknowledge', 'slow my-onsa assess'])

  await service.services.notices.announceOverdue()
  await service.services.notices.announceOverdue()
  const events = (await ask(service, 'GET', '/v1/events', headers)).json<{ events: { kind: string }[] }>().events
  t.same(
    events.map(({ kind }) => kind),
    ['sla.due', 'sla.due', 'sla.due'],
  )

  await feedback(service, slow, her.hash, { verdict: 'blocked' })
  await feedback(service, quick, her.hash, { verdict: 'not-blocked' })
  t.same(await overdue(), [])
  await matchesOf(service, slow.headers, her.hash)
  await service.services.settled()
  nowMs += 100 * HOUR_MS
  t.same(await overdue(), [], 'a deadline that ended does not start again')
})

t.test('a platform that decided before the notice, or faster than its deadline starts, is not late', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1)
  const service = await startService(t, { now: () => nowMs })
  const her = await caseWithPicture(service)
  const [early, quick, wise] = [
    await platform(service, 'early'),
    await platform(service, 'quick'),
    await platform(service, 'wise'),
  ]
  const { headers } = await operator(service)
  await feedback(service, early, her.hash, { verdict: 'blocked' })
  await feedback(service, wise, her.hash, { verdict: 'not-blocked' })
  await service.services.settled()
  t.equal((await ask(service, 'PUT', `${her.url}/notice`, her.headers, MALAYSIA)).statusCode, 200)

  await feedback(service, quick, her.hash, { verdict: 'blocked' }) // deadlines start when matches are written, up to a second later
  for (const { headers } of [early, wise]) await matchesOf(service, headers, her.hash)
  await service.services.settled()
  t.equal((await feedback(service, early, her.hash, { verdict: 'blocked' })).statusCode, 200, 'the same again')
  t.match((await feedback(service, wise, her.hash, { verdict: 'auto-blocked' })).json(), {
    verdict: 'not-blocked',
    deadlines: [],
  })
  nowMs += 100 * HOUR_MS
  t.same(Overdue.parse((await ask(service, 'GET', '/v1/deadlines/overdue', headers)).json()).deadlines, [])
})

t.test('an NGO that is named as contact sees the deadlines of these cases only', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1)
  const service = await startService(t, { now: () => nowMs })
  const [hers, others] = [await caseWithPicture(service), await caseWithPicture(service)]
  const helper = await keyFor(service, 'helper', ['cases:write'], 'ngo')
  const stranger = await keyFor(service, 'stranger', ['cases:write'], 'ngo')
  const one = await platform(service, 'one')
  const us = { laws: ['us-tida'], statements: ALL, actingAs: 'representative', contact: 'helper' }
  t.match((await ask(service, 'PUT', `${hers.url}/notice`, hers.headers, us)).json(), { hasContact: true })
  await ask(service, 'PUT', `${others.url}/notice`, others.headers, MALAYSIA)
  for (const { hash } of [hers, others]) await matchesOf(service, one.headers, hash)
  await service.services.settled()

  nowMs += 48 * HOUR_MS
  const own = async (headers: Record<string, string>) =>
    Overdue.parse((await ask(service, 'GET', '/v1/deadlines/overdue/own', headers)).json()).deadlines
  t.match(await own(helper.headers), [{ signalId: hers.imageId, platform: 'one', law: 'us-tida', stage: 'remove' }])
  t.same(await own(stranger.headers), [])
})

t.test('a notice without what a law requires is refused and not stored', async (t) => {
  const service = await startService(t)
  const her = await caseWithPicture(service)
  await platform(service, 'one')
  const put = (body: object) => ask(service, 'PUT', `${her.url}/notice`, her.headers, body)
  const us = { laws: ['us-tida'], statements: ALL, actingAs: 'self' }

  refused(t, await put(us), 'notice-incomplete', 'no contact')
  refused(t, await put({ ...us, contact: MARKER }), 'notice-incomplete', 'an unknown contact')
  refused(t, await put({ ...us, contact: 'one' }), 'notice-incomplete', 'a contact of another kind than NGO')
  refused(
    t,
    await put({ ...MALAYSIA, contact: MARKER }),
    'notice-incomplete',
    'an unknown contact for a law that needs none',
  )
  await keyFor(service, 'helper', ['cases:write'], 'ngo')
  for (const law of LAWS) {
    const { statements: needed, needsContact }: SlaProfile = SLA_PROFILES[law]
    const given = { laws: [law], actingAs: 'self', contact: 'helper' }
    for (const statement of ALL) {
      const answer = await put({ ...given, statements: ALL.filter((each) => each !== statement) })
      if (needed.some((each) => each === statement)) refused(t, answer, 'notice-incomplete', `${law} without ${statement}`)
      else t.equal(answer.statusCode, 200, `${law} without ${statement}`)
    }
    const { contact: _, ...alone } = { ...given, statements: ALL }
    t.equal((await put(alone)).statusCode, needsContact ? 422 : 200, `${law} without a contact`)
  }
  for (const body of [
    {},
    { ...us, laws: [] },
    { ...us, laws: [MARKER] },
    { ...us, name: MARKER },
    { ...us, actingAs: MARKER },
  ]) {
    refused(t, await put(body), 'request-invalid')
  }
  silent(t, service)
})

t.test('notice and deadlines are erased with the case', async (t) => {
  const service = await startService(t)
  const her = await caseWithPicture(service)
  const one = await platform(service, 'one')
  t.match((await ask(service, 'GET', `${her.url}/notice`, her.headers)).json(), { notice: null })
  await ask(service, 'PUT', `${her.url}/notice`, her.headers, MALAYSIA)
  t.match((await ask(service, 'GET', `${her.url}/notice`, her.headers)).json(), { notice: { laws: ['my-onsa'] } })
  await matchesOf(service, one.headers, her.hash)
  await service.services.settled()
  const redis = await redisOf(t, service)
  const left = async () => [
    ...(await redis.keys('{tabir}:deadline*')),
    ...(await redis.keys('{tabir}:noticed')),
    ...(await redis.keys('{tabir}:match-events:*')),
    ...(await redis.keys('{tabir}:case:*:notice')),
  ]
  t.equal((await left()).length, 5)

  await ask(service, 'DELETE', her.url, her.headers)
  t.same(await left(), [])
  refused(t, await ask(service, 'PUT', `${her.url}/notice`, her.headers, MALAYSIA), 'case-withdrawn')
  t.same(await left(), [])
})

t.test('the requirements of each law can be read without a case', async (t) => {
  const service = await startService(t)
  const { laws } = (await service.app.inject('/v1/notices/laws')).json<{ laws: { law: string }[] }>()
  t.same(
    laws.map(({ law }) => law),
    LAWS,
  )
  t.match(laws, [
    { law: 'us-tida', needsContact: true, stages: [{ stage: 'remove', withinHours: 48 }] },
    {
      law: 'my-onsa',
      stages: [
        { stage: 'acknowledge', withinHours: 1 },
        { stage: 'assess', withinHours: 12 },
      ],
    },
    { law: 'uk-osa', stages: [{ stage: 'remove', withinHours: 48 }] },
    { law: 'eu-dsa', fixedByLaw: false },
  ])
})

t.test('a picture that is added after the notice is covered by it', async (t) => {
  const service = await startService(t)
  const her = await caseWithPicture(service)
  t.equal((await ask(service, 'PUT', `${her.url}/notice`, her.headers, MALAYSIA)).statusCode, 200)
  const images = [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 100 }] }]
  t.equal((await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images })).statusCode, 201)
  const redis = await redisOf(t, service)
  t.equal(await redis.scard('{tabir}:noticed'), 2, 'both images have a notice')
})

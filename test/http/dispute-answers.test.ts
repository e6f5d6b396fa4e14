// A submitter's answer to a dispute: she alone can give it, while the dispute is open, and the operator sees it.

import t from 'tap'
import { MARKER, refused } from '../helpers/refusal.js'
import { redisOf, silent } from '../helpers/requests.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, operator, platform } from '../helpers/trust.js'

const STANDS = { answer: 'shows-me-without-consent' } as const
const MISTAKE = { answer: 'added-by-mistake' } as const

t.test('the operator sees the submitter’s answer to a dispute, and a new dispute starts without one', async (t) => {
  const service = await startService(t)
  const her = await caseWithPicture(service)
  const one = await platform(service, 'one')
  const { headers } = await operator(service)
  const url = `${her.url}/images/${her.imageId}/answer`
  const say = (answer: object) => ask(service, 'PUT', url, her.headers, answer)
  const filed = async () => (await ask(service, 'GET', `${her.url}/export`, her.headers)).json<{ images: object[] }>().images
  const judged = async () => (await ask(service, 'GET', `/v1/signals/${her.imageId}`, headers)).json()

  refused(t, await say(STANDS), 'dispute-not-open', 'no dispute yet')
  await feedback(service, one, her.hash, { verdict: 'disputed', reason: 'not-the-person-shown' })
  t.match(await filed(), [{ disputed: true, answer: null }])
  t.same((await say(STANDS)).json(), STANDS)
  await feedback(service, one, her.hash, { verdict: 'blocked' })
  t.match(await filed(), [{ disputed: false, answer: null }], 'its only supporter dropped it')
  t.same((await ask(service, 'GET', '/v1/disputes', headers)).json<{ signals: object[] }>().signals, [])
  const { events } = (await ask(service, 'GET', `${her.url}/events`, her.headers)).json<{ events: { kind: string }[] }>()
  t.same(
    events.map(({ kind }) => kind).filter((kind) => /disput|block/.test(kind)),
    ['disputed', 'dispute-dropped', 'blocked'],
  )
  await feedback(service, one, her.hash, { verdict: 'disputed', reason: 'not-the-person-shown' })
  t.same((await say(MISTAKE)).json(), MISTAKE)
  t.same((await say(STANDS)).json(), STANDS, 'the last answer counts')
  t.equal((await say(STANDS)).statusCode, 200, 'repeated')
  t.match(await filed(), [{ disputed: true, ...STANDS }])
  t.match(await judged(), { dispute: { state: 'open' }, ...STANDS })
  t.match((await ask(service, 'GET', '/v1/disputes', headers)).json(), { signals: [STANDS] })

  await ask(service, 'POST', `/v1/signals/${her.imageId}/dispute/decision`, headers, { outcome: 'rejected' })
  refused(t, await say(MISTAKE), 'dispute-not-open')
  t.match(await judged(), STANDS, 'the answer stays visible after the decision')
  await feedback(service, one, her.hash, { verdict: 'blocked' })
  await feedback(service, one, her.hash, { verdict: 'disputed', reason: 'other' })
  t.match(await judged(), { dispute: { state: 'open', reasons: ['other'] }, answer: null }, 'another dispute')
  await ask(service, 'POST', `/v1/signals/${her.imageId}/dispute/decision`, headers, { outcome: 'upheld' })
  refused(t, await say(STANDS), 'signal-invalidated')
  await until(async () => {
    const acts = await ask(service, 'GET', '/v1/audit?limit=100', headers)
    return acts.body.includes('"act":"dispute.answered","by":"submitter"')
  })
})

t.test('an answer needs the token of its case and a valid body; refusals change nothing', async (t) => {
  const service = await startService(t)
  const [her, other] = [await caseWithPicture(service), await caseWithPicture(service)]
  const one = await platform(service, 'one')
  await feedback(service, one, her.hash, { verdict: 'disputed', reason: 'other' })
  const redis = await redisOf(t, service)
  const trust = async () => await redis.dump((await redis.keys('{tabir}:trust:*'))[0] ?? '')
  const before = await trust()
  const put = (headers: Readonly<Record<string, string>>, imageId: string, body: object, url = her.url) =>
    ask(service, 'PUT', `${url}/images/${imageId}/answer`, headers, body)

  refused(t, await put(other.headers, her.imageId, STANDS, other.url), 'signal-unknown', 'through the other case')
  refused(t, await put(other.headers, her.imageId, STANDS), 'case-unknown')
  refused(t, await put({}, her.imageId, STANDS), 'token-missing')
  const ngo = await keyFor(service, 'ngo', ['cases:write'], 'ngo')
  refused(t, await put(ngo.headers, her.imageId, STANDS), 'case-unknown', 'an NGO that did not open it')
  refused(t, await put(her.headers, '00000000-0000-8000-8000-000000000000', STANDS), 'signal-unknown')
  for (const body of [{}, { answer: MARKER }, { ...STANDS, note: MARKER }, [STANDS]])
    refused(t, await put(her.headers, her.imageId, body), 'request-invalid')
  refused(t, await put(her.headers, MARKER, STANDS), 'request-invalid')
  t.equal(await trust(), before, 'the store is unchanged')
  silent(t, service)
})

t.test('an organisation that was authorised before the handover cannot answer a dispute after it', async (t) => {
  const service = await startService(t)
  const ngo = await keyFor(service, 'ngo', ['cases:write'], 'ngo')
  const opened = await ask(service, 'POST', '/v1/assisted-cases', ngo.headers, {
    adult: true,
    consent: { kind: 'in-person', on: '2026-01-31' },
  })
  const { caseNumber } = opened.json<{ caseNumber: string }>()
  const url = `/v1/cases/${caseNumber}`
  const hash = randomHashText()
  const images = [{ signals: [{ type: 'pdq', hash, quality: 90 }] }]
  const added = await ask(service, 'POST', `${url}/hashes`, ngo.headers, { images })
  const [{ imageId } = { imageId: '' }] = added.json<{ images: { imageId: string }[] }>().images
  await feedback(service, await platform(service, 'one'), hash, { verdict: 'disputed', reason: 'other' })

  const { cases, trust } = service.services
  const caller = service.services.identify(ngo.key, '127.0.0.1')
  if (caller === undefined) return t.fail('the key opens')
  const letIn = await cases.ownByKey(caseNumber, caller, 'act')
  t.equal((await trust.answer(letIn, imageId, STANDS.answer, `key:${caller.keyId}`)).answer, STANDS.answer)
  await ask(service, 'POST', `${url}/handover`, ngo.headers, {})
  await t.rejects(trust.answer(letIn, imageId, MISTAKE.answer, `key:${caller.keyId}`), { code: 'case-unknown' })
  t.equal((await trust.signal(imageId)).answer, STANDS.answer)
})

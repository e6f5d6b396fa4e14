import t from 'tap'
import { Report } from '../../src/services/cases/report.js'
import { keys } from '../../src/store/redis/keys.js'
import { MARKER, refused, withoutInstance } from '../helpers/refusal.js'
import { redisOf, silent } from '../helpers/requests.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, matchesOf, matchIdOf, ngo, operator, platform } from '../helpers/trust.js'

t.test('a tier rises with two platforms that block or an NGO that attests, and falls when one reverses', async (t) => {
  const service = await startService(t)
  const { hash } = await caseWithPicture(service)
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => platform(service, name)))
  const helper = await ngo(service, 'ngo')
  if (a === undefined || b === undefined || c === undefined) throw new Error('three platforms')
  const tier = async () => (await matchesOf(service, c.headers, hash))[0]?.tier

  for (const each of [a, b, c]) {
    const stopped = await feedback(service, each, hash, { verdict: 'auto-blocked' })
    t.match(stopped.json(), { tier: 'self-reported', verdict: 'auto-blocked', provenance: { confirmations: 0 } })
  }
  t.equal(await tier(), 'self-reported', 'programs of three platforms do not confirm')
  t.match((await feedback(service, a, hash, { verdict: 'blocked' })).json(), {
    tier: 'self-reported',
    verdict: 'blocked',
    provenance: { source: 'case', confirmations: 1 },
  })
  t.equal(await tier(), 'self-reported', 'one platform does not confirm')
  await feedback(service, a, hash, { verdict: 'blocked' })
  t.equal(await tier(), 'self-reported', 'repeated feedback of one platform does not confirm')
  await feedback(service, b, hash, { verdict: 'blocked' })
  t.equal(await tier(), 'platform-confirmed')
  const attested = await ask(service, 'POST', `/v1/matches/${await matchIdOf(service, helper.headers, hash)}/attestation`, {
    ...helper.headers,
  })
  t.match(attested.json(), { tier: 'platform-confirmed', provenance: { attestations: 1 } })
  await feedback(service, b, hash, { verdict: 'not-blocked' })
  t.equal(await tier(), 'ngo-attested', 'it falls when one of the two platforms reverses its verdict')
})

t.test('an organisation does not confirm a signal of its own bank', async (t) => {
  const service = await startService(t)
  const owner = await keyFor(service, 'owner', ['match', 'feedback', 'signals:write'])
  const hash = randomHashText()
  await ask(service, 'POST', '/v1/banks', owner.headers, { name: 'own' })
  await ask(service, 'POST', '/v1/banks/own/signals', owner.headers, { signals: [{ type: 'pdq', hash }] })

  const said = await feedback(service, owner, hash, { verdict: 'blocked' })
  t.match(said.json(), { verdict: 'blocked', provenance: { source: 'bank', confirmations: 0 } })
})

t.test('a match id of another tenant, an invented one and one of a withdrawn picture get the same answer', async (t) => {
  const service = await startService(t)
  const her = await caseWithPicture(service)
  const [a, b] = [await platform(service, 'a'), await platform(service, 'b')]
  const matchId = await matchIdOf(service, a.headers, her.hash)
  const redis = await redisOf(t, service)
  const before = await redis.get(keys.revision)

  const foreign = await ask(service, 'POST', `/v1/matches/${matchId}/feedback`, b.headers, { verdict: 'blocked' })
  refused(t, foreign, 'match-unknown', 'of another tenant')
  t.equal(await redis.get(keys.revision), before, 'the store is unchanged')
  t.same(await redis.keys('{tabir}:trust:*'), [])
  const madeUp = await ask(service, 'POST', `/v1/matches/${MARKER}/feedback`, a.headers, { verdict: 'blocked' })
  t.same(withoutInstance(madeUp.body), withoutInstance(foreign.body))
  refused(t, await ask(service, 'GET', `/v1/matches/${matchId}`, b.headers), 'match-unknown')
  refused(t, await ask(service, 'POST', `/v1/matches/${matchId}/attestation`, b.headers), 'organisation-kind-forbidden')

  await ask(service, 'POST', `/v1/matches/${matchId}/feedback`, a.headers, { verdict: 'blocked' })
  t.equal((await redis.keys('{tabir}:trust:*')).length, 1)
  await ask(service, 'DELETE', her.url, her.headers)
  const gone = await ask(service, 'POST', `/v1/matches/${matchId}/feedback`, a.headers, { verdict: 'not-blocked' })
  t.same(withoutInstance(gone.body), withoutInstance(foreign.body), 'withdrawn')
  t.same(await redis.keys('{tabir}:trust:*'), [], 'its feedback is erased with it')
  t.same(await redis.keys('{tabir}:trust-statuses:*'), [])
  silent(t, service)
})

t.test('invalid or conflicting feedback, or feedback without the scope, is refused and changes nothing', async (t) => {
  const service = await startService(t)
  const { hash } = await caseWithPicture(service)
  const one = await platform(service, 'one')
  const matchId = await matchIdOf(service, one.headers, hash)
  const redis = await redisOf(t, service)
  const bodies = [
    {},
    { verdict: MARKER },
    { verdict: 'disputed' },
    { verdict: 'disputed', reason: MARKER },
    { verdict: 'blocked', reason: 'other' },
    { verdict: 'blocked', note: MARKER },
    [],
    'blocked',
    null,
  ]
  for (const body of bodies) {
    const payload = JSON.stringify(body)
    const headers = { ...one.headers, 'content-type': 'application/json' }
    const answer = await ask(service, 'POST', `/v1/matches/${matchId}/feedback`, headers, payload)
    refused(t, answer, 'request-invalid', payload)
  }
  t.same(await redis.keys('{tabir}:trust:*'), [])

  await feedback(service, one, hash, { verdict: 'blocked' })
  const before = await redis.dump((await redis.keys('{tabir}:trust:*'))[0] ?? '')
  refused(t, await feedback(service, one, hash, { verdict: 'pending-review' }), 'feedback-conflict')
  t.equal(await redis.dump((await redis.keys('{tabir}:trust:*'))[0] ?? ''), before)
  const noScope = await keyFor(service, 'one', ['match'])
  const answer = await ask(service, 'POST', `/v1/matches/${matchId}/feedback`, noScope.headers, { verdict: 'blocked' })
  refused(t, answer, 'scope-missing')
  silent(t, service)
})

t.test('a dispute shows in every match at once; its decision settles that reason for everyone', async (t) => {
  const service = await startService(t)
  const { hash, imageId } = await caseWithPicture(service)
  const [a, b] = [await platform(service, 'a'), await platform(service, 'b')]
  const { headers } = await operator(service)
  const disputed = async () => (await matchesOf(service, b.headers, hash))[0]?.disputed
  const decide = (outcome: string) => ask(service, 'POST', `/v1/signals/${imageId}/dispute/decision`, headers, { outcome })
  const listed = async () => (await ask(service, 'GET', '/v1/disputes', headers)).json<{ signals: object[] }>().signals

  refused(t, await decide('upheld'), 'dispute-not-open', 'no dispute yet')
  t.equal(await disputed(), false)
  await feedback(service, a, hash, { verdict: 'disputed', reason: 'public-interest' })
  t.equal(await disputed(), true)
  t.match(await listed(), [{ signalId: imageId, bank: 'cases', disputed: true, dispute: { reasons: ['public-interest'] } }])

  t.match((await decide('rejected')).json(), { dispute: { state: 'rejected' }, circulation: 'matching' })
  t.match((await decide('rejected')).json(), { dispute: { state: 'rejected' } }, 'repeated')
  refused(t, await decide('upheld'), 'dispute-not-open')
  t.equal(await disputed(), false)
  t.same(await listed(), [])
  const again = { verdict: 'disputed', reason: 'public-interest' }
  refused(t, await feedback(service, b, hash, again), 'dispute-settled', 'the same reason by another platform')
  const byOperator = await ask(service, 'POST', `/v1/signals/${imageId}/dispute`, headers, { reason: 'public-interest' })
  refused(t, byOperator, 'dispute-settled', 'the same reason by the operator')

  await ask(service, 'POST', `/v1/signals/${imageId}/dispute`, headers, { reason: 'harmless-content' })
  t.match((await decide('upheld')).json(), { dispute: { state: 'upheld' }, circulation: 'invalidated' })
  t.same(await matchesOf(service, b.headers, hash), [], 'an invalidated signal matches nothing')
})

t.test('a held signal matches nothing on any replica until it is released', async (t) => {
  const service = await startService(t)
  const { hash, imageId } = await caseWithPicture(service)
  const one = await platform(service, 'one')
  const { headers } = await operator(service)
  await feedback(service, one, hash, { verdict: 'disputed', reason: 'other' })
  const url = `/v1/signals/${imageId}/quarantine`

  refused(t, await ask(service, 'DELETE', url, headers), 'quarantine-conflict', 'it is not held')
  t.match((await ask(service, 'POST', url, headers)).json(), { circulation: 'held', heldFor: 'operator' })
  t.same(await matchesOf(service, one.headers, hash), [])
  t.match((await ask(service, 'GET', '/v1/quarantine', headers)).json(), { signals: [{ signalId: imageId }] })

  const late = await startService(t, { redis: service.redis })
  t.same(await matchesOf(late, one.headers, hash), [], 'on a replica that starts later')
  t.equal((await ask(service, 'DELETE', url, headers)).statusCode, 200)
  t.match(await matchesOf(service, one.headers, hash), [{ disputed: true }], 'its dispute is kept')
  await until(async () => (await matchesOf(late, one.headers, hash)).length === 1)
  t.match(await matchesOf(late, one.headers, hash), [{ disputed: true }])
})

t.test('verification and hold of a bank’s signal survive its resubmission and end with its removal', async (t) => {
  const service = await startService(t)
  const owner = await ngo(service, 'owner')
  const { headers } = await operator(service)
  const hash = randomHashText()
  await ask(service, 'POST', '/v1/banks', owner.headers, { name: 'own' })
  const handIn = async () => {
    const answer = await ask(service, 'POST', '/v1/banks/own/signals', owner.headers, { signals: [{ type: 'pdq', hash }] })
    return answer.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId
  }
  const url = `/v1/signals/${await handIn()}`

  await ask(service, 'POST', `${url}/verification`, headers)
  t.match(await matchesOf(service, owner.headers, hash), [{ tier: 'verified' }])
  await handIn()
  t.match(await matchesOf(service, owner.headers, hash), [{ tier: 'verified' }])
  await ask(service, 'POST', `${url}/quarantine`, headers)
  await handIn()
  t.same(await matchesOf(service, owner.headers, hash), [], 'resubmission does not release it')

  t.equal((await ask(service, 'DELETE', `/v1/banks/own${url.replace('/v1', '')}`, owner.headers)).statusCode, 204)
  refused(t, await ask(service, 'GET', url, headers), 'signal-unknown')
  await handIn()
  t.match(await matchesOf(service, owner.headers, hash), [{ tier: 'ngo-attested', disputed: false }])
})

t.test('operators’ routes refuse unknown signals, invalid ids and invalid limits', async (t) => {
  const service = await startService(t)
  const { headers } = await operator(service)
  const nobodys = '/v1/signals/00000000-0000-7000-8000-000000000000'
  const asked = [
    ['GET', '', undefined],
    ['POST', '/verification', undefined],
    ['POST', '/quarantine', undefined],
    ['DELETE', '/quarantine', undefined],
    ['POST', '/dispute', { reason: 'other' }],
    ['POST', '/dispute/decision', { outcome: 'upheld' }],
  ] as const
  for (const [method, path, payload] of asked) {
    refused(t, await ask(service, method, nobodys + path, headers, payload), 'signal-unknown', `${method} ${path}`)
    refused(t, await ask(service, method, `/v1/signals/${MARKER}${path}`, headers, payload), 'request-invalid')
  }
  refused(t, await ask(service, 'GET', '/v1/disputes?limit=0', headers), 'request-invalid')
  refused(t, await ask(service, 'GET', `/v1/quarantine?limit=${MARKER}`, headers), 'request-invalid')
  silent(t, service)
})

t.test('the time line of a case counts platforms’ decisions and names no platform', async (t) => {
  const service = await startService(t)
  const { hash } = await caseWithPicture(service)
  const [a, b] = [await platform(service, 'platform-a'), await platform(service, 'platform-b')]
  await feedback(service, a, hash, { verdict: 'pending-review' })
  await feedback(service, a, hash, { verdict: 'blocked' })
  await feedback(service, b, hash, { verdict: 'not-blocked' })
  await feedback(service, b, hash, { verdict: 'disputed', reason: 'other' })

  const redis = await redisOf(t, service)
  const [stream] = await redis.keys('{tabir}:case:*:events')
  const entries = await redis.xrange(stream ?? '', '-', '+')
  t.same(
    entries.map(([, fields]) => `${fields[1]} ${fields[3]}`).filter((line) => !/^(opened|registered|matched)/.test(line)),
    ['blocked 1', 'not-blocked 1', 'disputed 1'],
  )
  t.notMatch(JSON.stringify(entries), /platform/)
})

t.test('a verdict that a platform changed later is told as such, and only that one', async (t) => {
  const service = await startService(t)
  const her = await caseWithPicture(service)
  const other = randomHashText()
  const images = [{ signals: [{ type: 'pdq', hash: other, quality: 90 }] }]
  await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images })
  const [a, b] = [await platform(service, 'platform-a'), await platform(service, 'platform-b')]
  for (const [who, hash] of [
    [a, her.hash],
    [a, other],
    [b, her.hash],
  ] as const)
    await feedback(service, who, hash, { verdict: 'blocked' })
  await feedback(service, a, her.hash, { verdict: 'not-blocked' })
  await feedback(service, b, her.hash, { verdict: 'disputed', reason: 'other' })
  await feedback(service, a, her.hash, { verdict: 'disputed', reason: 'other' })
  await feedback(service, b, her.hash, { verdict: 'blocked' })
  const expected = [
    ['blocked', true],
    ['blocked', undefined],
    ['blocked', true],
    ['not-blocked', true],
    ['disputed', undefined],
    ['disputed', undefined],
    ['blocked', undefined],
  ]
  for (const [path, ofReport] of [
    ['events', false],
    ['export', false],
    ['report?format=json', true],
  ] as const) {
    const answer = (await ask(service, 'GET', `${her.url}/${path}`, her.headers)).json<{
      events: { kind: string; changedLater?: true }[]
    }>()
    if (ofReport) t.ok(Report.safeParse(answer).success)
    const verdicts = answer.events.filter(({ kind }) => /block|disput/.test(kind))
    t.same(
      verdicts.map(({ kind, changedLater }) => [kind, changedLater]),
      expected,
      path,
    )
    t.notMatch(JSON.stringify(answer), /"about"/)
  }
})

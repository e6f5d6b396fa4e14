// Protection against false reports: the allowlist, strikes, quotas and proof of work.

import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import t from 'tap'
import { z } from 'zod'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { post, redisOf, silent } from '../helpers/requests.js'
import { codeOf, openCase, randomHashText, startService, type TestService, withBitsFlipped } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, matchesOf, ngo, operator, platform } from '../helpers/trust.js'

const HOUR_MS = 3_600_000

t.test('a query matches only if the registered picture is nearer than every allowlisted one', async (t) => {
  const service = await startService(t)
  const one = await platform(service, 'one')
  const { headers } = await operator(service)
  const { hash } = await caseWithPicture(service)
  const near = (bits: number) => withBitsFlipped(hash, bits)
  t.equal((await matchesOf(service, one.headers, near(20))).length, 1)

  const added = await ask(service, 'POST', '/v1/banks/harmless/signals', headers, {
    signals: [{ type: 'pdq', hash: near(25) }],
  })
  t.equal(added.statusCode, 201)
  t.equal((await matchesOf(service, one.headers, hash)).length, 1, 'nearer to the registered one')
  t.same(await matchesOf(service, one.headers, near(20)), [], 'nearer to the harmless one')
  t.same(await matchesOf(service, one.headers, near(25)), [], 'the harmless picture itself does not match')
  const named = { queries: [{ signals: [{ type: 'pdq', hash }] }], banks: ['harmless'] }
  refused(t, await ask(service, 'POST', '/v1/match', one.headers, named), 'bank-unknown')
})

t.test('a case refuses a known harmless picture and registers the others beside it', async (t) => {
  const service = await startService(t)
  const { headers } = await operator(service)
  const hash = randomHashText()
  await ask(service, 'POST', '/v1/banks', headers, { name: 'logos', purpose: 'harmless' })
  await ask(service, 'POST', '/v1/banks/logos/signals', headers, { signals: [{ type: 'pdq', hash }] })

  const her = await openCase(service.app)
  const image = (text: string) => ({ signals: [{ type: 'pdq', hash: text, quality: 100 }] })
  const send = (...texts: string[]) => ask(service, 'POST', `${her.url}/hashes`, her.headers, { images: texts.map(image) })
  refused(t, await send(withBitsFlipped(hash, 31)), 'known-harmless')
  t.match((await send(hash, randomHashText())).json(), {
    images: [{ state: 'refused', problem: { code: 'known-harmless' } }, { state: 'registered' }],
  })
  t.equal((await send(withBitsFlipped(hash, 32))).statusCode, 201, 'a picture beyond the threshold is accepted')
})

t.test('the registration service itself refuses a known harmless picture', async (t) => {
  const service = await startService(t)
  const { headers } = await operator(service)
  const hash = randomHashText()
  const added = await ask(service, 'POST', '/v1/banks/harmless/signals', headers, { signals: [{ type: 'pdq', hash }] })
  t.equal(added.statusCode, 201, added.body)

  const her = await openCase(service.app)
  const own = await service.services.cases.own(her.caseNumber, her.token)
  const picture = (text: string) => ({
    signals: [
      { type: 'pdq', view: 'whole', quality: 100, hash: hashFromBytes(Buffer.from(text, 'hex').reverse()) },
    ] as const,
    category: undefined,
  })
  const register = (...texts: string[]) => service.services.registration.forCase(own, texts.map(picture))
  t.match(await register(hash, randomHashText()), [{ code: 'known-harmless' }, String])
  t.match(await register(hash), [{ code: 'known-harmless' }], 'the picture alone')
  t.match((await service.app.inject({ url: her.url, headers: her.headers })).json(), { images: 1 })
})

t.test('only an operator can create an allowlist bank or add to one', async (t) => {
  const service = await startService(t)
  const helper = await ngo(service, 'ngo')
  refused(t, await ask(service, 'POST', '/v1/banks', helper.headers, { name: 'x', purpose: 'harmless' }), 'scope-missing')
  refused(t, await ask(service, 'POST', '/v1/banks', helper.headers, { name: 'x', purpose: MARKER }), 'request-invalid')
  refused(t, await ask(service, 'POST', '/v1/banks', helper.headers, { name: 'harmless' }), 'bank-exists')
  const signals = { signals: [{ type: 'pdq', hash: randomHashText() }] }
  refused(t, await ask(service, 'POST', '/v1/banks/harmless/signals', helper.headers, signals), 'bank-unknown')
  silent(t, service)
})

t.test('a report judged harmless is invalidated, blocks its copies and counts as a strike', async (t) => {
  const service = await startService(t)
  const one = await platform(service, 'one')
  const { headers } = await operator(service)
  const first = await caseWithPicture(service)
  const second = randomHashText()
  const image = (hash: string) => ({ images: [{ signals: [{ type: 'pdq', hash, quality: 100 }] }] })
  const send = (hash: string) => ask(service, 'POST', `${first.url}/hashes`, first.headers, image(hash))
  const secondId = (await send(second)).json<{ images: { imageId: string }[] }>().images[0]?.imageId
  const strike = async (hash: string, signalId: string | undefined) => {
    await feedback(service, one, hash, { verdict: 'disputed', reason: 'harmless-content' })
    const url = `/v1/signals/${signalId}/dispute/decision`
    await ask(service, 'POST', url, headers, { outcome: 'upheld' })
    return await ask(service, 'POST', url, headers, { outcome: 'upheld' })
  }

  t.equal((await strike(first.hash, first.imageId)).statusCode, 200)
  const again = await openCase(service.app)
  const resent = await ask(service, 'POST', `${again.url}/hashes`, again.headers, image(first.hash))
  refused(t, resent, 'known-harmless', 'in another case')
  t.equal((await send(randomHashText())).statusCode, 201, 'one strike, decided twice, does not suspend the account')
  await strike(second, secondId)
  refused(t, await send(randomHashText()), 'account-suspended')

  const accounts = z.object({
    accounts: z.array(z.object({ account: z.string(), strikes: z.int(), suspended: z.boolean() })),
  })
  const listed = accounts.parse((await ask(service, 'GET', '/v1/strikes', headers)).json()).accounts
  t.match(listed, [{ strikes: 2, suspended: true }])
  t.equal((await ask(service, 'DELETE', `/v1/strikes/${listed[0]?.account}`, headers)).statusCode, 204)
  t.equal((await send(randomHashText())).statusCode, 201, 'forgiven')
  refused(t, await ask(service, 'DELETE', `/v1/strikes/${MARKER}`, headers), 'request-invalid')

  const third = randomHashText()
  await strike(third, (await send(third)).json<{ images: { imageId: string }[] }>().images[0]?.imageId)
  const struck = async () => (await ask(service, 'GET', '/v1/strikes', headers)).json<{ accounts: unknown[] }>().accounts
  t.equal((await struck()).length, 1)
  await ask(service, 'DELETE', first.url, first.headers)
  t.same(await struck(), [], 'the strikes of a case, with the ids of its images, end with it')
})

t.test('a decision about one entry leaves the entries of other cases, and one about a mistake judges nothing', async (t) => {
  const service = await startService(t)
  const one = await platform(service, 'one')
  const { headers } = await operator(service)
  const her = await caseWithPicture(service)
  for (const answer of ['shows-me-without-consent', 'added-by-mistake']) {
    const stranger = await caseWithPicture(service, withBitsFlipped(her.hash, 4))
    await ask(service, 'POST', `/v1/signals/${stranger.imageId}/dispute`, headers, { reason: 'harmless-content' })
    const answered = `${stranger.url}/images/${stranger.imageId}/answer`
    t.equal((await ask(service, 'PUT', answered, stranger.headers, { answer })).statusCode, 200)
    t.match(
      (await ask(service, 'GET', '/v1/disputes', headers)).json(),
      { signals: [{ signalId: stranger.imageId, otherEntries: [her.imageId] }] },
      'the operator sees that another case holds it',
    )
    const url = `/v1/signals/${stranger.imageId}/dispute/decision`
    t.match((await ask(service, 'POST', url, headers, { outcome: 'upheld' })).json(), { circulation: 'invalidated' })
    t.equal((await matchesOf(service, one.headers, her.hash)).length, 1, 'her picture is found')
    t.equal((await matchesOf(service, one.headers, withBitsFlipped(her.hash, 6))).length, 1, 'so is a copy')
    const strikes = (await ask(service, 'GET', '/v1/strikes', headers)).json<{ accounts: unknown[] }>().accounts
    const again = await ask(service, 'POST', `${her.url}/hashes`, her.headers, {
      images: [{ signals: [{ type: 'pdq', hash: stranger.hash, quality: 100 }] }],
    })
    if (answer === 'added-by-mistake') t.equal(again.statusCode, 201, 'another case may register it')
    else refused(t, again, 'known-harmless')
    t.equal(strikes.length, answer === 'added-by-mistake' ? 0 : 1, 'a mistake is no strike')
    await ask(service, 'DELETE', stranger.url, stranger.headers)
    for (const { blockId } of (await ask(service, 'GET', '/v1/resubmission-blocks', headers)).json<{
      blocks: { blockId: string }[]
    }>().blocks)
      await ask(service, 'DELETE', `/v1/resubmission-blocks/${blockId}`, headers)
  }
})

t.test('a call that would exceed the quota of a case registers none of its images', async (t) => {
  const service = await startService(t, { trustLimits: { maxImagesPerCase: 3 } })
  const her = await openCase(service.app)
  const images = Array.from({ length: 4 }, () => ({ signals: [{ type: 'pdq', hash: randomHashText(), quality: 100 }] }))
  const send = (from: number, to: number) =>
    ask(service, 'POST', `${her.url}/hashes`, her.headers, { images: images.slice(from, to) })

  refused(t, await send(0, 4), 'case-full')
  t.match((await ask(service, 'GET', her.url, her.headers)).json(), { images: 0 }, 'nothing was registered')
  t.equal((await send(0, 3)).statusCode, 201)
  t.equal((await send(0, 3)).statusCode, 201, 'registered images do not count again')
  refused(t, await send(3, 4), 'case-full')
})

t.test('an organisation has a daily quota of signals', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1, 12)
  const service = await startService(t, { trustLimits: { maxSignalsPerOrgPerDay: 5 }, now: () => nowMs })
  const helper = await ngo(service, 'ngo')
  await ask(service, 'POST', '/v1/banks', helper.headers, { name: 'own' })
  const send = (count: number) =>
    ask(service, 'POST', '/v1/banks/own/signals', helper.headers, {
      signals: Array.from({ length: count }, () => ({ type: 'pdq', hash: randomHashText() })),
    })

  t.equal((await send(3)).statusCode, 201)
  const refusal = await send(3)
  refused(t, refusal, 'quota-exceeded')
  t.equal(Number(refusal.headers['retry-after']), 12 * 3600)
  t.equal((await send(2)).statusCode, 201, 'refused signals do not count')
  nowMs += 13 * HOUR_MS
  t.equal((await send(5)).statusCode, 201, 'another day')
})

const Challenge = z.object({
  parameters: z.looseObject({
    algorithm: z.string(),
    nonce: z.string(),
    salt: z.string(),
    cost: z.number(),
    keyLength: z.number(),
    keyPrefix: z.string(),
    keySignature: z.string(),
    expiresAt: z.number(),
  }),
  signature: z.string(),
})

async function solved(service: TestService) {
  const challenge = Challenge.parse((await service.app.inject('/v1/cases/challenge')).json())
  const solution = await solveChallenge({ challenge, deriveKey })
  if (solution === null) throw new Error('a challenge can be solved')
  return { challenge, solution: { counter: solution.counter, derivedKey: solution.derivedKey } }
}

t.test('with proof of work on, a case opens for a solved challenge, once and before it expires', async (t) => {
  let nowMs = Date.now()
  const service = await startService(t, { trustLimits: { proofRounds: 20 }, now: () => nowMs })
  const open = (proof?: object) => post(service.app, '/v1/cases', { adult: true, ...(proof !== undefined && { proof }) })
  const proof = await solved(service)

  refused(t, await open(), 'proof-of-work-required')
  refused(
    t,
    await open({ ...proof, solution: { ...proof.solution, derivedKey: '00'.repeat(32) } }),
    'proof-of-work-required',
  )
  const cheaper = { ...proof.challenge, parameters: { ...proof.challenge.parameters, cost: 1 } }
  refused(t, await open({ ...proof, challenge: cheaper }), 'proof-of-work-required', 'a forged cost')
  const later = { ...proof.challenge, parameters: { ...proof.challenge.parameters, expiresAt: 9_999_999_999 } }
  refused(t, await open({ ...proof, challenge: later }), 'proof-of-work-required', 'a forged expiry')
  refused(t, await open({ ...proof, note: MARKER }), 'request-invalid')
  t.equal((await open(proof)).statusCode, 201)
  refused(t, await open(proof), 'proof-of-work-required', 'used')

  const late = await solved(service)
  nowMs += 301_000
  refused(t, await open(late), 'proof-of-work-required', 'too late')
  const redis = await redisOf(t, service)
  t.ok((await redis.ttl((await redis.keys('{tabir}:used-proof:*'))[0] ?? '')) > 0, 'the used challenge expires')
  silent(t, service)
})

t.test('with proof of work off, a case opens with or without a proof', async (t) => {
  const service = await startService(t)
  t.equal((await post(service.app, '/v1/cases', { adult: true })).statusCode, 201)
  t.equal((await post(service.app, '/v1/cases', { adult: true, proof: await solved(service) })).statusCode, 201)
  t.equal(codeOf(await post(service.app, '/v1/cases', { adult: true, proof: MARKER })), 'request-invalid')
})

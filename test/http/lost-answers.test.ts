// A lost answer must not lose a case, a key or a webhook: a repeat gives the same secret, or what the lost answer
// created is listed and can be removed.

import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createWebhookStore } from '../../src/store/webhooks/webhooks.js'
import { lossyLine } from '../helpers/lossy-line.js'
import { storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { del, post, redisOf, tryPin } from '../helpers/requests.js'
import { keyFor, openCase, startService } from '../helpers/service.js'
import { SEAL_KEY } from '../helpers/tabir.js'

const service = await startService(t, { sealKey: SEAL_KEY })
const { app } = service
const lose = await lossyLine(t, app)
const ngo = await keyFor(service, 'ngo', ['cases:write'], 'ngo')
const platform = await keyFor(service, 'platform', ['webhooks', 'match'])
const admin = await keyFor(service, 'operator', ['admin'], 'operator')

/** Each of these operations has a test below. */
const GIVES_A_SECRET = [
  'addWebhook',
  'changePin',
  'createKey',
  'handOverCase',
  'openCase',
  'openCaseByPin',
  'rotateKey',
  'rotateWebhookSecret',
]
const CONSENT = { adult: true, consent: { kind: 'in-person', on: '2026-01-31' } }

const keyed = (headers = {}) => ({ ...headers, 'idempotency-key': randomUUID() })

async function sameAgain(t: Test, url: string, headers: Record<string, string>, body?: object) {
  await lose({ url, body, headers })
  const [again, andAgain] = [await post(app, url, body, headers), await post(app, url, body, headers)]
  t.equal(again.statusCode, 201, url)
  t.equal(andAgain.body, again.body, 'the same answer each time')
  return again
}

t.test('every operation whose answer contains a secret has a test for a lost answer', async (t) => {
  const Operation = z.object({ operationId: z.string(), responses: z.unknown() })
  const { paths } = z.object({ paths: z.record(z.string(), z.record(z.string(), Operation)) }).parse(app.swagger())
  const giving = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .filter(({ responses }) =>
      /"(pin|recoveryCode|token|key|secret)":\{[^{}]*"type":"string"/.test(JSON.stringify(responses)),
    )
  t.same(giving.map(({ operationId }) => operationId).toSorted(), GIVES_A_SECRET)
})

t.test('repeating a lost opening of a case gives the same number and PIN, and no second case', async (t) => {
  const redis = await redisOf(t, service)
  const count = async () => (await redis.keys('{tabir}:case:*:events')).length
  const before = await count()
  const opened = await sameAgain(t, '/v1/cases', keyed(), { adult: true })
  t.equal((await count()) - before, 1)
  const { caseNumber, pin } = opened.json<{ caseNumber: string; pin: string }>()
  t.equal((await tryPin(app, caseNumber, pin)).statusCode, 201)
})

t.test('repeating a lost token request gives another token, and both open the case', async (t) => {
  const her = await openCase(app)
  await lose({ url: `${her.url}/tokens`, body: { pin: her.pin } })
  const { token } = (await tryPin(app, her.caseNumber, her.pin)).json<{ token: string }>()
  for (const each of [token, her.token])
    t.equal((await app.inject({ url: her.url, headers: { authorization: `Bearer ${each}` } })).statusCode, 200)
})

t.test('repeating a lost PIN change gives the same PIN, and the old PIN works until the new one is used', async (t) => {
  const her = await openCase(app)
  await lose({ url: `${her.url}/pin`, headers: her.headers })
  t.equal((await tryPin(app, her.caseNumber, her.pin)).statusCode, 201, 'the old PIN still works')

  const given = await sameAgain(t, `${her.url}/pin`, keyed(her.headers))
  const { pin } = given.json<{ pin: string }>()
  t.equal((await tryPin(app, her.caseNumber, her.pin)).statusCode, 201, 'the old PIN works until the new one is used')
  t.equal((await tryPin(app, her.caseNumber, pin)).statusCode, 201)
  if (pin !== her.pin) refused(t, await tryPin(app, her.caseNumber, her.pin), 'case-unknown')
})

t.test('repeating a lost handover gives the same PIN until it is used', async (t) => {
  const opened = await sameAgain(t, '/v1/assisted-cases', keyed(ngo.headers), CONSENT)
  const { caseNumber } = opened.json<{ caseNumber: string }>()
  const url = `/v1/cases/${caseNumber}`
  const handover = `${url}/handover`
  const again = await sameAgain(t, handover, keyed(ngo.headers), { keepReading: false })
  const other = await post(app, handover, {}, keyed(ngo.headers))
  t.same([other.statusCode, other.body], [201, again.body], 'with another key as well')
  refused(t, await post(app, handover, { keepReading: true }, ngo.headers), 'request-invalid')
  refused(t, await del(app, url, ngo.headers), 'case-unknown', 'the NGO has no other access')

  const { recoveryCode } = again.json<{ recoveryCode: string }>()
  const stranger = await keyFor(service, 'another ngo', ['cases:write'], 'ngo')
  refused(t, await post(app, handover, {}, stranger.headers), 'case-unknown')
  const { token } = (await tryPin(app, caseNumber, recoveryCode)).json<{ token: string }>()
  refused(t, await post(app, handover, { keepReading: false }, ngo.headers), 'handed-over')
  t.equal((await post(app, `${url}/pin`, undefined, { authorization: `Bearer ${token}` })).statusCode, 201)
  refused(t, await post(app, handover, {}, ngo.headers), 'handed-over', 'a later PIN is never given to the NGO')
})

t.test('repeating a lost key creation or rotation gives the same key, and unused keys can be revoked', async (t) => {
  const body = { org: 'lost', kind: 'platform', scopes: ['match'] }
  const ofOrg = async () => {
    const { keys } = (await app.inject({ url: '/v1/keys', headers: admin.headers })).json<{
      keys: { keyId: string; org: string }[]
    }>()
    return keys.flatMap(({ keyId, org }) => (org === 'lost' ? [keyId] : []))
  }
  const { keyId } = (await sameAgain(t, '/v1/keys', keyed(admin.headers), body)).json<{ keyId: string }>()
  t.same(await ofOrg(), [keyId])
  const rotated = await sameAgain(t, `/v1/keys/${keyId}/rotation`, keyed(admin.headers), { overlapHours: 1 })
  t.same((await ofOrg()).toSorted(), [keyId, rotated.json<{ keyId: string }>().keyId].toSorted())

  await lose({ url: '/v1/keys', body, headers: admin.headers })
  const left = await ofOrg()
  t.equal(left.length, 3)
  for (const each of left) t.equal((await del(app, `/v1/keys/${each}`, admin.headers)).statusCode, 204)
  t.same(await ofOrg(), [])
})

t.test('a webhook is added once for its Idempotency-Key, and its secret stays valid after lost rotations', async (t) => {
  const body = { url: 'https://hooks.example/in', events: ['match.found'] }
  const added = await sameAgain(t, '/v1/webhooks', keyed(platform.headers), body)
  const { webhookId, secret } = added.json<{ webhookId: string; secret: string }>()
  const list = async () =>
    (await app.inject({ url: '/v1/webhooks', headers: platform.headers })).json<{ webhooks: object[] }>()
  t.equal((await list()).webhooks.length, 1)

  const store = await openStore(storeAt(service.redis.socket))
  t.teardown(() => store.close())
  const signingNow = async () =>
    (await createWebhookStore(store, makeKeyring([SEAL_KEY])).get(webhookId))?.secrets.map((each) => each.secret) ?? []
  const rotation = `/v1/webhooks/${webhookId}/secret`
  for (let i = 0; i < 2; i++) await lose({ url: rotation, headers: platform.headers })
  t.ok((await signingNow()).includes(secret), 'the only secret that the receiver has')
  const next = (await sameAgain(t, rotation, keyed(platform.headers))).json<{ secret: string }>().secret
  t.equal((await signingNow())[0], next)
  t.ok((await signingNow()).includes(secret))
  for (let i = 0; i < 9; i++) await post(app, rotation, undefined, platform.headers)
  t.equal((await signingNow()).length, 4, 'at most four secrets sign')
  t.equal((await del(app, `/v1/webhooks/${webhookId}`, platform.headers)).statusCode, 204)
})

// An answer that is lost costs nobody a case, a key or a webhook: a repeat gives the same secret, or leaves nothing that only the lost
// answer could have reached.

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

/** Each has a test below. */
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

t.test('these are all routes whose answer has a secret', async (t) => {
  const Operation = z.object({ operationId: z.string(), responses: z.unknown() })
  const { paths } = z.object({ paths: z.record(z.string(), z.record(z.string(), Operation)) }).parse(app.swagger())
  const giving = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .filter(({ responses }) =>
      /"(pin|recoveryCode|token|key|secret)":\{[^{}]*"type":"string"/.test(JSON.stringify(responses)),
    )
  t.same(giving.map(({ operationId }) => operationId).toSorted(), GIVES_A_SECRET)
})

t.test('a new case: the same number and PIN, and no second case', async (t) => {
  const redis = await redisOf(t, service)
  const count = async () => (await redis.keys('{tabir}:case:*:events')).length
  const before = await count()
  const opened = await sameAgain(t, '/v1/cases', keyed(), { adult: true })
  t.equal((await count()) - before, 1)
  const { caseNumber, pin } = opened.json<{ caseNumber: string; pin: string }>()
  t.equal((await tryPin(app, caseNumber, pin)).statusCode, 201)
})

t.test('a token: another one opens the case as well', async (t) => {
  const her = await openCase(app)
  await lose({ url: `${her.url}/tokens`, body: { pin: her.pin } })
  const { token } = (await tryPin(app, her.caseNumber, her.pin)).json<{ token: string }>()
  for (const each of [token, her.token])
    t.equal((await app.inject({ url: her.url, headers: { authorization: `Bearer ${each}` } })).statusCode, 200)
})

t.test('another PIN: the one before opens until the new one is used, and a repeat gives the same', async (t) => {
  const her = await openCase(app)
  await lose({ url: `${her.url}/pin`, headers: her.headers })
  t.equal((await tryPin(app, her.caseNumber, her.pin)).statusCode, 201, 'she is not locked out')

  const given = await sameAgain(t, `${her.url}/pin`, keyed(her.headers))
  const { pin } = given.json<{ pin: string }>()
  t.equal((await tryPin(app, her.caseNumber, her.pin)).statusCode, 201, 'still')
  t.equal((await tryPin(app, her.caseNumber, pin)).statusCode, 201)
  if (pin !== her.pin) refused(t, await tryPin(app, her.caseNumber, her.pin), 'case-unknown')
})

t.test('a handover: the same PIN for any repeat, until she has used it', async (t) => {
  const opened = await sameAgain(t, '/v1/assisted-cases', keyed(ngo.headers), CONSENT)
  const { caseNumber } = opened.json<{ caseNumber: string }>()
  const url = `/v1/cases/${caseNumber}`
  const handover = `${url}/handover`
  const again = await sameAgain(t, handover, keyed(ngo.headers), { keepReading: false })
  const other = await post(app, handover, {}, keyed(ngo.headers))
  t.same([other.statusCode, other.body], [201, again.body], 'with another key as well')
  refused(t, await post(app, handover, { keepReading: true }, ngo.headers), 'request-invalid')
  refused(t, await del(app, url, ngo.headers), 'case-unknown', 'all else is over')

  const { pin } = again.json<{ pin: string }>()
  const stranger = await keyFor(service, 'another ngo', ['cases:write'], 'ngo')
  refused(t, await post(app, handover, {}, stranger.headers), 'case-unknown')
  const { token } = (await tryPin(app, caseNumber, pin)).json<{ token: string }>()
  refused(t, await post(app, handover, { keepReading: false }, ngo.headers), 'handed-over')
  t.equal((await post(app, `${url}/pin`, undefined, { authorization: `Bearer ${token}` })).statusCode, 201)
  refused(t, await post(app, handover, {}, ngo.headers), 'handed-over', 'and never the PIN that she got since')
})

t.test(
  'a key, and one in place of another: the same with its Idempotency-Key; what is left without is listed and ends',
  async (t) => {
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
  },
)

t.test(
  'a webhook: once for its Idempotency-Key; a secret that arrived goes on signing, however many answers were lost',
  async (t) => {
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
    t.ok((await signingNow()).includes(secret), 'the receiver knows this one alone')
    const next = (await sameAgain(t, rotation, keyed(platform.headers))).json<{ secret: string }>().secret
    t.equal((await signingNow())[0], next)
    t.ok((await signingNow()).includes(secret))
    for (let i = 0; i < 9; i++) await post(app, rotation, undefined, platform.headers)
    t.equal((await signingNow()).length, 4, 'and there is an end to that')
    t.equal((await del(app, `/v1/webhooks/${webhookId}`, platform.headers)).statusCode, 204)
  },
)

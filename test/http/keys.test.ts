import t from 'tap'
import { z } from 'zod'
import { refused } from '../helpers/refusal.js'
import { del, post } from '../helpers/requests.js'
import { startService, until } from '../helpers/service.js'
import { operator } from '../helpers/trust.js'

const Made = z.object({ keyId: z.string(), key: z.string() })
const Listed = z.object({ keys: z.array(z.looseObject({ keyId: z.string() })) })
const Entries = z.object({
  entries: z.array(z.object({ number: z.int(), act: z.string(), by: z.string(), about: z.record(z.string(), z.string()) })),
})

t.test('keys are created, shown once, rotated with an overlap and revoked over HTTP, and each act is audited', async (t) => {
  const service = await startService(t)
  const { app } = service
  const admin = await operator(service)
  const asked = async (key: string) =>
    (await app.inject({ url: '/v1/insights/days/own', headers: { authorization: `Bearer ${key}` } })).statusCode
  const of = async (url: string) => app.inject({ url, headers: admin.headers })

  const wish = { org: 'platform', kind: 'platform', scopes: ['match'], networks: ['127.0.0.0/8'] }
  const made = Made.parse((await post(app, '/v1/keys', wish, admin.headers)).json())
  await until(async () => (await asked(made.key)) === 200)
  const listed = await of('/v1/keys')
  t.notMatch(listed.body, made.key.slice(-59), 'the secret is not listed')
  t.match(
    Listed.parse(listed.json()).keys.find(({ keyId }) => keyId === made.keyId),
    { org: 'platform', kind: 'platform', scopes: ['match'], networks: ['127.0.0.0/8'], expiresAt: null, suspendedAt: null },
  )

  const next = Made.parse((await post(app, `/v1/keys/${made.keyId}/rotation`, { overlapHours: 1 }, admin.headers)).json())
  await until(async () => (await asked(next.key)) === 200)
  t.equal(await asked(made.key), 200, 'both keys work during the overlap')
  t.equal((await del(app, `/v1/keys/${next.keyId}`, admin.headers)).statusCode, 204)
  t.equal(await asked(next.key), 401, 'revoked at once')
  t.equal((await del(app, `/v1/keys/${made.keyId}/suspension`, admin.headers)).statusCode, 204)

  for (const path of [`/v1/keys/${next.keyId}`, '/v1/keys/none', '/v1/keys/none/suspension'])
    refused(t, await del(app, path, admin.headers), 'key-unknown')
  refused(t, await post(app, '/v1/keys/none/rotation', {}, admin.headers), 'key-unknown')
  const ended = { expiresAt: new Date(Date.now() - 1000).toISOString() }
  const wrongs = [
    {},
    { scopes: [] },
    { scopes: ['all'] },
    { networks: ['here'] },
    { expiresAt: 'soon' },
    ended,
    { org: ' ' },
  ]
  for (const wrong of wrongs)
    refused(
      t,
      await post(app, '/v1/keys', Object.keys(wrong).length === 0 ? {} : { ...wish, ...wrong }, admin.headers),
      'request-invalid',
    )

  const entries = async (query = '') => Entries.parse((await of(`/v1/audit${query}`)).json()).entries
  await until(async () => (await entries()).some(({ act }) => act === 'key.restored'))
  const acts = (await entries()).filter(({ act }) => act !== 'key.used')
  t.match(acts.slice(0, 4), [
    { act: 'key.restored', by: `key:${admin.keyId}`, about: { keyId: made.keyId } },
    { act: 'key.revoked', by: `key:${admin.keyId}`, about: { keyId: next.keyId } },
    { act: 'key.rotated', by: `key:${admin.keyId}`, about: { keyId: made.keyId, successorId: next.keyId } },
    { act: 'key.created', by: `key:${admin.keyId}`, about: { keyId: made.keyId } },
  ])
  const [first] = await entries('?limit=1')
  t.same(
    (await entries(`?limit=1&before=${first?.number}`)).map(({ number }) => number),
    [(first?.number ?? 0) - 1],
  )
})

// Found by fuzzing: an id that the audit log cannot contain was answered with 500.
t.test('an id that is not a key id gets 404', async (t) => {
  const service = await startService(t)
  const { headers } = await operator(service)
  for (const word of ['%00', '%E2%80%AE', "'%20OR%201=1", 'f'.repeat(64), 'short']) {
    const answer = await service.app.inject({ method: 'DELETE', url: `/v1/keys/${word}`, headers })
    t.match(answer.json(), { status: 404, code: 'key-unknown' }, word)
  }
})

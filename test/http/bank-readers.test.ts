// A bank is visible to its owner and readers only, on every route that leads to its contents.

import t from 'tap'
import { refused, withoutInstance } from '../helpers/refusal.js'
import { randomHashText, startService, type TestService, until } from '../helpers/service.js'
import { ask, matchesOf, matchIdOf, ngo, operator, platform } from '../helpers/trust.js'

type Headers = Readonly<Record<string, string>>

async function banksSeenBy(service: TestService, headers: Headers): Promise<string[]> {
  const { banks } = (await ask(service, 'GET', '/v1/banks', headers)).json<{ banks: { bank: string }[] }>()
  return banks.map(({ bank }) => bank).filter((bank) => bank === 'few')
}

t.test('only the owner, the readers and operators see a bank, and only its owner and readers match it', async (t) => {
  const service = await startService(t)
  const other = await startService(t, { redis: service.redis })
  const owner = await ngo(service, 'owner')
  const reader = await ngo(service, 'reader')
  const stranger = await ngo(service, 'stranger')
  const admin = await operator(service)
  const asking = await platform(service, 'asking')
  const hash = randomHashText()
  const named = (bank: string) => ({ banks: [bank], queries: [{ signals: [{ type: 'pdq', hash }] }] })

  const made = await ask(service, 'POST', '/v1/banks', owner.headers, { name: 'few', readers: ['reader', 'asking'] })
  t.match(made.json(), { bank: 'few', readers: ['reader', 'asking'] })
  await ask(service, 'POST', '/v1/banks/few/signals', owner.headers, { signals: [{ type: 'pdq', hash }] })

  for (const { headers } of [owner, reader, asking]) t.equal((await matchesOf(service, headers, hash)).length, 1)
  t.same(await matchesOf(service, stranger.headers, hash), [])
  for (const [{ headers }, seen] of [
    [owner, ['few']],
    [reader, ['few']],
    [stranger, []],
    [admin, ['few']],
  ] as const)
    t.same(await banksSeenBy(service, headers), seen)
  const toReader = (await ask(service, 'GET', '/v1/banks', reader.headers)).body
  t.notOk(toReader.includes('asking'), 'only the owner sees the other readers')

  const hidden = await ask(service, 'POST', '/v1/match', stranger.headers, named('few'))
  refused(t, hidden, 'bank-unknown')
  const missing = await ask(service, 'POST', '/v1/match', stranger.headers, named('none'))
  t.same(withoutInstance(hidden.body), withoutInstance(missing.body), 'as if there were none')

  const matchId = await matchIdOf(service, asking.headers, hash)
  t.equal((await ask(service, 'GET', `/v1/matches/${matchId}`, asking.headers)).statusCode, 200)
  const patched = await ask(service, 'PATCH', '/v1/banks/few', owner.headers, { readers: ['reader'] })
  t.match(patched.json(), { readers: ['reader'] })
  t.same(await matchesOf(service, asking.headers, hash), [], 'at once on the process that answered')
  await until(async () => (await matchesOf(other, asking.headers, hash)).length === 0)
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['POST', '/feedback', { verdict: 'blocked' }],
    ['POST', '/feedback', { verdict: 'disputed', reason: 'harmless-content' }],
  ] as const)
    refused(t, await ask(service, method, `/v1/matches/${matchId}${path}`, asking.headers, body), 'match-unknown', path)

  t.match((await ask(service, 'PATCH', '/v1/banks/few', owner.headers, { readers: null })).json(), { readers: null })
  t.equal((await matchesOf(service, stranger.headers, hash)).length, 1, 'visible to every organisation again')
  t.match((await ask(service, 'PATCH', '/v1/banks/few', owner.headers, { readers: [] })).json(), { readers: [] })
  t.same(await matchesOf(service, reader.headers, hash), [])
  t.equal((await matchesOf(service, owner.headers, hash)).length, 1)
})

t.test('only the owner sets the readers of a bank, and they must be existing organisations', async (t) => {
  const service = await startService(t)
  const owner = await ngo(service, 'owner')
  const stranger = await ngo(service, 'stranger')
  const admin = await operator(service)
  await ask(service, 'POST', '/v1/banks', owner.headers, { name: 'few', readers: [] })
  const change = (headers: Headers, bank: string, readers: unknown) =>
    ask(service, 'PATCH', `/v1/banks/${bank}`, headers, { readers })

  refused(t, await change(stranger.headers, 'few', null), 'bank-unknown')
  refused(t, await change(admin.headers, 'few', null), 'bank-unknown')
  refused(t, await change(admin.headers, 'harmless', []), 'bank-unknown', 'the allowlist has no readers')
  refused(t, await change(owner.headers, 'cases', []), 'bank-unknown')
  refused(t, await change(owner.headers, 'few', ['nobody']), 'organisation-unknown')
  refused(t, await change(owner.headers, 'few', 'owner'), 'request-invalid')
  refused(
    t,
    await ask(service, 'POST', '/v1/banks', owner.headers, { name: 'new', readers: ['nobody'] }),
    'organisation-unknown',
  )
})

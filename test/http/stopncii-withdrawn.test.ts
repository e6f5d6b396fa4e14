// An organisation can withdraw what it submitted over StopNCII, also while it does not match.

import t from 'tap'
import { parseHash } from '../../packages/hash/src/hash256.js'
import { keyFor, randomHashText, startService, type TestService } from '../helpers/service.js'
import { ask, matchesOf, operator } from '../helpers/trust.js'

const ready = startService(t).then(async (service) => {
  const member = await keyFor(service, 'member', ['signals:write', 'feedback', 'match'])
  const { headers: admin } = await operator(service)
  const post = (path: string, payload: object, { key } = member) =>
    service.app.inject({ method: 'POST', url: `/stopncii/v1/${path}`, headers: { 'x-functions-key': key }, payload })
  const submit = async (hash: string) => {
    await post('SubmitHashes', { hashRecords: [{ signalType: 'ImagePDQ', hashValue: hash }] })
    const { ids } = await service.services.registration.forBank(await bank(), [
      { signal: signalOf(hash), ref: undefined, category: undefined },
    ])
    return ids[0] ?? ''
  }
  const bank = () => service.services.banks.writable(callerOf(service, member.key), bankOf(service, member.key))
  const withdraw = async (hashValue: string, feedbackValue = 'Withdrawn', by = member) =>
    (await post('SubmitFeedback', { hashFeedbacks: [{ hashValue, feedbackValue, tags: [] }] }, by)).json<object>()
  return { service, member, admin, submit, withdraw }
})

const TAKEN = { accepted: 1, refused: [] }
const UNKNOWN = { accepted: 0, refused: [{ index: 0, reason: 'signal-unknown' }] }

t.test('a hash that the operator holds can be withdrawn, and does not match after a release', async (t) => {
  const { service, member, admin, submit, withdraw } = await ready
  const hash = randomHashText()
  const id = await submit(hash)
  t.equal((await matchesOf(service, member.headers, hash)).length, 1)
  t.equal((await ask(service, 'POST', `/v1/signals/${id}/quarantine`, admin)).statusCode, 200)

  t.same(await withdraw(hash), TAKEN)

  t.equal(
    (await ask(service, 'DELETE', `/v1/signals/${id}/quarantine`, admin)).statusCode,
    404,
    'nothing is left to release',
  )
  t.same(await matchesOf(service, member.headers, hash), [])
  t.same(await withdraw(hash), UNKNOWN, 'it was withdrawn already')
})

t.test('a paused hash, an invalidated one and one of a bank with ratio 0 can be withdrawn', async (t) => {
  const { service, member, admin, submit, withdraw } = await ready
  const { trust, banks } = service.services
  const [paused, invalidated, off] = [randomHashText(), randomHashText(), randomHashText()]
  const pausedId = await submit(paused)
  await trust.pause(pausedId, 0, 'operator')
  const invalidatedId = await submit(invalidated)
  await ask(service, 'POST', `/v1/signals/${invalidatedId}/dispute`, admin, { reason: 'other' })
  await ask(service, 'POST', `/v1/signals/${invalidatedId}/dispute/decision`, admin, { outcome: 'upheld' })
  const offId = await submit(off)
  await banks.setRatio(callerOf(service, member.key), bankOf(service, member.key), 0)

  for (const [hash, id] of [
    [paused, pausedId],
    [invalidated, invalidatedId],
    [off, offId],
  ] as const) {
    t.same(await withdraw(hash, 'Deleted'), TAKEN)
    await t.rejects(trust.signal(id), { code: 'signal-unknown' }, 'erased')
  }
})

t.test('a hash of another organisation cannot be withdrawn, and trying creates no bank', async (t) => {
  const { service, member, admin, submit, withdraw } = await ready
  const hash = randomHashText()
  const id = await submit(hash)
  const other = await keyFor(service, 'other', ['signals:write', 'feedback', 'match'])
  t.same(await withdraw(hash, 'Withdrawn', other), UNKNOWN)
  t.equal((await ask(service, 'GET', `/v1/signals/${id}`, admin)).statusCode, 200)
  const banks = await ask(service, 'GET', '/v1/banks', other.headers)
  t.notMatch(banks.body, bankOf(service, other.key))
  t.same(await withdraw(hash), TAKEN)
  t.equal((await ask(service, 'GET', `/v1/signals/${id}`, admin)).statusCode, 404)
  t.ok(member)
})

function callerOf({ services }: TestService, key: string) {
  const caller = services.identify(key)
  if (caller === undefined) throw new Error('a key is known once it is made')
  return caller
}

function bankOf(service: TestService, key: string) {
  return `stopncii-${callerOf(service, key).orgId}`
}

function signalOf(hash: string) {
  return { type: 'pdq', view: 'whole', quality: 100, hash: hash256(hash) } as const
}

function hash256(text: string) {
  const hash = parseHash(text)
  if (hash === undefined) throw new Error('64 hex digits are a hash')
  return hash
}

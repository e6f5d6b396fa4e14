// A caller cannot tell by its name whether a hidden bank exists: every route answers as for an unused name.

import { Redis } from 'ioredis'
import t from 'tap'
import { BANK_REF_PATTERN } from '../../packages/core/src/matching/bank.js'
import { refused } from '../helpers/refusal.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { ask } from '../helpers/trust.js'

const service = await startService(t)
const beside = await startService(t, { redis: service.redis })
const ngo = await keyFor(service, 'ngo', ['signals:write', 'match'], 'ngo')
const other = await keyFor(service, 'other', ['signals:write', 'match', 'feed'], 'ngo')
const platform = await keyFor(service, 'platform', ['signals:write', 'match', 'feed'])
const operator = await keyFor(service, 'operator', ['signals:write', 'admin'])
type Headers = Readonly<Record<string, string>>
interface Listed {
  readonly bank: string
  readonly own: boolean
}

const create = (headers: Headers, name: string, readers: string[] | null = []) =>
  ask(service, 'POST', '/v1/banks', headers, { name, readers })
const readBy = (headers: Headers, name: string, readers: string[] | null) =>
  ask(service, 'PATCH', `/v1/banks/${name}`, headers, { readers })
const listed = async (headers: Headers) =>
  (await ask(service, 'GET', '/v1/banks', headers)).json<{ banks: Listed[] }>().banks
async function added(headers: Headers, name: string): Promise<string> {
  const hash = randomHashText()
  const answer = await ask(service, 'POST', `/v1/banks/${name}/signals`, headers, { signals: [{ type: 'pdq', hash }] })
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return hash
}
const match = (headers: Headers, hash: string, banks?: string[]) =>
  ask(service, 'POST', '/v1/match', headers, {
    queries: [{ signals: [{ type: 'pdq', hash }] }],
    ...(banks !== undefined && { banks }),
  })
const banksFound = async (...asked: Parameters<typeof match>) =>
  (await match(...asked))
    .json<{ results: { matches: { bank: string }[] }[] }>()
    .results.flatMap(({ matches }) => matches.map(({ bank }) => bank))

t.test('every route answers alike for the name of a hidden bank and for an unused name', async (t) => {
  t.equal((await create(ngo.headers, 'HIDDEN')).statusCode, 201)
  const signals = [{ type: 'pdq', hash: randomHashText() }]
  const looks = async (name: string) => {
    const answers = [
      await ask(service, 'POST', `/v1/banks/${name}/signals`, other.headers, { signals }),
      await readBy(other.headers, name, []),
      await ask(service, 'GET', `/v1/banks/${name}/imports`, other.headers),
      await match(other.headers, randomHashText(), [name]),
      await ask(service, 'GET', `/c/bank/${name}`, other.headers),
      await create(other.headers, name),
      await create(other.headers, name),
      await ask(service, 'POST', '/c/banks', other.headers, { name }),
      await ask(service, 'DELETE', `/c/bank/${name}`, other.headers),
    ]
    return answers.map(({ statusCode, body }) => [
      statusCode,
      body.replaceAll(name, 'NAME').replace(/"(?:instance|createdAt)":"[^"]*"|~[0-9a-f]{12}/g, ''),
    ])
  }
  const hidden = await looks('HIDDEN')
  t.same(hidden, await looks('UNUSED'))
  t.equal(hidden.at(5)?.[0], 201)
  t.equal(hidden.at(6)?.[0], 409, 'the caller has a bank of this name now')
  t.same(await banksFound(ngo.headers, await added(ngo.headers, 'HIDDEN')), ['HIDDEN'], 'the hidden bank is unchanged')
})

t.test('two owners may use one bank name, and each finds only its own signals by it', async (t) => {
  await create(ngo.headers, 'two')
  await create(other.headers, 'two')
  const [first, second] = [await added(ngo.headers, 'two'), await added(other.headers, 'two')]
  for (const [owner, own, foreign] of [
    [ngo, first, second],
    [other, second, first],
  ] as const) {
    t.same(await banksFound(owner.headers, own), ['two'])
    t.same(await banksFound(owner.headers, own, ['two']), ['two'])
    t.same(await banksFound(owner.headers, foreign), [])
    t.ok((await listed(owner.headers)).some(({ bank, own: isOwn }) => bank === 'two' && isOwn))
  }
  await until(async () => (await ask(beside, 'PATCH', '/v1/banks/two', other.headers, { readers: [] })).statusCode === 200)
  refused(t, await create(operator.headers, 'two'), 'bank-exists', 'an operator knows of every bank')
})

t.test('a reader of two banks with one name sees it for the one readable first, and a suffix on the other', async (t) => {
  await create(other.headers, 'late')
  const late = await added(other.headers, 'late')
  await create(ngo.headers, 'late', ['platform'])
  const early = await added(ngo.headers, 'late')
  t.same(await banksFound(platform.headers, early), ['late'])
  await readBy(other.headers, 'late', ['platform'])
  const [exact = ''] = await banksFound(platform.headers, late)
  t.match(exact, /^late~[0-9a-f]{12}$/, 'a bank that becomes readable later does not take the name over')
  t.match(exact, BANK_REF_PATTERN)
  t.same(await banksFound(platform.headers, late, ['late']), [])
  t.same(await banksFound(platform.headers, late, [exact]), [exact])
  t.same(await banksFound(platform.headers, early, ['late']), ['late'])
  const names = (await listed(platform.headers)).map(({ bank }) => bank)
  t.same(
    names.filter((name) => name.startsWith('late')),
    ['late', exact],
  )
  await readBy(ngo.headers, 'late', ['platform', 'operator'])
  t.same(await banksFound(platform.headers, early), ['late'], 'more readers change nothing for an earlier reader')
  const { body } = await ask(service, 'GET', `/v1/feed?banks=${exact}`, platform.headers)
  t.match(body, `"bank":"${exact}"`)
  t.notMatch(body, '"bank":"late"')
  refused(t, await create(platform.headers, 'late'), 'bank-exists', 'a reader cannot create a bank of the same name')
})

t.test('a bank name that looks like a hash (43 characters) is refused as invalid', async (t) => {
  for (const length of [42, 44, 63]) t.equal((await create(ngo.headers, 'a'.repeat(length))).statusCode, 201)
  refused(t, await create(ngo.headers, 'a'.repeat(43)), 'request-invalid')
})

t.test('of eight concurrent requests for one bank name at two processes exactly one succeeds', async (t) => {
  await create(ngo.headers, 'race')
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      ask(i % 2 === 0 ? service : beside, 'POST', '/v1/banks', other.headers, { name: 'race', readers: [] }),
    ),
  )
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [201, ...new Array(7).fill(409)])
  const redis = new Redis(service.redis.socket)
  t.teardown(() => redis.disconnect())
  t.equal((await redis.hkeys('{tabir}:banks')).filter((name) => name.startsWith('race')).length, 2)
})

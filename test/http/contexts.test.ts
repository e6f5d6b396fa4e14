import { createHmac, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { HashedImage } from '../../packages/core/src/matching/hashed-image.js'
import { hashFromBytes, parseHash } from '../../packages/hash/src/hash256.js'
import { MAX_CONTEXTS } from '../../src/store/trust/contexts.js'
import { multipart } from '../helpers/multipart.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { post, redisOf, silent } from '../helpers/requests.js'
import { randomHashText, startService, type TestService, withBitsFlipped } from '../helpers/service.js'
import { ask, caseWithPicture, platform } from '../helpers/trust.js'

const DAY_MS = 86_400_000

type Headers = Readonly<Record<string, string>>

/** An id of the form that a context has. */
const idOf = (name: string) => name.padEnd(22, '-')

async function seen(service: TestService, headers: Headers, context: string, ...hashes: string[]): Promise<void> {
  const queries = hashes.map((hash) => ({ context, signals: [{ type: 'pdq', hash }] }))
  const answer = await post(service.app, '/v1/match', { queries, transforms: false }, headers)
  if (answer.statusCode !== 200) throw new Error(answer.body)
  await service.services.settled()
}

async function contextsOf(service: TestService, headers: Headers, query = '') {
  const answer = await ask(service, 'GET', `/v1/insights/contexts${query}`, headers)
  return answer
    .json<{ contexts: { context: string; images24h: number; images30d: number }[] }>()
    .contexts.map(({ context, images24h, images30d }) => [context, images24h, images30d])
}

/** What a HyperLogLog of Redis counts for these images: it is an estimate, and in one of a thousand runs counts five as four. */
async function counted(t: Test, service: TestService, images: readonly { readonly imageId: string }[]): Promise<number> {
  const redis = await redisOf(t, service)
  await redis.pfadd('counted', ...images.map(({ imageId }) => imageId))
  return await redis.pfcount('counted')
}

t.test('a context is counted by distinct registered images, for each platform separately', async (t) => {
  const service = await startService(t)
  const [one, two] = [await platform(service, 'one'), await platform(service, 'two')]
  const pictures = await Promise.all(Array.from({ length: 5 }, () => caseWithPicture(service)))
  const hashes = pictures.map(({ hash }) => hash)
  const [first = '', second = ''] = hashes

  await seen(service, one.headers, idOf('quiet'), first)
  for (let i = 0; i < 5; i++) await seen(service, one.headers, idOf('quiet'), withBitsFlipped(first, i))
  await seen(service, one.headers, idOf('loud'), ...hashes)
  await seen(service, one.headers, idOf('nothing-found'), randomHashText())
  await seen(service, two.headers, idOf('quiet'), second)

  const five = await counted(t, service, pictures)
  t.same(await contextsOf(service, one.headers), [
    [idOf('loud'), five, five],
    [idOf('quiet'), 1, 1],
  ])
  t.same(await contextsOf(service, one.headers, '?limit=1'), [[idOf('loud'), five, five]])
  t.same(await contextsOf(service, two.headers), [[idOf('quiet'), 1, 1]], 'each platform has its own contexts')
})

t.test('the context of a form applies to all of its pictures, wherever the part stands', async (t) => {
  const hash = randomHashText()
  const found: HashedImage = {
    quality: 100,
    signals: [{ type: 'pdq', view: 'whole', quality: 100, hashes: [parseHash(hash) ?? hashFromBytes(Buffer.alloc(32))] }],
  }
  const service = await startService(t, { hashing: { hash: async () => found } })
  const one = await platform(service, 'one')
  await caseWithPicture(service, hash)
  const picture = { name: 'image', fileName: 'a.jpg', contentType: 'image/jpeg', bytes: 'a picture' }
  const context = { name: 'context', bytes: idOf('group') }
  for (const parts of [
    [context, picture, picture],
    [picture, context],
  ]) {
    const { payload, headers } = multipart(parts)
    const sent = { method: 'POST', url: '/v1/match/images', payload, headers: { ...one.headers, ...headers } } as const
    t.equal((await service.app.inject(sent)).statusCode, 200)
  }
  await service.services.settled()
  t.same(await contextsOf(service, one.headers), [[idOf('group'), 1, 1]])
})

t.test('a context counts images of the last day and month, and is then forgotten', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1, 12)
  const service = await startService(t, { now: () => nowMs })
  const one = await platform(service, 'one')
  const [first, second] = [await caseWithPicture(service), await caseWithPicture(service)]

  await seen(service, one.headers, idOf('place'), first.hash)
  nowMs += 2 * DAY_MS
  await seen(service, one.headers, idOf('place'), second.hash)
  t.same(await contextsOf(service, one.headers), [[idOf('place'), 1, await counted(t, service, [first, second])]])
  nowMs += 29 * DAY_MS
  t.same(await contextsOf(service, one.headers), [[idOf('place'), 0, 1]])
  nowMs += 2 * DAY_MS
  t.same(await contextsOf(service, one.headers), [])
})

t.test('a context is stored sealed, under a keyed hash and with an expiry', async (t) => {
  const service = await startService(t)
  const one = await platform(service, 'one')
  const { hash } = await caseWithPicture(service)
  await seen(service, one.headers, idOf(MARKER), hash)

  const redis = await redisOf(t, service)
  const names = await redis.keys('{tabir}:context*')
  t.ok(names.length >= 4)
  t.notMatch(names.join(), MARKER)
  for (const name of names) {
    t.ok((await redis.ttl(name)) > 0, `${name} expires`)
    t.notMatch((await redis.dumpBuffer(name)).toString('latin1'), MARKER)
  }
  silent(t, service)
})

t.test('a context is an opaque id: no name, number, address or sentence is accepted', async (t) => {
  const service = await startService(t)
  const one = await platform(service, 'one')
  const { hash } = await caseWithPicture(service)
  const send = (context: unknown) =>
    post(service.app, '/v1/match', { queries: [{ context, signals: [{ type: 'pdq', hash }] }] }, one.headers)

  const texts = ['', MARKER, '+60123456789', '175928847299117063', 'someone.with.a.long.name@mail.example']
  const others = [
    'https://chat.example/groups/some-group',
    'the group of class 5b in town',
    `${idOf('line')}\n`,
    'é'.repeat(22),
  ]
  const wrong = [...texts, ...others, 'x'.repeat(21), 'x'.repeat(65), 'x'.repeat(10_000), 7, null, { id: MARKER }, [MARKER]]
  for (const context of wrong) refused(t, await send(context), 'request-invalid', JSON.stringify(context).slice(0, 40))
  await service.services.settled()
  t.same(await contextsOf(service, one.headers), [])
  const right = [randomUUID(), 'x'.repeat(22), hash, createHmac('sha256', 'a key').update('a chat').digest('base64url')]
  for (const context of right) t.equal((await send(context)).statusCode, 200, context)
  await service.services.settled()
  t.equal((await contextsOf(service, one.headers)).length, right.length)
  refused(t, await ask(service, 'GET', '/v1/insights/contexts?limit=1001', one.headers), 'request-invalid')
  refused(t, await ask(service, 'DELETE', `/v1/insights/contexts/${MARKER}`, one.headers), 'request-invalid')
  silent(t, service)
})

t.test('a platform deletes its context and the counts; another platform cannot', async (t) => {
  const service = await startService(t)
  const [one, two] = [await platform(service, 'one'), await platform(service, 'two')]
  const { hash } = await caseWithPicture(service)
  const redis = await redisOf(t, service)
  await seen(service, one.headers, idOf('kept'), hash)
  const others = (await redis.keys('{tabir}:context*')).sort()
  await seen(service, one.headers, idOf('group'), hash)
  const remove = async (headers: Headers) => {
    const answer = await ask(service, 'DELETE', `/v1/insights/contexts/${idOf('group')}`, headers)
    t.equal(answer.statusCode, 200)
    t.same(answer.json(), { deleted: true })
  }

  await remove(two.headers)
  t.equal((await contextsOf(service, one.headers)).length, 2)
  for (let i = 0; i < 2; i++) {
    await remove(one.headers)
    t.same(await contextsOf(service, one.headers), [[idOf('kept'), 1, 1]])
    t.same((await redis.keys('{tabir}:context*')).sort(), others)
  }
})

t.test('what is kept of a context expires 30 days after its last match', async (t) => {
  const service = await startService(t)
  const one = await platform(service, 'one')
  const { hash } = await caseWithPicture(service)
  await seen(service, one.headers, idOf('group'), hash)
  const redis = await redisOf(t, service)
  for (const name of await redis.keys('{tabir}:context*')) t.ok((await redis.ttl(name)) <= 30 * 86_400, name)
})

t.test('a platform that names a new context with each query fills no store', async (t) => {
  const service = await startService(t)
  const one = await platform(service, 'one')
  const { hash } = await caseWithPicture(service)
  await seen(service, one.headers, idOf('first'), hash)
  const redis = await redisOf(t, service)
  const before = await redis.dbsize()
  for (let from = 0; from < MAX_CONTEXTS + 400; from += 200) {
    const queries = Array.from({ length: 200 }, (_, i) => ({
      context: idOf(`c${from + i}`),
      signals: [{ type: 'pdq', hash }],
    }))
    t.equal((await post(service.app, '/v1/match', { queries, transforms: false }, one.headers)).statusCode, 200)
    await service.services.settled()
  }
  const added = (await redis.dbsize()) - before
  t.ok(added <= 2 * MAX_CONTEXTS + 10, `${added} keys`)
})

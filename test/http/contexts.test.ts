import t, { type Test } from 'tap'
import { hashFromBytes, parseHash } from '../../packages/hash/src/hash256.js'
import type { HashedImage } from '../../src/domain/matching/hashed-image.js'
import { multipart } from '../helpers/multipart.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { post, redisOf, silent } from '../helpers/requests.js'
import { randomHashText, startService, type TestService, withBitsFlipped } from '../helpers/service.js'
import { ask, caseWithPicture, platform } from '../helpers/trust.js'

const DAY_MS = 86_400_000

type Headers = Readonly<Record<string, string>>

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

  await seen(service, one.headers, 'quiet', first)
  for (let i = 0; i < 5; i++) await seen(service, one.headers, 'quiet', withBitsFlipped(first, i))
  await seen(service, one.headers, 'loud', ...hashes)
  await seen(service, one.headers, 'nothing found', randomHashText())
  await seen(service, two.headers, 'quiet', second)

  const five = await counted(t, service, pictures)
  t.same(await contextsOf(service, one.headers), [
    ['loud', five, five],
    ['quiet', 1, 1],
  ])
  t.same(await contextsOf(service, one.headers, '?limit=1'), [['loud', five, five]])
  t.same(await contextsOf(service, two.headers), [['quiet', 1, 1]], 'each platform has its own contexts')
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
  const context = { name: 'context', bytes: 'a group' }
  for (const parts of [
    [context, picture, picture],
    [picture, context],
  ]) {
    const { payload, headers } = multipart(parts)
    const sent = { method: 'POST', url: '/v1/match/images', payload, headers: { ...one.headers, ...headers } } as const
    t.equal((await service.app.inject(sent)).statusCode, 200)
  }
  await service.services.settled()
  t.same(await contextsOf(service, one.headers), [['a group', 1, 1]])
})

t.test('a context counts images of the last day and month, and is then forgotten', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1, 12)
  const service = await startService(t, { now: () => nowMs })
  const one = await platform(service, 'one')
  const [first, second] = [await caseWithPicture(service), await caseWithPicture(service)]

  await seen(service, one.headers, 'place', first.hash)
  nowMs += 2 * DAY_MS
  await seen(service, one.headers, 'place', second.hash)
  t.same(await contextsOf(service, one.headers), [['place', 1, await counted(t, service, [first, second])]])
  nowMs += 29 * DAY_MS
  t.same(await contextsOf(service, one.headers), [['place', 0, 1]])
  nowMs += 2 * DAY_MS
  t.same(await contextsOf(service, one.headers), [])
})

t.test('a context is stored sealed, under a keyed hash and with an expiry', async (t) => {
  const service = await startService(t)
  const one = await platform(service, 'one')
  const { hash } = await caseWithPicture(service)
  await seen(service, one.headers, MARKER, hash)

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

t.test('a context of 256 bytes is accepted; a longer or invalid one is refused and not counted', async (t) => {
  const service = await startService(t)
  const one = await platform(service, 'one')
  const { hash } = await caseWithPicture(service)
  const send = (context: unknown) =>
    post(service.app, '/v1/match', { queries: [{ context, signals: [{ type: 'pdq', hash }] }] }, one.headers)

  for (const context of ['x'.repeat(257), 'x'.repeat(10_000), 'é'.repeat(129), '', 7, null, { id: MARKER }, [MARKER]]) {
    refused(t, await send(context), 'request-invalid', JSON.stringify(context).slice(0, 20))
  }
  await service.services.settled()
  t.same(await contextsOf(service, one.headers), [])
  t.equal((await send('é'.repeat(128))).statusCode, 200)
  await service.services.settled()
  t.same(await contextsOf(service, one.headers), [['é'.repeat(128), 1, 1]])
  refused(t, await ask(service, 'GET', '/v1/insights/contexts?limit=1001', one.headers), 'request-invalid')
  silent(t, service)
})

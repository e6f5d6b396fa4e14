import { mock } from 'node:test'
import t from 'tap'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, openCase, startService } from '../helpers/service.js'

t.test('an uploaded picture is found as a changed copy, and not after its withdrawal', async (t) => {
  const service = await startService(t, { workers: true })
  const { app } = service
  const platform = await keyFor(service, 'platform', ['match'])
  const her = await openCase(app)

  const registered = await app.inject({
    method: 'POST',
    url: `${her.url}/images`,
    ...merge(images([await scene(1)]), her.headers),
  })
  t.equal(registered.statusCode, 201, registered.body)
  t.match(registered.json(), { images: [{ imageId: /^[0-9a-f-]{36}$/, quality: Number, state: 'registered' }] })

  const asked = await app.inject({
    method: 'POST',
    url: '/v1/match/images',
    ...merge(images([await scene(1, { format: 'webp' }), await scene(2)]), platform.headers),
  })
  t.equal(asked.statusCode, 200, asked.body)
  const { results } = asked.json<{ results: { matches: { grade: string }[]; quality: number }[] }>()
  t.match(results[0]?.matches, [
    { grade: /exact|strong/, view: 'whole', transform: 'original', bank: 'cases', tier: 'self-reported' },
  ])
  t.notOk(asked.body.includes('distanceBits'), 'an exact distance needs another scope')
  t.same(results[1]?.matches, [])

  const withdrawn = await app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.match(withdrawn.json(), { state: 'withdrawn', images: 1 })
  const again = await app.inject({
    method: 'POST',
    url: '/v1/match/images',
    ...merge(images([await scene(1)]), platform.headers),
  })
  t.same(again.json<{ results: { matches: unknown[] }[] }>().results[0]?.matches, [])
})

t.test('a picture that no worker takes is overwritten after 30 s, and its sender gets a time to retry', async (t) => {
  const { services } = await startService(t)
  const image = Buffer.from('a picture')
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())

  const hashed = services.hashing.hash([image], 'submission')
  mock.timers.tick(29_999)
  t.equal(image.toString(), 'a picture')
  mock.timers.tick(1)
  mock.timers.reset() // the rest needs real timers for Redis

  t.ok(image.every((byte) => byte === 0))
  await t.rejects(hashed, { code: 'hashing-unavailable', retryAfterS: Number })
})

function merge({ payload, headers }: { payload: Buffer; headers: Record<string, string> }, more: Record<string, string>) {
  return { payload, headers: { ...headers, ...more } }
}

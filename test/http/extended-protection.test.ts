// Extended protection: details are kept only if the service offers it and the submitter chose it.

import { Redis } from 'ioredis'
import t from 'tap'
import { detailedSize } from '../../packages/hash/src/details/detailed-size.js'
import { detailsOf, hashImage } from '../../packages/hash/src/hash-image.js'
import { decode } from '../../workers/media/decode.js'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { refused } from '../helpers/refusal.js'
import { post } from '../helpers/requests.js'
import { keyFor, openCase, startService } from '../helpers/service.js'

const picture = (await scene(61, { width: 1600, height: 1200 })).bytes
const pixels = await decode(picture)
const { signals } = await hashImage(pixels, { purpose: 'register', aspect: pixels.aspect })
const details = await detailsOf(await decode(picture, detailedSize), { purpose: 'register' })

t.test('details are stored only for cases with extended protection, from uploads and devices', async (t) => {
  const service = await startService(t, { workers: true, extendedProtection: true })
  const { app, redis } = service
  const store = new Redis(redis.socket)
  t.teardown(() => store.disconnect())
  const kept = async () => {
    const shards = await store.keys('{tabir}:details:*')
    return (await Promise.all(shards.map((shard) => store.hvals(shard)))).flat().length
  }
  const health = await keyFor(service, 'operator', ['admin'], 'operator')
  const rows = async () => {
    const { body } = await app.inject({ url: '/health/index', headers: health.headers })
    const { indexes }: { indexes: { type: string; liveRows: number }[] } = JSON.parse(body)
    return indexes.find(({ type }) => type === 'detail')?.liveRows
  }
  const upload = (her: { url: string; headers: object }) => {
    const { payload, headers } = images([{ name: 'a.jpg', contentType: 'image/jpeg', bytes: picture }])
    return app.inject({ method: 'POST', url: `${her.url}/images`, payload, headers: { ...headers, ...her.headers } })
  }

  const plain = await openCase(app)
  t.equal((await app.inject({ url: plain.url, headers: plain.headers })).json().extendedProtection, false)
  t.equal((await upload(plain)).statusCode, 201)
  t.equal(await kept(), 0, 'none for a case without extended protection')
  const given = { images: [{ signals, details }] }
  refused(t, await post(app, `${plain.url}/hashes`, given, plain.headers), 'extended-protection-off')

  const [first, second] = [
    await openCase(app, { extendedProtection: true }),
    await openCase(app, { extendedProtection: true }),
  ]
  t.equal((await app.inject({ url: first.url, headers: first.headers })).json().extendedProtection, true)
  t.equal((await upload(first)).statusCode, 201)
  t.same([await kept(), await rows()], [1, 16])
  t.equal((await upload(first)).statusCode, 201, 'the same picture again')
  t.same([await kept(), await rows()], [1, 16])
  const added = await post(app, `${second.url}/hashes`, given, second.headers)
  t.equal(added.statusCode, 201, added.body)
  t.same([await kept(), await rows()], [2, 32])
  const [row] = await store.keys('{tabir}:details:*')
  const [value] = await store.hvalsBuffer(row ?? '')
  t.ok((value?.length ?? 0) > 4000 && (value?.length ?? 0) < 5300)

  for (const wrong of ['', 'AQEB', details.slice(4), 'A'.repeat(10_000), `${details.slice(0, -4)}____`]) {
    const refusal = await post(app, `${second.url}/hashes`, { images: [{ signals, details: wrong }] }, second.headers)
    refused(t, refusal, 'request-invalid', `${wrong.length} characters`)
  }

  await app.inject({ method: 'DELETE', url: first.url, headers: first.headers })
  t.same([await kept(), await rows()], [1, 16])
  await app.inject({ method: 'DELETE', url: second.url, headers: second.headers })
  t.same([await kept(), await rows()], [0, 0])
})

t.test('a service without extended protection refuses to open a case that asks for it', async (t) => {
  const service = await startService(t)
  const ngo = await keyFor(service, 'ngo', ['cases:write'], 'ngo')
  const body = { adult: true, extendedProtection: true }
  refused(t, await post(service.app, '/v1/cases', body), 'extended-protection-off')
  const assisted = { ...body, consent: { kind: 'in-writing', on: '2026-01-02' } }
  refused(t, await post(service.app, '/v1/assisted-cases', assisted, ngo.headers), 'extended-protection-off')
})

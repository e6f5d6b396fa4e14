// A repeated request gets the same answer, and a repeated picture is the same image.

import { Redis } from 'ioredis'
import t from 'tap'
import { parseHash } from '../../packages/hash/src/hash256.js'
import type { Hashing } from '../../src/services/intake/hashing.js'
import { imagePart, multipart } from '../helpers/multipart.js'
import { type Picture, scene } from '../helpers/pictures.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { post } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, until } from '../helpers/service.js'

/** First byte of a picture that is hashed later. */
const HELD = 7
const KEY = 'b6f0c9c2-0c3e-4f57-9d35-1f7c2f0c7a11'
const key = (value = KEY) => ({ 'idempotency-key': value })

function given(...hashes: string[]) {
  return { images: hashes.map((hash) => ({ signals: [{ type: 'pdq', hash, quality: 80 }] })) }
}

t.test('an idempotency key opens one case, also concurrently, and its kept answer is sealed', async (t) => {
  const { app, redis } = await startService(t)
  const body = { adult: true, category: 'nude' }
  const twins = await Promise.all(Array.from({ length: 8 }, () => post(app, '/v1/cases', body, key())))
  for (const twin of twins) t.same([twin.statusCode, twin.body], [201, twins[0]?.body])
  t.equal((await post(app, '/v1/cases', body, key())).body, twins[0]?.body, 'also later')
  t.not((await post(app, '/v1/cases', body, key(`${KEY}x`))).body, twins[0]?.body, 'another key')
  t.not((await post(app, '/v1/cases', body)).body, (await post(app, '/v1/cases', body)).body, 'no key')
  refused(t, await post(app, '/v1/cases', { adult: true }, key()), 'idempotency-key-reused')
  refused(t, await post(app, '/v1/cases', { adult: false }, key()), 'minor-declared')
  for (const wrong of ['short', MARKER, 'x'.repeat(129), `${KEY} ${KEY}`])
    refused(t, await post(app, '/v1/cases', body, key(wrong)), 'request-invalid')

  const { caseNumber, token } = twins[0]?.json<{ caseNumber: string; token: string }>() ?? {}
  const client = new Redis(redis.socket)
  t.teardown(() => client.disconnect())
  const names = await client.keys('{tabir}:idempotency:*')
  t.equal(names.length, 2)
  const kept = (await Promise.all(names.map((name) => client.getBuffer(name)))).map(String).join()
  for (const secret of [caseNumber ?? '', token ?? '', KEY]) t.notOk(`${kept}${names}`.includes(secret))

  const hers = { authorization: `Bearer ${token}` }
  const url = `/v1/cases/${caseNumber}`
  t.equal((await post(app, `${url}/pin`, undefined, { ...hers, ...key() })).statusCode, 201)
  await app.inject({ method: 'DELETE', url, headers: hers })
  refused(t, await post(app, '/v1/cases', body, key()), 'case-withdrawn', 'number, PIN and code end with the case')
  refused(t, await post(app, `${url}/pin`, undefined, { ...hers, ...key() }), 'case-withdrawn')
})

t.test('hashes are registered once for an idempotency key and a case, and a refusal is not kept', async (t) => {
  const { app } = await startService(t)
  const [her, other] = [await openCase(app), await openCase(app)]
  const body = given(randomHashText())
  const twins = await Promise.all(
    Array.from({ length: 5 }, () => post(app, `${her.url}/hashes`, body, { ...her.headers, ...key() })),
  )
  for (const twin of twins) t.same([twin.statusCode, twin.body], [201, twins[0]?.body])
  t.equal((await app.inject(her)).json<{ images: number }>().images, 1)
  const changed = await post(app, `${her.url}/hashes`, given(randomHashText()), { ...her.headers, ...key() })
  refused(t, changed, 'idempotency-key-reused')
  t.equal((await post(app, `${other.url}/hashes`, body, { ...other.headers, ...key() })).statusCode, 201, 'another case')

  const plain = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 3 }] }] }
  const again = { ...her.headers, ...key(`${KEY}2`) }
  refused(t, await post(app, `${her.url}/hashes`, plain, again), 'quality-too-low')
  t.equal((await post(app, `${her.url}/hashes`, body, again)).statusCode, 201, 'a refused request does not use up the key')
})

t.test('pictures are registered once for an idempotency key, with any multipart boundary', async (t) => {
  const { app } = await startService(t, { workers: true })
  const her = await openCase(app)
  const [bird, tree] = [await scene(1), await scene(2)]
  let sent = 0
  const send = (pictures: readonly Picture[], headers: Record<string, string>) => {
    const copies = pictures.map((picture) => imagePart({ ...picture, bytes: Buffer.from(picture.bytes) }))
    const upload = multipart(copies, `boundary${sent++}`)
    return app.inject({
      method: 'POST',
      url: `${her.url}/images`,
      headers: { ...her.headers, ...headers, ...upload.headers },
      payload: upload.payload,
    })
  }
  const twins = await Promise.all([send([bird, tree], key()), send([bird, tree], key()), send([bird, tree], key())])
  for (const twin of twins) t.same([twin.statusCode, twin.body], [201, twins[0]?.body])
  refused(t, await send([tree, bird], key()), 'idempotency-key-reused', 'another order')
  refused(t, await send([bird], key()), 'idempotency-key-reused', 'one picture less')
  t.equal((await send([bird, tree], key())).body, twins[0]?.body)

  const withoutKey = await send([bird, bird, tree], {})
  const ids = (body: string) => [...body.matchAll(/"imageId":"([^"]+)"/g)].map(([, id]) => id)
  const [birdId, treeId] = ids(twins[0]?.body ?? '')
  t.same(ids(withoutKey.body), [birdId, birdId, treeId], 'the same picture is the same image')
  t.match((await app.inject(her)).json(), { images: 2 })
})

t.test('a repeat with its key gets the first answer, whatever either of them refuses', async (t) => {
  const gate = new AbortController()
  const opened = new Promise((resolve) => gate.signal.addEventListener('abort', resolve))
  let held = 0
  const hashing: Hashing = {
    async hash([piece]) {
      if (piece?.[0] === HELD) {
        held++
        await opened
      }
      const hash = parseHash(randomHashText())
      return {
        quality: 90,
        signals: [{ type: 'pdq', view: 'whole', quality: 90, hashes: hash === undefined ? [] : [hash] }],
      }
    },
  }
  const { app } = await startService(t, { hashing, uploadLimits: { maxInFlightBytes: 3000, maxImageBytes: 1000 } })
  const her = await openCase(app)
  const send = (files: readonly Buffer[], own: Record<string, string> = key()) => {
    const { payload, headers } = multipart(files.map((bytes) => imagePart({ name: 'a', contentType: 'image/png', bytes })))
    const all = { ...her.headers, ...own, ...headers }
    return app.inject({ method: 'POST', url: `${her.url}/images`, headers: all, payload })
  }
  const files = [Buffer.alloc(900, 1), Buffer.alloc(1100, 2)]
  const { statusCode, body } = await send(files)
  t.equal(statusCode, 201)
  t.match(JSON.parse(body), { images: [{ state: 'registered' }, { problem: { code: 'image-too-large' } }] })
  const others = send(Array<Buffer>(3).fill(Buffer.alloc(900, HELD)), {})
  await until(() => held === 3)
  const repeat = await send(files)
  t.same([repeat.statusCode, repeat.body], [201, body], 'while there is no room for any picture')
  refused(t, await send(files.with(1, Buffer.alloc(1100, 3))), 'idempotency-key-reused', 'of another file that is too large')
  gate.abort()
  t.equal((await others).statusCode, 201)
  t.equal((await send(files)).body, body)
})

t.test('the same PDQ hash twice in a case is one image, and separate images in two cases', async (t) => {
  const { app } = await startService(t)
  const [her, other] = [await openCase(app), await openCase(app)]
  const hash = randomHashText()
  const idOf = async (at: typeof her, signals: object[]) => {
    const answer = await post(app, `${at.url}/hashes`, { images: [{ signals }] }, at.headers)
    return answer.json<{ images: { imageId: string }[] }>().images[0]?.imageId
  }
  const pdq = { type: 'pdq', hash, quality: 80 }
  const first = await idOf(her, [pdq])
  t.equal(await idOf(her, [pdq]), first)
  t.equal(
    await idOf(her, [
      { type: 'blockhash', hash, quality: 80 },
      { ...pdq, quality: 90 },
    ]),
    first,
  )
  t.not(await idOf(other, [pdq]), first)
  const oneBitOff = `${hash.slice(0, -1)}${(Number.parseInt(hash.slice(-1), 16) ^ 1).toString(16)}`
  t.not(await idOf(her, [{ ...pdq, hash: oneBitOff }]), first)
  t.not(await idOf(her, [{ type: 'sha256', hash, quality: 100 }]), first)
  t.not(await idOf(her, [{ ...pdq, view: 'crop' }]), first)
  t.match((await app.inject(her)).json(), { images: 4 })
  const events = (await app.inject({ url: `${her.url}/events`, headers: her.headers })).json<{ events: unknown[] }>()
  t.equal(events.events.length, 5, 'a repeated picture adds no event')
})

t.test('a watch is added once for an idempotency key', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const body = { watches: [{ reference: 'upload-1', signals: [{ type: 'pdq', hash: randomHashText() }] }] }
  const leave = (more = {}) => post(service.app, '/v1/watch', body, { ...headers, ...more })
  const first = await leave(key())
  t.equal(first.statusCode, 201)
  t.equal((await leave(key())).body, first.body)
  const { watches } = (await service.app.inject({ url: '/v1/watch', headers })).json<{ watches: unknown[] }>()
  t.equal(watches.length, 1)
  t.not((await leave()).body, first.body, 'no key')
})

t.test('kept answers of one case are limited in size, however many keys it uses', async (t) => {
  const { app, redis } = await startService(t)
  const [her, other] = [await openCase(app), await openCase(app)]
  const client = new Redis(redis.socket)
  t.teardown(() => client.disconnect())
  const keptBytes = async () => {
    const names = await client.keys('{tabir}:idempotency:*')
    const sizes = await Promise.all(names.map((name) => client.strlen(name)))
    return sizes.reduce((sum, size) => sum + size, 0)
  }
  const body = given(...Array<string>(1000).fill(randomHashText()))
  const send = (nth: number, { url, headers } = her) =>
    post(app, `${url}/hashes`, body, { ...headers, ...key(`${KEY}-${nth}`) })
  for (let nth = 0; nth < 20; nth++) t.equal((await send(nth)).statusCode, 201)
  const bytes = await keptBytes()
  t.ok(bytes < 1 << 20, `${bytes} bytes`)
  t.equal((await send(19)).statusCode, 201, 'a request whose answer was not kept runs again and changes nothing')
  t.equal((await app.inject(her)).json<{ images: number }>().images, 1)
  await send(0, other)
  t.ok((await keptBytes()) > bytes, 'answers of another case are still kept')
})

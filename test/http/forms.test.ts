// Forms of one kind look alike, and so do objects. A query by hash may declare what its picture is; for uploads the service detects that itself.

import t from 'tap'
import { hashImage, hashVideo } from '../../packages/hash/src/hash-image.js'
import { formatHash, parseHash } from '../../packages/hash/src/hash256.js'
import type { Purpose } from '../../packages/hash/src/views.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { images } from '../helpers/multipart.js'
import { fromPixels, type Pixels, randomFrom, scenePixels } from '../helpers/pictures.js'
import { keyFor, openCase, startService } from '../helpers/service.js'
import { vouchedCase } from '../helpers/trust.js'

const WIDTH = 420
const HEIGHT = 640

/** A receipt of one shop: the same heading, rules and columns, with other words and amounts. */
function receipt(seed: number) {
  const random = randomFrom(seed)
  const data = new Uint8Array(WIDTH * HEIGHT * 3).fill(250)
  const bar = (left: number, top: number, width: number, height: number) => {
    for (let y = top; y < top + height; y++) data.fill(30, 3 * (y * WIDTH + left), 3 * (y * WIDTH + left + width))
  }
  bar(110, 30, 200, 34)
  bar(30, 90, 360, 4)
  bar(30, 520, 360, 4)
  bar(250, 545, 140, 26)
  for (let line = 0; line < 14; line++) {
    bar(30, 115 + 28 * line, 70 + 13 * ((line * 5) % 9) + Math.floor(40 * random()), 13)
    bar(330 + Math.floor(20 * random()), 115 + 28 * line, 40, 13)
  }
  return { data, width: WIDTH, height: HEIGHT, channels: 3 } as const
}

/** Printed cloth before a wall with grain: one object, and not as flat as a form. */
function shirt(): Pixels {
  const [side, random] = [400, randomFrom(1)]
  const { data } = scenePixels(4, { width: side, height: side })
  const isIn = (x: number, y: number, halfWidth: number, bottom: number) =>
    Math.abs(x - side / 2) < halfWidth && y > 0.2 * side && y < bottom
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      if (!isIn(x, y, 0.175 * side, 0.85 * side) && !isIn(x, y, 0.4 * side, 0.4 * side))
        data.fill(215 + 40 * random(), 3 * (y * side + x), 3 * (y * side + x + 1))
  return { data, width: side, height: side }
}

/** A receipt with a small photograph, like a card. Without one it has a few flat colours, and frames like that are not registered. */
function card(seed: number) {
  const form = receipt(seed)
  const photo = scenePixels(seed, { width: 120, height: 96 })
  for (let y = 0; y < 96; y++) form.data.set(photo.data.subarray(360 * y, 360 * (y + 1)), 3 * ((y + 530) * WIDTH + 40))
  return form
}

t.test('another form of the same kind does not match, if the query declares that it is a form', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const hashed = (seed: number, purpose: Purpose) => hashImage(receipt(seed), { purpose })
  const { url, headers: hers } = await openCase(service.app)
  const images = [{ signals: (await hashed(1, 'register')).signals }]
  const registered = await service.app.inject({ method: 'POST', url: `${url}/hashes`, headers: hers, payload: { images } })
  t.equal(registered.statusCode, 201)

  const [same, other] = [await hashed(1, 'query'), await hashed(2, 'query')]
  t.ok(same.isForm && other.isForm)
  t.notOk((await hashImage({ ...scenePixels(1), channels: 3 })).isForm, 'a photograph')
  const gradesOf = async (query: object) => {
    const payload = { queries: [query] }
    const answer = await service.app.inject({ method: 'POST', url: '/v1/match', headers, payload })
    return answer.json<{ results: { matches: { grade: string }[] }[] }>().results[0]?.matches.map(({ grade }) => grade)
  }
  const { signals } = other
  t.match(await gradesOf({ signals }), [/exact|strong|near/], 'flagged')
  t.notMatch(await gradesOf({ signals, isForm: true }), [/exact|strong|near/], 'not flagged')
  t.same(await gradesOf(same), ['exact'], 'the same form is found')
  const refused = await service.app.inject({
    method: 'POST',
    url: '/v1/match',
    headers,
    payload: { queries: [{ signals, isForm: 'yes' }] },
  })
  t.equal(refused.statusCode, 400)
})

t.test('another object of one kind does not match, if the query declares that it shows one', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const { url, headers: hers } = await openCase(service.app)
  const area = (view: string, name: string, bits = 0) => {
    return { type: 'pdq-area', view, quality: 100, hash: formatHash(bitsFrom(hashNamed(name), bits)) }
  }
  const whole = (name: string) => ({ ...area('whole', name), type: 'pdq' })
  const images = [{ signals: [whole('shirt'), area('piece', 'half'), area('deframed', 'box')] }]
  const registered = await service.app.inject({ method: 'POST', url: `${url}/hashes`, headers: hers, payload: { images } })
  t.equal(registered.statusCode, 201)
  const signals = [whole('other shirt'), area('piece', 'other half'), area('deframed', 'box', 30)]
  const asked = (query: object) =>
    service.app.inject({ method: 'POST', url: '/v1/match', headers, payload: { queries: [query] } })
  t.match((await asked({ signals })).json(), { results: [{ matches: [{ grade: 'near' }] }] })
  t.match((await asked({ signals, isObject: true })).json(), { results: [{ matches: [] }] })
  t.equal((await asked({ signals, isObject: 'yes' })).statusCode, 400)
})

t.test('a video of other forms does not match registered forms or videos of forms, if its frames declare it', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const film = (seeds: readonly number[], purpose: Purpose) =>
    hashVideo(
      seeds.map((seed, i) => ({ atMs: 500 * i, pixels: card(seed) })),
      { purpose },
    )
  const { url, headers: hers } = await vouchedCase(service)
  const { signals } = await hashImage(card(1), { purpose: 'register' })
  const { durationMs, frames } = await film([11, 12, 13], 'register')
  const payload = { images: [{ signals }], videos: [{ durationMs, frames }] }
  const registered = await service.app.inject({ method: 'POST', url: `${url}/hashes`, headers: hers, payload })
  t.equal(registered.statusCode, 201, registered.body)

  const gradesOf = async (video: object) => {
    const payload = { queries: [{ video }] }
    const answer = await service.app.inject({ method: 'POST', url: '/v1/match', headers, payload })
    t.equal(answer.statusCode, 200, answer.body)
    const [result] = answer.json<{ results: { matches: { grade: string }[] }[] }>().results
    return result?.matches.map(({ grade }) => grade) ?? []
  }
  const others = await film([2, 3, 4, 5], 'query')
  t.ok(others.frames.length > 1 && others.frames.every(({ isForm }) => isForm))
  const unsaid = others.frames.map(({ isForm: _, ...frame }) => frame)
  t.match((await gradesOf({ frames: unsaid })).join(), /exact|strong|near/, 'flagged')
  t.notMatch((await gradesOf({ frames: others.frames })).join(), /exact|strong|near/, 'not flagged')
  t.same(await gradesOf({ frames: (await film([2, 1], 'query')).frames }), ['strong'], 'the same form is found in a video')
  t.same(await gradesOf({ frames: (await film([12, 13], 'query')).frames }), ['strong'], 'a video is found by its excerpt')
})

t.test(
  'an uploaded picture is seen to be a form, or to show one object, and then another one of its kind does not match',
  async (t) => {
    const service = await startService(t, { workers: true })
    const { headers } = await keyFor(service, 'platform', ['match'])
    const { url, headers: hers } = await openCase(service.app)
    const register = async (signals: readonly object[]) => {
      const payload = { images: [{ signals }] }
      const answer = await service.app.inject({ method: 'POST', url: `${url}/hashes`, headers: hers, payload })
      t.equal(answer.statusCode, 201, answer.body)
    }
    const upload = async ({ data, ...size }: Pixels) => {
      const bytes = await fromPixels({ data: Buffer.from(data), ...size })
        .png()
        .toBuffer()
      const { payload, headers: own } = images([{ name: 'a.png', contentType: 'image/png', bytes }])
      const sent = { method: 'POST', url: '/v1/match/images', payload, headers: { ...headers, ...own } } as const
      return (await service.app.inject(sent)).json<{ results: Seen[] }>().results[0]
    }
    const gradesOf = async (signals: readonly object[] = []) => {
      const payload = { queries: [{ signals }] }
      const answer = await service.app.inject({ method: 'POST', url: '/v1/match', headers, payload })
      return answer.json<{ results: Seen[] }>().results[0]?.matches.map(({ grade }) => grade)
    }

    await register((await hashImage(receipt(1), { purpose: 'register' })).signals)
    const { width, height, data } = receipt(2)
    const form = await upload({ width, height, data: Buffer.from(data) })
    t.match(await gradesOf(form?.signals), [/exact|strong|near/], 'its hashes alone match')
    t.match(form, { isForm: true, isObject: undefined })
    t.same(form?.matches, [])

    const first = await upload(shirt())
    const inFrame = first?.signals.find(({ view }) => view === 'deframed')
    const box = formatHash(bitsFrom(parseHash(inFrame?.hash ?? '') ?? hashNamed(''), 30))
    await register([
      { type: 'pdq', view: 'whole', quality: 100, hash: formatHash(hashNamed('other shirt')) },
      { type: 'pdq-area', view: 'piece', quality: 100, hash: formatHash(hashNamed('other half')) },
      { type: 'pdq-area', view: 'deframed', quality: 100, hash: box },
    ])
    t.same(await gradesOf(first?.signals), ['near'], 'its hashes alone match')
    const object = await upload(shirt())
    t.match(object, { isForm: undefined, isObject: true })
    t.same(object?.matches, [])
  },
)

interface Seen {
  readonly isForm?: true
  readonly isObject?: true
  readonly matches: readonly { readonly grade: string }[]
  readonly signals: readonly { readonly view?: string; readonly hash: string }[]
}

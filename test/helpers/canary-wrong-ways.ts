// Sends marked pictures and their text in invalid ways: unreadable bodies, and routes that take no picture.

import { connect } from 'node:net'
import type { Test } from 'tap'
import { type Canary, findCanary } from './canary.js'
import { type Api, asJson, type openCase, pick, type Route, send } from './canary-world.js'
import {
  cutHalfWay,
  imagePart,
  images,
  type Multipart,
  multipart,
  partWithoutFileName,
  withoutBoundary,
  withoutFinalBoundary,
  withWrongBoundary,
} from './multipart.js'
import { fetchPatiently } from './patiently.js'
import { readAll } from './sockets.js'

export interface WrongWays {
  readonly bird: Canary
  readonly api: Api
  readonly her: Awaited<ReturnType<typeof openCase>>
  readonly platform: Route
  /** Of the platform. */
  readonly key: string
  /** A value that the service returned for a picture. */
  readonly hash: string
}

export async function sendInEveryWrongWay(t: Test, ways: WrongWays): Promise<void> {
  await sendUnreadableBodies(t, ways)
  await sendToOtherRoutes(t, ways)
  await putAndAsk(t, ways)
  await sendWrongChunks(t, ways)
}

async function sendUnreadableBodies(t: Test, { bird, her, platform }: WrongWays): Promise<void> {
  const parts = bird.accepted.map((one) => imagePart(one))
  const name = bird.pattern.toString()
  const one = pick(bird.accepted)
  const wrongWays: [string, Partial<Multipart>][] = [
    ['half a body', cutHalfWay(images(bird.accepted))],
    ['no end', withoutFinalBoundary(parts)],
    ['another boundary', withWrongBoundary(parts)],
    ['no boundary', withoutBoundary(parts)],
    ['another part name', images(bird.accepted, name)],
    ['a field', partWithoutFileName(one)],
    ['a picture for a media type', { payload: one.bytes, headers: { 'content-type': `image/${name}` } }],
    ['the bytes alone', { payload: one.bytes, headers: { 'content-type': 'image/jpeg' } }],
    ['base64 in JSON', asJson({ image: one.bytes.toString('base64'), name })],
    ['JSON that is a picture', { payload: one.bytes, headers: { 'content-type': 'application/json' } }],
  ]
  t.equal((await send(platform, multipart(parts, name))).status, 200, 'with the text for a boundary')
  const strangers = { authorization: `Bearer ${name}` }
  for (const [what, body] of wrongWays) {
    for (const route of [her, platform]) {
      const answer = await send(route, body)
      t.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status}`)
      t.same(findCanary(Buffer.from(answer.body), bird.needles), [], what)
      t.ok([401, 404].includes((await send({ ...route, headers: strangers }, body)).status), `${what}, by a stranger`)
    }
  }
}

async function sendToOtherRoutes(t: Test, { bird, api, her, platform }: WrongWays): Promise<void> {
  const name = bird.pattern.toString()
  const one = pick(bird.accepted)
  const v1 = `${api.url}/v1`
  const otherRoutes: [string, Record<string, string>, Partial<Multipart>][] = [
    [`${v1}/match`, platform.headers, images([one])],
    [`${v1}/match`, platform.headers, asJson({ queries: [{ signals: [{ type: 'pdq', hash: name }] }] })],
    [`${her.caseUrl}/hashes`, her.headers, asJson({ images: [{ pixels: one.bytes.toString('hex') }] })],
    [`${v1}/cases`, {}, asJson({ adult: true, [name]: one.bytes.toString('latin1') })],
    [`${v1}/banks/${name}/signals`, platform.headers, images([one])],
    [`${v1}/assisted-cases`, platform.headers, asJson({ adult: true, [name]: one.bytes.toString('latin1') })],
    [`${her.caseUrl}/renewals`, her.headers, images([one])],
    [`${her.caseUrl}/handover`, her.headers, asJson({ keepReading: name })],
    [`${her.caseUrl}/complaint/checks`, her.headers, asJson({ reference: one.bytes.toString('hex') })],
    [`${her.caseUrl}/pin`, her.headers, images([one])],
    [`${v1}/matches/${name}/feedback`, platform.headers, asJson({ verdict: 'disputed', reason: name })],
    [`${v1}/matches/${name}/feedback`, platform.headers, asJson({ verdict: 'blocked' })],
    [`${v1}/matches/${name}/attestation`, platform.headers, images([one])],
    [`${v1}/signals/${name}/dispute`, platform.headers, asJson({ reason: 'other', note: one.bytes.toString('base64') })],
    [`${v1}/signals/${name}/dispute/decision`, platform.headers, asJson({ outcome: name })],
    [`${v1}/watch`, platform.headers, asJson({ watches: [{ reference: name }] })],
    [`${v1}/webhooks`, platform.headers, asJson({ url: `https://${name}.example`, events: [name] })],
    [`${v1}/banks/${name}/imports`, platform.headers, images([one])],
    [`${v1}/keys`, platform.headers, asJson({ org: name })],
    [`${v1}/${name}?${name}`, {}, images([one])],
    [`${v1}/cases/%zz${name}`, {}, images([one])],
  ]
  for (const [url, headers, body] of otherRoutes) t.ok((await send({ url, headers }, body)).status >= 400, url)
  const noBody = await send({ ...her, url: `${her.caseUrl}/renewals` }, asJson({ picture: one.bytes.toString('base64') }))
  t.same(findCanary(Buffer.from(noBody.body), bird.needles), [], 'a route without a body takes none')
}

async function putAndAsk(t: Test, { bird, api, her, platform, hash }: WrongWays): Promise<void> {
  const name = bird.pattern.toString()
  const v1 = `${api.url}/v1`
  const put = (url: string, body: object) =>
    fetchPatiently(url, {
      method: 'PUT',
      body: JSON.stringify(body),
      headers: { ...her.headers, 'content-type': 'application/json' },
    })
  for (const [url, body] of [
    [`${her.caseUrl}/notice`, { laws: ['us-tida'], statements: ['goodFaith', name], actingAs: 'self', contact: name }],
    [`${her.caseUrl}/notice`, { laws: ['my-onsa'], statements: ['goodFaith', 'accurate'], actingAs: 'self', contact: name }],
    [`${her.caseUrl}/images/${name}/answer`, { answer: name }],
    [`${her.caseUrl}/complaint`, { reference: '', note: name }],
  ] as const)
    t.ok((await put(url, body)).status >= 400, url)
  for (const path of [
    'attestations/waiting?after=',
    'insights/contexts?limit=',
    'deadlines/overdue/own?limit=',
    'feed?cursor=',
  ])
    t.ok((await fetchPatiently(`${v1}/${path}${name}`, { headers: platform.headers })).status >= 400, path)
  // Values that are accepted and stored sealed or hashed: a platform's context, and a complaint number.
  const place = { queries: [{ context: `${name}-0123456789abcdef012345`.slice(0, 64), signals: [{ type: 'pdq', hash }] }] }
  t.equal((await send({ url: `${v1}/match`, headers: platform.headers }, asJson(place))).status, 200)
  t.equal((await put(`${her.caseUrl}/complaint`, { reference: `police ${name}`.slice(0, 60) })).status, 204)
}

async function sendWrongChunks(t: Test, { bird, api, key }: WrongWays): Promise<void> {
  const one = pick(bird.accepted)
  const port = Number(new URL(api.url).port)
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write(`POST /v1/match/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nTransfer-Encoding: chunked\r\n`)
  socket.write('Content-Type: multipart/form-data; boundary=x\r\n\r\n')
  socket.write(Buffer.concat([Buffer.from('10\r\n'), one.bytes]))
  t.match(await readAll(socket), /^HTTP\/1\.1 400 /, 'chunks of the wrong length')
}

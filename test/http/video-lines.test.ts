// Videos of a case as lines: the same video as in JSON, whole or not at all.

import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import t from 'tap'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { formatHash, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { linesOf } from '../../src/exchange/signal-writer.js'
import { MAX_LINES_BYTES } from '../../src/http/routes/cases/video-lines.js'
import { recordingClient } from '../helpers/recording-client.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { openCase, randomHashText, startService, type TestService } from '../helpers/service.js'
import { beginUpload, listen, readAll } from '../helpers/sockets.js'
import { longestVideo } from '../store/sample-images.js'

const ready = startService(t)
const listening = ready.then(({ app }) => listen(app))
const ID = '00000000-0000-7000-8000-000000000001'

interface Answer {
  readonly images: readonly object[]
  readonly videos?: readonly { readonly imageId?: string; readonly state: string; readonly line?: number }[]
}

/** A video with as many frames, of one hash each. */
function film(seed: number, frames: number): RegisteredImage & { readonly video: { readonly framesAtMs: number[] } } {
  const { signals: given, video, ...image } = longestVideo(seed)
  const framesAtMs = video?.framesAtMs.slice(0, frames) ?? []
  const signals = given.slice(0, frames).map((signal, i) => ({
    ...signal,
    hash: hashFromBytes(createHash('sha256').update(`${seed} ${i}`).digest()),
  }))
  return { ...image, category: 'nude', signals, video: { durationMs: 600_000, framesAtMs } }
}

/** As `tabir export` writes it. */
function exported(image: RegisteredImage): string {
  return linesOf('ndjson', { id: ID, image, tier: image.tier, disputed: false, matches: true })
}

function asJson({ signals, video: { framesAtMs } }: ReturnType<typeof film>) {
  const frames = signals.map(({ type, view, quality, hash }, i) => ({
    atMs: framesAtMs[i] ?? 0,
    signals: [{ type: type as 'pdq', view, quality, hash: formatHash(hash) }],
  }))
  return { durationMs: 600_000, category: 'nude' as const, frames }
}

type Her = Awaited<ReturnType<typeof openCase>>

async function send({ app }: TestService, her: Her, payload: string | Readable, more: Record<string, string> = {}) {
  const headers = { ...her.headers, 'content-type': 'application/x-ndjson', ...more }
  return app.inject({ method: 'POST', url: `${her.url}/hashes`, headers, payload })
}

async function imagesOf({ app }: TestService, her: Her): Promise<number> {
  return (await app.inject({ url: her.url, headers: her.headers })).json<{ images: number }>().images
}

t.test('a video in lines is the same video as in JSON, also the longest, however it is cut up', async (t) => {
  const service = await ready
  const her = await openCase(service.app)
  const longest = film(1, 10_000)
  const text = exported(longest)
  t.equal(text.split('\n').length, 51)
  const added = await send(
    service,
    her,
    Readable.from(text.match(/[\s\S]{1,9973}/g)?.map((part) => Buffer.from(part)) ?? []),
  )
  t.equal(added.statusCode, 201, added.body)
  t.match(added.json<Answer>(), { images: [], videos: [{ state: 'registered', line: 50 }] })
  const payload = { videos: [asJson(longest)] }
  const same = await service.app.inject({ method: 'POST', url: `${her.url}/hashes`, headers: her.headers, payload })
  t.equal(same.json<Answer>().videos?.[0]?.imageId, added.json<Answer>().videos?.[0]?.imageId)
  t.equal(await imagesOf(service, her), 1)
})

t.test('a video with one broken line is refused as a whole, once, with the line', async (t) => {
  const service = await ready
  const her = await openCase(service.app)
  const lines = exported(film(2, 900)).trim().split('\n')
  t.equal(lines.length, 5)
  const hash = (line: string) => line.replace(/"hash":"\w{10}/, '"hash":"zzzzzzzzzz')
  const faults: Readonly<Record<string, (line: string) => readonly string[]>> = {
    cut: (line) => [line.slice(0, -30)],
    'no JSON': () => [MARKER],
    'with a broken hash': (line) => [hash(line)],
    'too long': (line) => [`${line.slice(0, -1)},"more":"${MARKER.repeat(3000)}"}`],
    missing: () => [],
    twice: (line) => [line, line],
    'of another video': (line) => [line.replace(ID, ID.replace('1', '2'))],
  }
  for (const [name, fault] of Object.entries(faults))
    for (let at = 0; at < lines.length; at++) {
      if (at === 0 && (name === 'of another video' || name === 'twice')) continue // the others then follow no record of theirs
      const payload = lines.flatMap((line, i) => (i === at ? fault(line) : [line])).join('\n')
      if (name === 'twice' && at === lines.length - 1) continue // it is complete before
      const what = `line ${at + 1} ${name}`
      const answer = await send(service, her, payload)
      refused(t, answer, 'request-invalid', what)
      const { errors } = answer.json<{ errors: { pointer: string; detail: string }[] }>()
      t.match(errors, [{ pointer: '#/videos/0', detail: /^line \d+: [a-z-]+$/ }], what)
      t.equal(errors.length, 1)
      const near = Number(/\d+/.exec(errors[0]?.detail ?? '')?.[0])
      t.ok(Math.abs(near - (at + 1)) <= 1, `${what}: ${errors[0]?.detail}`)
    }
  t.equal(await imagesOf(service, her), 0)

  const young = lines.with(2, `${lines[2]?.slice(0, -1)},"age":15}`).join('\n')
  refused(t, await send(service, her, young), 'minor-declared')
  t.equal(await imagesOf(service, her), 0)
})

t.test('of several videos each is registered or refused by itself, whatever the lines of the others', async (t) => {
  const service = await ready
  const her = await openCase(service.app)
  const broken = exported(film(3, 700)).replace('"line":3', '"line":7')
  const late = exported(film(4, 3)).replace(/"durationMs":\d+/, '"durationMs":60')
  const picture = `{"type":"pdq","hash":"${'5a'.repeat(32)}"}\n`
  const deleted = `{"signalId":"${ID}","deleted":true}\n`
  const text = [
    exported(film(5, 300)),
    broken,
    broken,
    exported(film(6, 1)),
    late,
    picture,
    deleted,
    '\n',
    exported(film(7, 401)),
  ]
  const answer = await send(service, her, text.join(''))
  t.equal(answer.statusCode, 201, answer.body)
  const { videos = [] } = answer.json<Answer>()
  t.same(
    videos.map(({ state, line }) => [state, line]),
    [
      ['registered', 2],
      ['refused', 5],
      ['refused', 9],
      ['registered', 11],
      ['refused', 12],
      ['refused', 13],
      ['refused', 14],
      ['registered', 18],
    ],
  )
  t.match(videos, [{}, {}, {}, {}, { problem: { errors: [{ detail: 'line 12: must end after its last frame' }] } }])
  t.equal(await imagesOf(service, her), 3)
  refused(t, await send(service, her, ''), 'request-invalid', 'no line')
  const many = Array.from({ length: 150 }, () => late).join('')
  const beyond = await send(service, her, exported(film(5, 300)) + many)
  t.equal(beyond.json<Answer>().videos?.length, 101)
  t.match(beyond.json<Answer>().videos?.[100], { state: 'refused', problem: { code: 'too-many-images' } })
  const key = { 'idempotency-key': 'f2a3e9be-4a0c-4f43-a2a6-0d9a1c2f7d12' }
  const inChunks = () =>
    Readable.from([exported(film(5, 300)), ...Array.from({ length: 150 }, () => late)].map((text) => Buffer.from(text)))
  const twins = [await send(service, her, inChunks(), key), await send(service, her, inChunks(), key)]
  t.same([twins[1]?.statusCode, twins[1]?.body], [201, twins[0]?.body], 'a repeat ends where the first one did')
})

t.test('lines that break off register no part of a video, and can be sent again', async (t) => {
  const service = await ready
  const her = await openCase(service.app)
  const [whole, next] = [exported(film(8, 400)), exported(film(9, 600))]
  const payload = Buffer.from(whole + next)
  const type = { 'content-type': 'application/x-ndjson' }
  const socket = await beginUpload(
    await listening,
    `${her.url}/hashes`,
    her.headers,
    { payload, headers: type },
    payload.length - 99,
  )
  socket.end()
  await readAll(socket)
  t.equal(await imagesOf(service, her), 1, 'the video before is complete')
  const key = { 'idempotency-key': 'f2a3e9be-4a0c-4f43-a2a6-0d9a1c2f7d11' }
  const twins = await Promise.all([1, 2, 3].map(() => send(service, her, whole + next, key)))
  for (const twin of twins) t.same([twin.statusCode, twin.body], [201, twins[0]?.body])
  refused(t, await send(service, her, whole, key), 'idempotency-key-reused')
  t.equal(await imagesOf(service, her), 2)

  const { payload: large } = { payload: Buffer.alloc(MAX_LINES_BYTES + 1, 'x') }
  refused(t, await send(service, her, large.toString()), 'body-too-large', 'by its length')
  refused(t, await send(service, her, Readable.from([large.subarray(9), large])), 'body-too-large', 'without a length')
})

t.test('the client sends long videos in lines, and short ones as JSON', async (t) => {
  const service = await ready
  const her = await openCase(service.app)
  const { tabir, sent } = recordingClient(`http://127.0.0.1:${await listening}`, her.token)
  const [long, short] = [film(10, 2001), film(11, 2000)]
  const file = { sha256: '5a'.repeat(32), md5: 'a5'.repeat(16) }
  const videos = [{ ...asJson(long), ...file }, asJson(short)]
  const params = { caseNumber: her.caseNumber }
  const lines = await tabir.call('addHashes', { params, body: { adult: true, videos } })
  t.match(lines.videos, [{ state: 'registered' }, { state: 'registered' }])
  t.ok(sent[0]?.split('\n').every((line) => line.length < 32_768))
  t.match(sent[0], /^\{"adult":true,/)
  const images = [{ signals: [{ type: 'pdq' as const, hash: randomHashText(), quality: 90 }] }]
  const json = await tabir.call('addHashes', { params, body: { images, videos } })
  t.same(
    json.videos?.map(({ imageId }) => imageId),
    lines.videos?.map(({ imageId }) => imageId),
  )
  const own = { params, body: { videos: [asJson(short)] } }
  await tabir.call('addHashes', own)
  t.same(
    sent.map((text) => text.trim().includes('\n')),
    [true, false, false],
  )
  t.equal(await imagesOf(service, her), 3)
})

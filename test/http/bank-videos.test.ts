// Videos in banks: by the hashes of their frames, by vPDQ, and by the MD5 of the file.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { formatHash, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { refused } from '../helpers/refusal.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'

type Match = Record<string, unknown>

const randomMd5 = () => randomBytes(16).toString('hex')
const frame = (atMs: number, hash = randomHashText()) => ({ atMs, signals: [{ type: 'pdq', hash, quality: 90 }] })
/** A hash that is a few bits from this one. */
function nearTo(hash: string): string {
  const bytes = Buffer.from(hash, 'hex').reverse()
  bytes[3] = (bytes[3] ?? 0) ^ 7
  return formatHash(hashFromBytes(bytes))
}

const ready = startService(t).then(async (service) => {
  const { headers } = await keyFor(service, 'ngo', ['signals:write', 'match', 'feed'])
  const post = (url: string, payload: string | object, type = 'application/json') =>
    service.app.inject({ method: 'POST', url, headers: { ...headers, 'content-type': type }, payload })
  const matches = async (query: object) => {
    const answer = await post('/v1/match', { queries: [query] })
    return answer.json<{ results: { matches: Match[] }[] }>().results[0]?.matches ?? []
  }
  const bySignal = (type: string, hash: string) => matches({ signals: [{ type, hash }] })
  for (const name of ['films', 'vpdq', 'files']) await post('/v1/banks', { name })
  return { service, headers, post, matches, bySignal }
})

t.test('a video of a bank is found by a frame, by the hash of its file and by another video', async (t) => {
  const { post, bySignal, matches, service, headers } = await ready
  const [md5, sha256, other] = [randomMd5(), randomHashText(), randomHashText()]
  const frames = [frame(0), frame(2000), frame(4000)]
  const video = { durationMs: 6000, frames, md5, sha256, ref: 'film 1', category: 'nude' }
  const single = { type: 'pdq', hash: other }
  const body = { signals: [single], videos: [video, { ...video, ref: 'film 2' }] }
  const added = await post('/v1/banks/films/signals', body)
  t.equal(added.statusCode, 201, added.body)
  const { signals, ...counts } = added.json<{ signals: { signalId: string; state: string }[] }>()
  t.match(counts, { accepted: 3, refused: 0 })
  t.match(signals, [{ state: 'registered' }, { state: 'registered' }, { state: 'registered' }])
  t.equal(new Set(signals.map(({ signalId }) => signalId)).size, 3)

  const hash = frames[1]?.signals[0]?.hash ?? ''
  t.match(await bySignal('pdq', nearTo(hash)), [{ grade: 'near', atMs: 2000, bank: 'films' }, { atMs: 2000 }])
  t.match(await bySignal('video_md5', md5), [{ grade: 'near', signalType: 'video_md5', bank: 'films' }, {}])
  t.match(await bySignal('sha256', sha256), [{ grade: 'exact', signalType: 'sha256' }, {}])
  const asked = {
    frames: frames.map(({ atMs, signals }) => ({
      atMs,
      signals: signals.map((one) => ({ ...one, hash: nearTo(one.hash) })),
    })),
  }
  t.match(await matches({ video: asked }), [{ segments: [{ frames: 3 }] }, {}])

  const otherFrames = [frame(0)]
  t.match(await matches({ video: { frames: otherFrames, md5 } }), [{ grade: 'near', signalType: 'video_md5' }, {}])
  t.match(await matches({ video: { frames: otherFrames, sha256 } }), [{ grade: 'exact', signalType: 'sha256' }, {}])
  t.same(await matches({ video: { frames: otherFrames, md5: randomMd5() } }), [])
  const made = { frames: otherFrames, md5, sha256: randomHashText() }
  t.same(await matches({ video: made }), [], 'another file with this MD5')

  for (const { signalId } of signals) {
    await service.app.inject({ method: 'DELETE', url: `/v1/banks/films/signals/${signalId}`, headers })
  }
  t.same([await bySignal('pdq', hash), await bySignal('video_md5', md5), await bySignal('sha256', sha256)], [[], [], []])
})

t.test('an invalid video is refused, and the valid ones beside it are accepted', async (t) => {
  const { post } = await ready
  const good = { durationMs: 3000, frames: [frame(0)] }
  const low = { durationMs: 3000, frames: [{ atMs: 0, signals: [{ type: 'pdq', hash: randomHashText(), quality: 49 }] }] }
  const some = await post('/v1/banks/films/signals', { videos: [good, low] })
  t.match(some.json(), { accepted: 1, refused: 1, signals: [{}, { problem: { code: 'quality-too-low' } }] })
  const part = { type: 'pdq-area', hash: randomHashText(), quality: 90, view: 'crop' }
  for (const video of [
    { ...good, frames: [] },
    { ...good, durationMs: 600_001 },
    { ...good, frames: [{ atMs: 0, signals: [part] }] },
    { ...good, md5: randomHashText() },
    { ...good, ref: 'x'.repeat(201) },
  ])
    refused(t, await post('/v1/banks/films/signals', { videos: [video] }), 'request-invalid')
  refused(t, await post('/v1/banks/films/signals', {}), 'request-invalid')
  refused(t, await post('/v1/banks/films/signals', { videos: [{ ...good, age: 15 }] }), 'minor-declared')
})

t.test('vPDQ files are imported as videos, as lines and as JSON', async (t) => {
  const { post, bySignal } = await ready
  const hashes = Array.from({ length: 6 }, randomHashText)
  const lines = hashes.slice(0, 3).map((hash, i) => `${i},${i === 1 ? 12 : 100},${hash},${i}.000\n`)
  const asLines = await post('/v1/banks/vpdq/imports', lines.join(''), 'text/plain')
  t.match(asLines.json(), {
    ...{ format: 'vpdq', accepted: 1, rejected: 1, rejectedFor: { 'quality-too-low': 1 } },
    rejections: [{ fromLine: 2, toLine: 2 }],
  })
  t.match(await bySignal('pdq', hashes[2] ?? ''), [{ bank: 'vpdq', atMs: 2000, grade: 'near' }])
  t.same(await bySignal('pdq', hashes[1] ?? ''), [])
  const json = JSON.stringify(hashes.slice(3).map((hash, i) => `${hash},100,${i}.0`))
  const asJson = await post('/v1/banks/vpdq/imports', `${json}\n`, 'application/octet-stream')
  t.match(asJson.json(), { format: 'vpdq', accepted: 1, rejected: 0 })
  t.match(await bySignal('pdq', hashes[5] ?? ''), [{ bank: 'vpdq', atMs: 2000 }])
})

t.test('MD5 of videos can be submitted, imported, registered by a case and exported', async (t) => {
  const { service, post, bySignal } = await ready
  const [one, other, third] = [randomMd5(), randomMd5(), randomMd5()]
  t.match((await post('/v1/banks/files/signals', { signals: [{ type: 'video_md5', hash: one }] })).json(), { accepted: 1 })
  const wrong = [
    { type: 'video_md5', hash: randomHashText() },
    { type: 'pdq', hash: one },
    { type: 'video_md5', hash: other },
  ]
  const mixed = await post('/v1/banks/files/signals', { signals: wrong })
  t.match(mixed.json(), {
    accepted: 1,
    refused: 2,
    signals: [{ problem: { code: 'request-invalid' } }, {}, { state: 'registered' }],
  })
  await post('/v1/banks/files/imports', `video_md5 ${third}\n`, 'text/plain')
  for (const md5 of [one, other, third]) t.match(await bySignal('video_md5', md5), [{ grade: 'near', distanceBand: '0' }])
  t.same(await bySignal('video_md5', randomMd5()), [])

  const lines = (await post('/v1/banks/files/exports', { format: 'lines', plain: true })).body
  t.same(lines.trim().split('\n').sort(), [one, other, third].map((md5) => `video_md5 ${md5}`).sort())
  const feed = await service.app.inject({ url: '/v1/feed', headers: (await keyFor(service, 'reader', ['feed'])).headers })
  for (const md5 of [one, other, third]) t.ok(feed.body.includes(`"hash":"${md5}"`))

  const her = await openCase(service.app)
  const md5 = randomMd5()
  const payload = { videos: [{ durationMs: 1000, frames: [frame(0)], md5, sha256: randomHashText() }] }
  const added = await service.app.inject({ method: 'POST', url: `${her.url}/hashes`, headers: her.headers, payload })
  t.equal(added.statusCode, 201, added.body)
  t.match(await bySignal('video_md5', md5), [{ grade: 'near', bank: 'cases' }])
  await service.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.same(await bySignal('video_md5', md5), [])
})

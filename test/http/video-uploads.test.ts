// Videos as files, for a case and as queries: they are hashed by workers and never stored. Anything else is refused with a clear problem.

import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { z } from 'zod'
import type { ProblemCode } from '../../src/domain/problem.js'
import { createWorkerId, heartbeat } from '../../src/store/redis/heartbeats.js'
import { cutHalfWay, type Multipart, multipart, partWithoutFileName, streamed } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { redisOf } from '../helpers/requests.js'
import { keyFor, openCase, startService, type TestServiceOptions, until } from '../helpers/service.js'
import { beginUpload, listen, readAll } from '../helpers/sockets.js'
import { imagesOf, json, type Route, send } from '../helpers/uploads.js'
import { ended, stoppedReader } from '../helpers/video-children.js'
import { encrypted, ffmpeg, fileOf, makeClip, remuxed } from '../helpers/videos.js'
import { startWorkers } from '../helpers/workers.js'

const skip = ffmpeg === undefined && 'there is no ffmpeg'
const clip = makeClip({ name: 'a.mkv' }) ?? Buffer.alloc(0)
const MAX_BYTES = 1 << 20

const part = (bytes: Buffer, name = 'video') => ({ name, fileName: `${MARKER}.mp4`, contentType: 'video/mp4', bytes })
const form = (bytes: Buffer) => multipart([part(bytes)])

const Match = z.object({ grade: z.string(), signalType: z.string(), segments: z.array(z.unknown()).optional() })
const Answer = z.object({
  results: z
    .array(
      z.object({
        matches: z.array(Match),
        quality: z.int(),
        durationMs: z.int(),
        protectedShare: z.number(),
        signals: z.array(z.object({ type: z.string(), hash: z.string() })),
        md5: z.string().length(32),
        frames: z.array(z.object({ atMs: z.int(), signals: z.array(z.looseObject({ hash: z.string() })).min(1) })),
      }),
    )
    .length(1),
})
const Registered = z.object({ video: z.object({ imageId: z.uuid() }) })

async function start(t: Test, options: TestServiceOptions = {}) {
  const service = await startService(t, options)
  const her = await openCase(service.app)
  const platform = await keyFor(service, 'platform', ['match'])
  const ofHer: Route = { url: `${her.url}/videos`, headers: her.headers }
  const query: Route = { url: '/v1/match/videos', headers: platform.headers }
  return { service, app: service.app, her, ofHer, query }
}

t.test(
  'an uploaded video is registered, found by file and by frames, and gone after its withdrawal',
  { skip },
  async (t) => {
    const { service, app, her, ofHer, query } = await start(t)
    const worker = await startWorkers(t, service.redis)
    const keyed = { ...ofHer, headers: { ...ofHer.headers, 'idempotency-key': 'one-and-the-same-key' } }

    const first = await send(app, keyed, form(clip))
    t.equal(first.statusCode, 201, first.body)
    const { video } = Registered.parse(first.json())
    t.match(first.json(), { video: { state: 'registered', durationMs: 1000, protectedShare: 1, quality: 100 } })
    t.equal((await send(app, keyed, form(clip))).body, first.body, 'a repeat with the same key has the same answer')
    refused(t, await send(app, keyed, form(clip.subarray(1))), 'idempotency-key-reused')
    t.same(Registered.parse((await send(app, ofHer, form(clip))).json()).video.imageId, video.imageId)
    t.equal(await imagesOf(app, her), 1)

    const answer = await send(app, query, form(clip))
    t.equal(answer.statusCode, 200, answer.body)
    const [result] = Answer.parse(answer.json()).results
    t.match(result?.matches, [{ grade: 'exact', signalType: 'sha256', segments: [{ frames: 4 }] }])
    const again = { queries: [{ video: { frames: result?.frames } }] }
    const byHash = await app.inject({ method: 'POST', url: '/v1/match', payload: again, headers: query.headers })
    t.match(byHash.json(), { results: [{ matches: [{ signalType: 'pdq', segments: [{ frames: 4 }] }] }] })
    const [found] = Answer.parse((await send(app, query, form(recut(clip)))).json()).results
    t.match(found?.matches, [{ signalType: 'pdq', segments: [{}] }], 'another file with the same frames')
    t.not(found?.md5, result?.md5)

    await t.test('a caller that disconnects ends the decoder, and nothing is stored', async (t) => {
      const port = await listen(app)
      const socket = await beginUpload(port, ofHer.url, ofHer.headers, form(recut(clip)))
      const reader = (await stoppedReader(worker.pid ?? 0)) ?? 0
      socket.destroy()
      await ended(reader)
      t.equal(await imagesOf(app, her), 1)
    })

    await t.test('a video whose case is withdrawn while it is hashed is refused', async (t) => {
      const other = await openCase(app)
      const answer = send(app, { url: `${other.url}/videos`, headers: other.headers }, form(clip))
      const reader = (await stoppedReader(worker.pid ?? 0)) ?? 0
      const withdrawn = await app.inject({ method: 'DELETE', url: other.url, headers: other.headers })
      t.equal(withdrawn.statusCode, 200)
      process.kill(reader, 'SIGCONT')
      refused(t, await answer, 'case-withdrawn')
    })

    t.equal((await app.inject({ method: 'DELETE', url: her.url, headers: her.headers })).statusCode, 200)
    const [gone] = Answer.parse((await send(app, query, form(clip))).json()).results
    t.same(gone?.matches, [])
    t.notMatch(service.log.join(''), MARKER)
  },
)

t.test(
  'a body or file without a usable video is refused with a clear problem, and nothing is stored',
  { skip },
  async (t) => {
    const { service, app, her, ofHer, query } = await start(t, { videoLimits: { maxBytes: MAX_BYTES } })
    await startWorkers(t, service.redis)
    const picture = await scene(401, { width: 320, height: 240 })
    const bodies: [string, ProblemCode, Partial<Multipart> | ReturnType<typeof streamed>][] = [
      ['nothing', 'media-unsupported', {}],
      ['JSON', 'media-unsupported', json({ video: MARKER })],
      ['the file itself', 'media-unsupported', { payload: clip, headers: { 'content-type': 'video/mp4' } as never }],
      ['no part', 'video-missing', multipart([])],
      ['a field named video', 'video-missing', partWithoutFileName(picture, 'video')],
      ['a part of another name', 'video-missing', multipart([part(clip, 'image')])],
      ['an empty file', 'video-missing', form(Buffer.alloc(0))],
      ['two', 'too-many-images', multipart([part(clip), part(clip)])],
      ['half a body', 'upload-incomplete', cutHalfWay(form(clip))],
      ['a minor', 'minor-declared', multipart([part(clip), { name: 'adult', bytes: 'false' }])],
      ['a body without a length', 'length-missing', streamed([part(clip)])],
      ['too many bytes, by its length', 'video-file-too-large', form(Buffer.alloc(MAX_BYTES + (1 << 17)))],
      ['too many bytes, as it shows', 'video-file-too-large', form(Buffer.alloc(MAX_BYTES + 1))],
    ]
    for (const [what, code, body] of bodies)
      for (const route of [ofHer, query]) refused(t, await send(app, route, body), code, `${what} to ${route.url}`)

    const files: [ProblemCode, string, Buffer][] = [
      ['media-unsupported', 'a text', Buffer.from(MARKER.repeat(100))],
      ['media-unsupported', 'a picture', picture.bytes],
      ['video-undecodable', 'the beginning of a video', clip.subarray(0, 600)],
      ['quality-too-low', 'nothing but one colour', made(t, { source: 'color=gray:s=160x120:r=4:d=1' })],
      ['video-undecodable', 'packets of which none is decoded', fileOf([0, 40, 80])],
      ['video-undecodable', 'an encrypted video', encrypted(clip)],
      ['video-too-long', 'a header of ten hours', fileOf([0, 36_000_000])],
      ['video-undecodable', 'three pictures in each millisecond', fileOf(Array.from({ length: 3000 }, (_, i) => i % 1000))],
      ['video-too-large', '8K', fileOf([0], { width: 7680, height: 4320 })],
      ['video-undecodable', 'sound alone', made(t, { source: 'sine=d=1', output: ['-c:a', 'aac'] })],
    ]
    for (const [i, [code, what, file]] of files.entries())
      refused(t, await send(app, i % 2 === 0 ? ofHer : query, form(file)), code, what)
    t.equal(await imagesOf(app, her), 0)
    t.notMatch(service.log.join(''), MARKER)
  },
)

t.test('an odd video is registered, and the answer has the share that is protected', { skip }, async (t) => {
  const { service, app, her, ofHer } = await start(t)
  await startWorkers(t, service.redis)
  const blank = 'color=black:s=192x144:r=4:d=60[a];testsrc2=s=192x144:r=4:d=4[b];[a][b]concat'
  const odd: [string, Buffer, object][] = [
    ['one frame', made(t, { source: 'testsrc2=s=160x120:r=4:d=0.25' }), { protectedShare: 1 }],
    ['1,000 frames a second', made(t, { source: 'testsrc2=s=64x64:r=1000:d=1' }), { durationMs: 1000 }],
    ['a blank first minute', made(t, { source: blank }), { durationMs: 64_000, protectedShare: 0.0625 }],
    ['two films in one, as MP4 that is none', Buffer.concat([clip, clip]), { durationMs: 1000, protectedShare: 1 }],
    ['one that breaks off', clip.subarray(0, Math.floor(0.9 * clip.length)), { durationMs: 1000 }],
  ]
  for (const [what, file, video] of odd) {
    const answer = await send(app, ofHer, form(file))
    t.equal(answer.statusCode, 201, `${what}: ${answer.body}`)
    t.match(answer.json(), { video }, what)
  }
  t.equal(await imagesOf(app, her), odd.length)
  t.notMatch(service.log.join(''), MARKER)
})

t.test('a video that is too large is refused before its body is read, and a slow upload ends', async (t) => {
  const { app, ofHer, query } = await start(t, { videoLimits: { uploadTimeoutMs: 300, maxInFlightBytes: 3 << 20 } })
  const port = await listen(app)
  const said = async ({ url, headers }: Route, length: number, sentBytes: number) => {
    const body = form(Buffer.alloc(200_000))
    const socket = await beginUpload(port, url, { ...headers, 'content-length': String(length) }, body, sentBytes)
    return readAll(socket)
  }
  for (const route of [ofHer, query]) {
    t.match(await said(route, 300 << 20, 0), /^HTTP\/1.1 413 .*"code":"video-file-too-large"/s)
    t.match(await said(route, 200_000, 1000), /^HTTP\/1.1 400 .*"code":"upload-incomplete"/s)
  }
  for (const url of ['/v1/match/videos?banks=nope', '/v1/match/images?banks=cases,nope'])
    t.match(await said({ ...query, url }, 200_000, 0), /^HTTP\/1.1 404 .*connection: close.*"code":"bank-unknown"/s)
  await until(async () => (await said(query, 3 << 20, 1000)).includes('upload-incomplete')) // the memory of the refused uploads is free again
})

t.test(
  'without a worker that has ffmpeg the page offers no videos, and one is refused before its body is read',
  async (t) => {
    const { service, app, her, ofHer, query } = await start(t)
    const port = await listen(app)
    const redis = await redisOf(t, service)
    const isOffered = async () => (await app.inject('/')).body.includes('"maxVideoBytes":')
    t.ok(await isOffered(), 'a worker may be starting')
    await heartbeat(redis, createWorkerId('a', ['ffmpeg']))
    await until(async () => !(await isOffered())) // what workers lack is read once a second
    for (const { url, headers } of [ofHer, query]) {
      const socket = await beginUpload(port, url, { ...headers, 'content-length': String(100 << 20) }, form(clip), 0)
      t.match(await readAll(socket), /^HTTP\/1.1 501 .*connection: close.*"code":"video-unavailable"/s)
    }
    await heartbeat(redis, createWorkerId('b', []))
    await until(isOffered)
    refused(t, await send(app, ofHer, cutHalfWay(form(Buffer.alloc(1000)))), 'upload-incomplete', 'one has it')
    t.equal(await imagesOf(app, her), 0)
  },
)

t.test('one caller can use half of the memory for videos, and others the rest', async (t) => {
  const { service, app, query } = await start(t, { videoLimits: { maxInFlightBytes: 1 << 20 } })
  const port = await listen(app)
  const [other, third] = await Promise.all(
    ['other', 'third'].map(async (org) => ({ ...query, headers: (await keyFor(service, org, ['match'])).headers })),
  )
  if (other === undefined || third === undefined) return
  const waiting: Socket[] = []
  /** Repeats what is refused because a question took the room for a moment. */
  const begin = async ({ url, headers }: Route, bytes: number) => {
    const socket = await beginUpload(port, url, headers, form(Buffer.alloc(bytes)), 1000)
    socket.once('data', () => begin({ url, headers }, bytes))
    waiting.push(socket)
  }
  /** A body that is cut off is refused as incomplete if there is memory for it, otherwise as overloaded. */
  const isAdmitted = async (route: Route, bytes: number) => {
    const answer = await send(app, route, cutHalfWay(form(Buffer.alloc(2 * bytes))))
    refused(t, answer, answer.statusCode === 503 ? 'overloaded' : 'upload-incomplete')
    return answer.statusCode !== 503
  }
  await begin(query, 400_000)
  t.teardown(() => waiting.map((socket) => socket.destroy()))
  await until(async () => !(await isAdmitted(query, 200_000)))
  t.ok(await isAdmitted(query, 50_000))
  t.ok(await isAdmitted(other, 500_000), 'another caller can use the rest')
  await begin(other, 500_000)
  await until(async () => !(await isAdmitted(third, 400_000)))
  for (const socket of waiting) socket.destroy()
  await until(() => isAdmitted(third, 400_000))
})

t.test('a repeated upload that waits for the first answer uses no memory', { skip }, async (t) => {
  const whole = form(clip)
  const { service, app, ofHer, query } = await start(t, { videoLimits: { maxInFlightBytes: 4 * whole.payload.length } })
  const worker = await startWorkers(t, service.redis)
  const port = await listen(app)
  const keyed = { ...ofHer, headers: { ...ofHer.headers, 'idempotency-key': 'one-and-the-same-key' } }
  const first = send(app, keyed, whole)
  const reader = (await stoppedReader(worker.pid ?? 0)) ?? 0
  let isAnswered = false
  const begun = async () => {
    isAnswered = false
    const repeated = await beginUpload(port, keyed.url, keyed.headers, whole, 1000)
    const answer = readAll(repeated)
    answer.then(() => {
      isAnswered = true
    })
    return { repeated, answer }
  }
  let { repeated, answer } = await begun()
  /** Needs the memory that one upload leaves free, and more than both would leave. */
  const isAdmitted = async () =>
    (await send(app, query, cutHalfWay(form(Buffer.alloc(5 * whole.payload.length))))).statusCode !== 503
  await until(async () => {
    if (!(await isAdmitted())) return true
    if (isAnswered) ({ repeated, answer } = await begun()) // it found no room beside the query
    return false
  })
  repeated.write(whole.payload.subarray(1000))
  await until(isAdmitted)
  t.notOk(isAnswered, 'the repeat still waits')
  process.kill(reader, 'SIGCONT')
  const { body } = await first
  t.ok((await answer).includes(body))
})

/** The same packets in another container, which is another file. */
function recut(file: Buffer): Buffer {
  return remuxed(file, 'a.mp4') ?? Buffer.alloc(0)
}

function made(t: Test, options: Parameters<typeof makeClip>[0]): Buffer {
  const file = makeClip(options)
  if (file === undefined) t.comment('no encoder')
  return file ?? Buffer.alloc(0)
}

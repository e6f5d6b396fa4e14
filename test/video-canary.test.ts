// The first promise, for videos: none is ever stored. A video with marked frames is sent in every way, valid and invalid, and
// every process that holds it is killed meanwhile; then everything that was written anywhere is searched for it.

import { once } from 'node:events'
import t from 'tap'
import { writtenForms } from '../src/demo/written-forms.js'
import { HashVideoJob } from '../src/jobs/hash-video-job.js'
import { findCanary, type Needle } from './helpers/canary.js'
import { everything, formsOfHash, makeKey, open, openCase, pidOf, send, startApi } from './helpers/canary-world.js'
import { multipart } from './helpers/multipart.js'
import { codeOf } from './helpers/service.js'
import { beginUpload } from './helpers/sockets.js'
import { ended, stoppedReader } from './helpers/video-children.js'
import { ffmpeg, framesOf, makeClip, remuxed } from './helpers/videos.js'
import { startWorkers } from './helpers/workers.js'

const TEXT = 'q7Zc4KvTr9Lw2XnHs6JmYb3DgFp8Ue5A'
const SIZE = { width: 160, height: 120 }
const NEEDLE_BYTES = 24
/** Lossless noise, so that no two rows are equal. */
const source = `testsrc2=s=${SIZE.width}x${SIZE.height}:r=4:d=2,noise=alls=30:allf=t`
const output = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0', '-pix_fmt', 'yuv420p', '-metadata', `title=${TEXT}`]
const clip = makeClip({ source, output })

const fileName = `${TEXT}.mp4`
const form = (bytes: Buffer) => multipart([{ name: 'video', fileName, contentType: 'video/mp4', bytes }])

/** The text, and pieces of the file and of its frames. */
function needles(file: Buffer): Needle[] {
  const frames = framesOf(file, 'a.mp4', SIZE.width, SIZE.height)
  const ofFrames = [0, 3, 7].map((frame) => frames[frame]?.subarray(40 * SIZE.width) ?? Buffer.alloc(0))
  const ofFile = [0.3, 0.6, 0.9].map((share) => file.subarray(Math.floor(share * file.length)))
  return [Buffer.from(TEXT), ...ofFrames, ...ofFile].flatMap((bytes) => {
    const piece = Buffer.from(bytes.subarray(0, NEEDLE_BYTES))
    return [
      { form: 'bytes', bytes: piece },
      ...writtenForms(piece).map(({ form, text }) => ({ form, bytes: Buffer.from(text) })),
    ]
  })
}

t.test('videos leave no trace anywhere', { timeout: 600_000, skip: clip === undefined && 'no encoder' }, async (t) => {
  const file = clip ?? Buffer.alloc(0)
  const marks = needles(file)
  t.same(findCanary(file, marks), ['bytes'], 'the search finds a value that is present')
  const world = await open(t)
  const key = await makeKey(world.redis)
  const [api, second] = await Promise.all([startApi(t, world), startApi(t, world)])
  const opened = await openCase(api)
  const her = { ...opened, url: `${opened.caseUrl}/videos` }
  const platform = { url: `${api.url}/v1/match/videos`, headers: { authorization: `Bearer ${key}` } }
  const first = await startWorkers(t, world.redis, { TMPDIR: world.place })
  let worker = first
  const hashes: string[] = []

  await t.test('videos are accepted and refused on both routes', async (t) => {
    const accepted = await send(her, form(file))
    t.equal(accepted.status, 201, accepted.body)
    const found = await send(platform, form(file))
    t.match(found.body, /"grade":"exact"/)
    hashes.push(...(found.body.match(/\b[0-9a-f]{32}([0-9a-f]{32})?\b/g) ?? []))
    t.ok(hashes.length > 10)
    t.same(findCanary(Buffer.from(accepted.body + found.body), marks), [], 'the answers')
    for (const route of [her, platform]) {
      t.equal(codeOf(await send(route, form(file.subarray(0, file.length >> 1)))), 'video-undecodable', 'without its index')
      t.equal(codeOf(await send(route, form(Buffer.concat([Buffer.from('x'), file])))), 'media-unsupported')
      t.equal(codeOf(await send(route, multipart([{ name: 'video', bytes: file }]))), 'video-missing', 'a field')
    }
    const cut = remuxed(file, 'a.mkv')?.subarray(0, file.length >> 1) ?? Buffer.alloc(0)
    t.match((await send(platform, form(cut))).body, /durationMs|undecodable/, 'as much as there is, or nothing')
  })

  /** Sends it, again if the api is busy, and suspends the child that has begun to read. */
  const underWay = async (route: typeof platform) => {
    const { port, pathname } = new URL(route.url)
    for (;;) {
      const socket = await beginUpload(Number(port), pathname, route.headers, form(Buffer.from(file)))
      const said: string[] = []
      socket.on('data', (chunk) => said.push(String(chunk)))
      const reader = await stoppedReader(pidOf(worker), () => socket.closed)
      if (reader !== undefined) return { socket, reader, said }
    }
  }

  await t.test('clients leave during an upload and while a video is read', async () => {
    for (const route of [her, platform]) {
      const body = form(Buffer.from(file))
      const { port, pathname } = new URL(route.url)
      const half = await beginUpload(Number(port), pathname, route.headers, body, body.payload.length >> 1)
      half.destroy()
      const { socket, reader } = await underWay(route)
      socket.destroy()
      await ended(reader)
    }
  })

  await t.test('a child is killed while it reads a video', async (t) => {
    const { socket, reader, said } = await underWay(her)
    process.kill(reader, 'SIGKILL')
    await once(socket, 'close')
    t.match(said.join(''), /hashing-unavailable/)
  })

  await t.test('a worker is killed while a child reads a video', async (t) => {
    const { socket, reader, said } = await underWay(platform)
    worker.kill('SIGKILL')
    await once(socket, 'close')
    t.match(said.join(''), /hashing-unavailable/, 'its api detects it at once')
    process.kill(reader, 'SIGCONT')
    await ended(reader)
  })
  worker = await startWorkers(t, world.redis, { TMPDIR: world.place })

  await t.test('an api is killed during an upload and while a child reads a video', async () => {
    const other = { ...platform, url: `${second.url}/v1/match/videos` }
    const { reader } = await underWay(other)
    second.process.kill('SIGKILL')
    await ended(reader)
    const { pathname, port } = new URL(platform.url)
    const body = form(Buffer.from(file))
    await beginUpload(Number(port), pathname, platform.headers, body, body.payload.length >> 1)
    api.process.kill('SIGKILL')
    await once(api.process, 'exit')
  })

  const outputs = { api: api.output, second: second.output, worker: worker.output, first: first.output }
  await t.test('no trace of a video is left anywhere', async (t) => {
    const forms = [...marks, ...[...new Set(hashes)].flatMap(formsOfHash)]
    for (const [what, bytes] of await everything(world, outputs)) t.same(findCanary(bytes, forms), [], what)
    t.ok(api.output.join('').includes('"route":"/v1/match/videos"'), 'there was a log to search')
  })

  await t.test('the queue held only where the videos waited', async (t) => {
    const names = await world.client.keys('{tabir}:hash-video:*')
    for (const name of names.filter((each) => /:\d+$/.test(each)))
      t.ok(HashVideoJob.safeParse(JSON.parse((await world.client.hget(name, 'data')) ?? '')).success)
    t.ok(Number(await world.client.get('{tabir}:hash-video:id')) > 5)
  })
})

t.ok(ffmpeg === undefined || clip !== undefined, 'this ffmpeg encodes H.264')

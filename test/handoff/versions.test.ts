// Processes of two versions work beside each other during an upgrade. Each message says its version, fields that a process does not know are ignored, and
// a message of another version is refused or left to others. Never is one misread.

import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import t from 'tap'
import { KERNEL_NAME } from '../../packages/core/src/search/engine.js'
import { openQueue } from '../../src/app/hashing-queue.js'
import { MESSAGE_VERSION, nameOfJob, UnknownVersion } from '../../src/domain/message-version.js'
import { VERSION_HEADER } from '../../src/handoff/for-others.js'
import { listenForWorkers } from '../../src/handoff/listener.js'
import { formatAnswer, parseAnswer, parseWorkersAnswer } from '../../src/handoff/message.js'
import { PendingImages } from '../../src/handoff/pending-images.js'
import { createPendingVideos } from '../../src/handoff/pending-videos.js'
import { readVideoAnswer } from '../../src/handoff/video-answers.js'
import { createVideoBytes } from '../../src/handoff/video-bytes.js'
import { VIDEOS_PATH } from '../../src/handoff/video-listener.js'
import { visitHandoffs } from '../../src/handoff/visit.js'
import { DeliverWebhookJob } from '../../src/jobs/deliver-webhook.js'
import { HASH_IMAGE_QUEUE, HashImageJob, QUEUE_PREFIX } from '../../src/jobs/hash-image-job.js'
import { HashVideoJob } from '../../src/jobs/hash-video-job.js'
import { knownJobs } from '../../src/jobs/known-jobs.js'
import { PullExchangeJob } from '../../src/jobs/pull-exchange.js'
import { createSnapshots } from '../../src/services/index/snapshot.js'
import { follow, ORIGIN } from '../../src/store/images/changes.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { writeSealedFile } from '../../src/store/sealing/sealed-file.js'
import { startStore } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const LATER = MESSAGE_VERSION + 1
const JOB = {
  handoffUrl: 'http://127.0.0.1:1',
  ticket: 'a'.repeat(43),
  purpose: 'query',
  details: 'none',
} as const satisfies HashImageJob
const MORE = { colour: 'k1:c2VjcmV0', __proto__: null }

t.test('a picture and a video wait for a worker whose answers the api can read', async (t) => {
  const pendingImages = new PendingImages(60_000)
  const pendingVideos = createPendingVideos(60_000)
  const options = { host: '127.0.0.1', port: 0, announcedHost: '127.0.0.1' }
  const { url, close } = await listenForWorkers(pendingImages, options, pendingVideos)
  const visit = visitHandoffs()
  t.teardown(async () => {
    for (const pending of [pendingImages, pendingVideos]) pending.close()
    visit.close()
    await close()
  })
  const bytes = createVideoBytes()
  bytes.add(Buffer.from('a video'))
  const [image, video] = [pendingImages.put(Buffer.from('a picture')), pendingVideos.put(bytes)]
  const statusFor = async (path: string, version: string) =>
    (await fetch(url + path, { headers: { [VERSION_HEADER]: version } })).status
  for (const version of [String(LATER), '0', '', '1.5', 'x'])
    for (const path of [`/${image.ticket}`, VIDEOS_PATH + video.ticket])
      t.equal(await statusFor(path, version), 409, `${path.slice(0, 8)} for version ${version}`)

  t.equal(
    Buffer.concat((await visit.take(url, image.ticket)) ?? []).toString(),
    'a picture',
    'sent to a worker of this version',
  )
  const taken = await visit.takeVideo(url, video.ticket, () => {})
  t.equal(Buffer.concat(taken?.pieces ?? []).toString(), 'a video')
  taken?.release()
  t.equal(await statusFor(`/${image.ticket}`, String(LATER)), 410, 'a worker of another version need not ask for it again')
})

t.test('a worker leaves to others what an api does not give to its version', async (t) => {
  const server = createServer((request, response) => {
    t.equal(request.headers[VERSION_HEADER], String(MESSAGE_VERSION))
    response.writeHead(409).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const visit = visitHandoffs()
  t.teardown(() => {
    visit.close()
    server.close()
  })
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  await t.rejects(visit.take(url, JOB.ticket), new UnknownVersion())
  await t.rejects(
    visit.takeVideo(url, JOB.ticket, () => {}),
    new UnknownVersion(),
  )
})

t.test(
  'an api ignores what it does not know in the answer of a worker, and a worker refuses it from a decoder',
  async (t) => {
    const signal = { type: 'pdq-area', view: 'crop', quality: 80, hashes: ['0'.repeat(64)], ...MORE }
    const frames = [{ atMs: 0, signals: [signal], ...MORE }]
    const animation = { durationMs: 900, protectedShare: 0.5, frames, ...MORE }
    const answer = parseWorkersAnswer(
      JSON.stringify({ image: { quality: 80, signals: [signal], animation, ...MORE }, ...MORE }),
    )
    t.notMatch(formatAnswer(answer), /colour|c2VjcmV0/)
    t.same(parseAnswer(formatAnswer(answer)), answer, 'all that is known is there')
    t.throws(() => parseAnswer(JSON.stringify({ image: { quality: 80, signals: [], ...MORE } })))
    t.same(parseWorkersAnswer(JSON.stringify({ problem: 'image-undecodable', ...MORE })), { problem: 'image-undecodable' })
    t.throws(() => parseWorkersAnswer(JSON.stringify({ problem: 'of-another-version' })), 'an unknown refusal is no answer')
    const unknownView = { ...signal, view: 'of-another-version' }
    t.throws(() => parseWorkersAnswer(JSON.stringify({ image: { quality: 80, signals: [unknownView] } })))

    const head = { durationMs: 900, protectedShare: 0.5, costMs: 1, frames: 1, sha256: '0'.repeat(64), md5: '0'.repeat(32) }
    const lines = [{ ...head, ...MORE }, ...frames].map((line) => `${JSON.stringify(line)}\n`)
    const read = await readVideoAnswer(bodyOf(lines))
    t.match(read, { costMs: 1, video: { durationMs: 900, frames: [{ atMs: 0 }] } })
    t.notOk('colour' in read)
    t.same(await readVideoAnswer(bodyOf([`${JSON.stringify({ problem: 'video-too-long', costMs: 1, ...MORE })}\n`])), {
      problem: 'video-too-long',
      costMs: 1,
    })
  },
)

t.test('a job says its version, and another process takes it from one that does not know this', async (t) => {
  const { socket, redis } = await startStore(t)
  const queue = await openQueue({ url: undefined, socket })
  const connection = new Redis(socket, { maxRetriesPerRequest: null })
  t.teardown(async () => {
    await queue.close()
    connection.disconnect()
  })
  const key = (name: string) => `${QUEUE_PREFIX}:${HASH_IMAGE_QUEUE}:${name}`
  const work = (handle: (data: unknown) => Promise<unknown>) =>
    new Worker(HASH_IMAGE_QUEUE, knownJobs(handle, 'failed'), { prefix: QUEUE_PREFIX, connection })

  const done: unknown[] = []
  await queue.enqueue({ ...JOB, ...{ colour: 'of another version' } }, 1)
  const [known = ''] = await redis.zrange(key('prioritized'), '0', '0')
  t.equal(await redis.hget(key(known), 'name'), `${HASH_IMAGE_QUEUE}@${MESSAGE_VERSION}`)
  await queue.enqueue(JOB, 2)
  const [, later = ''] = await redis.zrange(key('prioritized'), '0', '1')
  await redis.hset(key(later), 'name', `${HASH_IMAGE_QUEUE}@${LATER}`)
  const worker = work(async (data) => done.push(HashImageJob.parse(data)))
  await until(async () => (await connection.zscore(key('delayed'), later)) !== null)
  t.same(done, [JOB], 'the job of this version is done, without the field that it does not know')
  await worker.close()

  await redis.hset(key(later), 'name', HASH_IMAGE_QUEUE) // as a process of before named it
  const refusing = work(async () => {
    throw new UnknownVersion()
  })
  await until(
    async () => (await redis.hget(key(later), 'ats')) === '2' && (await connection.zscore(key('delayed'), later)) !== null,
  )
  await refusing.close()
  const other = work(async (data) => done.push(data))
  await until(() => done.length === 2)
  t.same(done[1], JOB, 'it waits for a process that does it')
  await other.close()

  await queue.enqueue(JOB, 3)
  const failing = work(async () => {
    throw new Error('a text of a stranger')
  })
  const reason = new Promise((resolve) => failing.once('failed', (_, { message }) => resolve(message)))
  t.equal(await reason, 'failed', 'any other failure is final')
  await failing.close()
})

t.test('every job is read without the fields that a process does not know', async (t) => {
  const webhookId = '00000000-0000-4000-8000-000000000000'
  const { details: _, ...video } = JOB
  const pairs = [
    [HashImageJob, JOB],
    [HashVideoJob, video],
    [DeliverWebhookJob, { webhookId }],
    [PullExchangeJob, { name: 'a' }],
  ] as const
  for (const [job, data] of pairs) t.same(job.parse({ ...data, ...MORE }), data)
  t.equal(nameOfJob('a'), `a@${MESSAGE_VERSION}`)
  // Jobs of `case-life` have no data: their name says what to do.
  for (const file of sourceFiles()) {
    const source = readFileSync(file, 'utf8')
    if (!/from 'bullmq'|import\('bullmq'\)/.test(source)) continue
    for (const [call] of source.matchAll(/queue\.add\([^,]*/g)) t.match(call, /nameOfJob\(/, file)
    for (const [call] of source.matchAll(/new Worker\(\s*\S+\s*\S+/g)) t.match(call, /knownJobs\(/, file)
  }
})

t.test('the change stream is read without unknown fields, and no further than to a kind that is unknown', async (t) => {
  const { redis } = await startStore(t)
  const id = Buffer.alloc(16, 1)
  const chain = (n: number) => Buffer.concat([n - 1, n].map((each) => Buffer.alloc(16, each)))
  await redis.xadd(keys.changes, '1-0', 'op', 'image', 'ids', id, 'chain', chain(1), 'colour', 'red', 'more', 'fields')
  const read = await follow(redis, { ...ORIGIN, digest: '00'.repeat(16) }, 1, () => 0)
  t.match(read, { kind: 'changes', changes: [{ op: 'image', revision: 1 }] })
  await redis.xadd(keys.changes, '2-0', 'op', 'colour', 'ids', id, 'chain', chain(2))
  await t.rejects(
    follow(redis, { revision: 1, digest: '01'.repeat(16) }, 1, () => 0),
    /kind that this version does not know/,
  )
})

t.test('a snapshot of another version is not used', async (t) => {
  const { store } = await startStore(t)
  const [folder, keyring, secret] = [t.testdir(), makeKeyring([Buffer.alloc(32, 7)]), Buffer.alloc(32, 9)]
  const source = readFileSync(join(ROOT, 'src/services/index/snapshot.ts'), 'utf8')
  const version = Number(/`snapshot (\d+) of \$\{KERNEL_NAME\}`/.exec(source)?.[1])
  const contextOf = (number: number) => createHmac('sha256', secret).update(`snapshot ${number} of ${KERNEL_NAME}`).digest()
  const causes: unknown[] = []
  for (const number of [version - 1, version, version + 1]) {
    await writeSealedFile(join(folder, 'index.snapshot'), keyring, contextOf(number), [Buffer.from('head')])
    const onError = (error: unknown) => causes.push(error instanceof Error && String(error.cause))
    t.equal(await createSnapshots({ folder, store, keyring, secret, clock: () => 0, onError }).load(), undefined)
  }
  const [older, own, newer] = causes
  t.equal(older, newer)
  t.not(own, older, 'one of this version is opened, and its content is looked at')
})

async function* bodyOf(lines: readonly string[]): AsyncGenerator<Buffer> {
  for (const line of lines) yield Buffer.from(line)
}

function sourceFiles(): string[] {
  return ['src', 'workers'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(ROOT, folder, name)),
  )
}

// Which of the waiting videos are hashed, through the real queue: large ones never keep ordinary ones waiting for longer than one of them takes.

import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { openQueue } from '../../src/app/hashing-queue.js'
import { MESSAGE_VERSION } from '../../src/domain/message-version.js'
import { QUEUE_PREFIX } from '../../src/jobs/hash-image-job.js'
import { HASH_VIDEO_QUEUE, type HashVideoJob, LARGE_VIDEO_BEHIND } from '../../src/jobs/hash-video-job.js'
import { knownJobs, NotNow } from '../../src/jobs/known-jobs.js'
import { createVideoTurns, hashVideoHandler } from '../../workers/hash-video-job.js'
import { startStore } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

const key = (name: string) => `${QUEUE_PREFIX}:${HASH_VIDEO_QUEUE}:${name}`

/** Workers whose videos are hashed until `end` is called. */
async function start(t: Test, slots: number) {
  const { socket } = await startStore(t)
  const queue = await openQueue({ url: undefined, socket }, HASH_VIDEO_QUEUE)
  const connection = new Redis(socket, { maxRetriesPerRequest: null })
  const clock = { nowMs: 0 }
  const begun: string[] = []
  const wholeMs: (number | undefined)[] = []
  const ends = new Map<string, () => void>()
  const handler = hashVideoHandler({
    visit: {
      async takeVideo(_, ticket) {
        begun.push(ticket[0] ?? '')
        await new Promise<void>((resolve) => ends.set(ticket[0] ?? '', resolve))
        return { pieces: [], disconnected: new AbortController().signal, release() {} }
      },
      answerVideo: async () => true,
    },
    sandbox: {
      async hash(...[, , , most]) {
        wholeMs.push(most)
        return { problem: 'video-undecodable' }
      },
    },
    turns: createVideoTurns(slots, () => clock.nowMs),
  })
  const worker = new Worker(HASH_VIDEO_QUEUE, knownJobs(handler, 'failed'), {
    prefix: QUEUE_PREFIX,
    connection,
    concurrency: slots,
  })
  const end = (name: string) => ends.get(name)?.()
  t.teardown(async () => {
    for (const name of ends.keys()) end(name)
    await worker.close(true)
    await queue.close()
    connection.disconnect()
  })
  const put = (name: string, cost?: HashVideoJob['cost']) =>
    queue.enqueue(
      {
        ...{ handoffUrl: 'http://127.0.0.1:1', ticket: name.repeat(43), purpose: 'submission' },
        ...(cost !== undefined && { cost }),
      },
      cost === 'large' ? 1 + LARGE_VIDEO_BEHIND : 1,
    )
  const putOff = async () => (await connection.zcard(key('delayed'))) > 0
  const hasBegun = (name: string) => until(() => begun.includes(name))
  return { clock, begun, wholeMs, end, put, putOff, hasBegun }
}

t.test('of two at a time, one is kept for ordinary videos', async (t) => {
  const { begun, wholeMs, end, put, putOff, hasBegun } = await start(t, 2)
  for (const film of ['A', 'B', 'C']) await put(film, 'large')
  await hasBegun('A')
  await until(putOff)
  for (const clip of ['1', '2']) {
    await put(clip)
    await hasBegun(clip)
    end(clip)
  }
  t.same(begun, ['A', '1', '2'], 'none of them waits for a film')
  end('A')
  await until(() => begun.length === 4)
  t.match(begun[3], /B|C/, 'the next film has its turn')
  const [first, second, film] = wholeMs
  t.ok((first ?? 0) > 0 && first === second, 'what was not announced as large may not become it')
  t.equal(film, undefined)
})

t.test('of one at a time, films wait for ordinary videos, and have every other turn when they waited long', async (t) => {
  const { clock, begun, end, put, putOff, hasBegun } = await start(t, 1)
  await put('1')
  await hasBegun('1')
  await put('A', 'large')
  await put('2')
  end('1')
  await hasBegun('2')
  end('2')
  await hasBegun('A')
  t.same(begun, ['1', '2', 'A'])
  for (const film of ['B', 'C']) await put(film, 'waited')
  await put('3')
  clock.nowMs = 1000
  end('A')
  await hasBegun('3')
  t.ok(await putOff(), 'ordinary ones have their turn for as long as the film took')
  end('3')
  await put('4')
  await hasBegun('4')
  clock.nowMs = 2000
  end('4')
  await until(() => begun.length === 6)
  t.match(begun[5], /B|C/, 'and a film is not kept from its turn for ever')
})

t.test('a job that nobody waits for any longer is not put off', async (t) => {
  let delayed = 0
  const job = (timestamp: number) => ({
    ...{ name: `hash-video@${MESSAGE_VERSION}`, data: {}, attemptsStarted: 1, timestamp },
    moveToDelayed: async () => void delayed++,
  })
  const handle = knownJobs(async () => {
    throw new NotNow()
  }, 'failed')
  await t.rejects(Reflect.apply(handle, undefined, [job(0)]), { message: 'failed' })
  t.equal(delayed, 0)
  await t.rejects(Reflect.apply(handle, undefined, [job(Date.now())]), { name: 'DelayedError' })
  t.equal(delayed, 1)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import t from 'tap'
import { openQueue } from '../src/app/hashing-queue.js'
import { HASH_IMAGE_QUEUE, type HashImageJob, type JobPurpose, QUEUE_PREFIX } from '../src/jobs/hash-image-job.js'
import { openLine } from './faults/line.js'
import { startRedis } from './helpers/redis.js'
import { until } from './helpers/service.js'

const job = (ticket: string, purpose: JobPurpose = 'query'): HashImageJob => ({
  handoffUrl: 'http://127.0.0.1:1',
  ticket,
  purpose,
  details: 'none',
})

t.test('a job is accepted while the queue’s connection is renewed, and refused when it cannot be', async (t) => {
  const { socket } = await startRedis(t)
  const folder = mkdtempSync(join(tmpdir(), 'tabir-queue-'))
  const line = await openLine(join(folder, 'line'), () => socket)
  const queue = await openQueue({ url: undefined, socket: line.socket })
  const direct = new Redis(socket)
  t.teardown(async () => {
    direct.disconnect()
    await queue.close()
    await line.close()
    rmSync(folder, { recursive: true, force: true })
  })
  for (let i = 0; i < 5; i++) {
    line.cut()
    await new Promise((resolve) => setImmediate(resolve))
    await queue.enqueue(job('a'.repeat(43)))
  }
  t.equal(await direct.zcard(`${QUEUE_PREFIX}:${HASH_IMAGE_QUEUE}:prioritized`), 5)

  line.refuse()
  await t.rejects(queue.enqueue(job('b'.repeat(43))), { code: 'store-unavailable' })
  line.heal()
  await queue.enqueue(job('c'.repeat(43)))
})

t.test('a submitted picture is taken before all waiting queries of platforms', async (t) => {
  const { socket } = await startRedis(t)
  const queue = await openQueue({ url: undefined, socket })
  t.teardown(() => queue.close())
  for (const ticket of ['a', 'b', 'c']) await queue.enqueue(job(ticket.repeat(43)))
  await queue.enqueue(job('d'.repeat(43), 'submission'))

  const taken: JobPurpose[] = []
  const connection = new Redis(socket, { maxRetriesPerRequest: null })
  const worker = new Worker<HashImageJob>(HASH_IMAGE_QUEUE, async ({ data }) => taken.push(data.purpose), {
    prefix: QUEUE_PREFIX,
    connection,
  })
  t.teardown(async () => {
    await worker.close()
    connection.disconnect()
  })
  await until(() => taken.length === 4)

  t.same(taken, ['submission', 'query', 'query', 'query'])
})

// The api's side of the queues whose jobs tell workers where pictures and videos are.

import { once } from 'node:events'
import type { Redis } from 'ioredis'
import { nameOfJob } from '../domain/message-version.js'
import { Problem } from '../domain/problem.js'
import { HASH_IMAGE_QUEUE, type HashImageJob, QUEUE_PREFIX } from '../jobs/hash-image-job.js'
import { type HashVideoJob, VIDEO_PRIORITY } from '../jobs/hash-video-job.js'
import { connectForRequests, type RedisTarget, reach } from '../store/redis/client.js'

/** How long a request waits for a new connection: ioredis reconnects within half a second, and a ready api must accept pictures. */
const READY_TIMEOUT_MS = 2000

type Job = HashImageJob | HashVideoJob

/** Waits for the next connection. */
async function soonReady(redis: Redis): Promise<void> {
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS)
  await once(redis, 'ready', { signal })
}

/** Whether the connection reached a server that is no longer the master. Then the job was not queued, and ioredis reconnects. */
function isOfAnotherMaster(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|READONLY)\b/.test(error.message)
}

/**
 * Opens the queue. Imports BullMQ only here: that takes 0.1 s, and the index loads meanwhile.
 * @throws the error of ioredis if Redis is unavailable; nothing is left open
 */
export async function openQueue(target: RedisTarget, name = HASH_IMAGE_QUEUE) {
  const { Queue } = await import('bullmq')
  const redis = connectForRequests(target)
  await reach(redis)
  const queue = new Queue(name, {
    prefix: QUEUE_PREFIX,
    connection: redis,
    // A finished job leaves nothing but its id in the last entries of the event stream; never hashes.
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true, stackTraceLimit: 1 },
    streams: { events: { maxLen: 100 } },
  })
  queue.on('error', () => {}) // `add` reports its own errors
  const close = async () => {
    redis.disconnect() // first: closing a queue while Redis is unavailable would wait for it
    await queue.close()
  }
  await queue.waitUntilReady().catch(async (error: unknown) => {
    await close().catch(() => {})
    throw error
  })

  const put = (job: Job, priority: number) => queue.add(nameOfJob(name), job, { priority })

  return {
    async enqueue(job: Job, priority: number = VIDEO_PRIORITY[job.purpose]): Promise<void> {
      try {
        if (redis.status !== 'ready') await soonReady(redis)
        await put(job, priority).catch(async (error) => {
          if (!isOfAnotherMaster(error)) throw error
          await soonReady(redis)
          await put(job, priority)
        })
      } catch (error) {
        throw new Problem('store-unavailable', { retryAfterS: 2, cause: error })
      }
    },
    close,
  }
}

// The api's end of the queue whose jobs lead workers to pictures.

import { once } from 'node:events'
import type { Redis } from 'ioredis'
import { Problem } from '../domain/problem.js'
import { HASH_IMAGE_QUEUE, type HashImageJob, JOB_PRIORITY, QUEUE_PREFIX } from '../jobs/hash-image.js'
import { connectForRequests, type RedisTarget, reach } from '../store/redis/client.js'

/** Its line is made anew within half a second, and an api that is ready meanwhile has said that it takes pictures. */
const READY_TIMEOUT_MS = 2000

/** The next time. */
async function soonReady(redis: Redis): Promise<void> {
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS)
  await once(redis, 'ready', { signal })
}

/** From a line on which nothing was asked since another server became the master: it is made anew for that, and the job is not in the queue. */
function isOfAnotherMaster(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|READONLY)\b/.test(error.message)
}

/**
 * @throws what ioredis throws when Redis cannot be used. Nothing is left open then.
 *
 * Loads its code when asked, which takes a tenth of a second: meanwhile the index may be loaded, which mostly waits.
 */
export async function openQueue(target: RedisTarget) {
  const { Queue } = await import('bullmq')
  const redis = connectForRequests(target)
  await reach(redis)
  const queue = new Queue(HASH_IMAGE_QUEUE, {
    prefix: QUEUE_PREFIX,
    connection: redis,
    // A finished job leaves nothing behind, and the events stream only its last entries: ids, and never bits.
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true, stackTraceLimit: 1 },
    streams: { events: { maxLen: 100 } },
  })
  queue.on('error', () => {}) // an add that fails says so itself
  const close = async () => {
    redis.disconnect() // first: a queue that is closed while Redis is unavailable would wait for it
    await queue.close()
  }
  await queue.waitUntilReady().catch(async (error: unknown) => {
    await close().catch(() => {})
    throw error
  })

  const put = (job: HashImageJob, priority: number) => queue.add(HASH_IMAGE_QUEUE, job, { priority })

  return {
    async enqueue(job: HashImageJob, priority: number = JOB_PRIORITY[job.purpose]): Promise<void> {
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

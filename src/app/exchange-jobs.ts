// Does by the clock what stands in the file of exchanges, and when an operator asks. In an api process: what a feed brings is sealed, and workers have
// no key; and what still matches, only an api knows.

import { Queue, Worker } from 'bullmq'
import { QUEUE_PREFIX } from '../jobs/hash-image.js'
import { PullExchangeJob } from '../jobs/pull-exchange.js'
import { connectForWaiting, type RedisTarget } from '../store/redis/client.js'

export interface ExchangeJobs {
  /** It is done once more, from its beginning after this was asked; of several that wait, one is done. One under way is another. */
  soon(name: string): Promise<void>
  close(): Promise<void>
}

const LOCK_MS = 60_000

export interface ExchangeJobOptions {
  readonly target: RedisTarget
  readonly queueName: string
  readonly run: (name: string) => Promise<unknown>
  /** What the file names. What it named before is not done any more. */
  readonly schedule: readonly { readonly name: string; readonly intervalS: number }[]
  readonly onError: (error: unknown) => void
}

/** However many api processes do this, each job is done by one of them. */
export async function exchangeJobs(options: ExchangeJobOptions): Promise<ExchangeJobs> {
  const { target, queueName, run, schedule, onError } = options
  const connection = connectForWaiting(target)
  const queue = new Queue<PullExchangeJob>(queueName, {
    prefix: QUEUE_PREFIX,
    connection,
    streams: { events: { maxLen: 100 } },
  })
  queue.on('error', () => {})
  const opts = { attempts: 1, removeOnComplete: true, removeOnFail: true, stackTraceLimit: 1 }
  for (const { key } of await queue.getJobSchedulers())
    if (!schedule.some(({ name }) => name === key)) await queue.removeJobScheduler(key)
  for (const { name, intervalS } of schedule) {
    const job: PullExchangeJob = { name }
    await queue.upsertJobScheduler(name, { every: intervalS * 1000 }, { name, data: job, opts })
  }
  const worker = new Worker(
    queueName,
    async ({ data }) => {
      const { name } = PullExchangeJob.parse(data)
      if (!schedule.some((each) => each.name === name)) return
      try {
        await run(name)
      } catch (error) {
        onError(error)
        throw new Error('failed') // a fixed text: BullMQ writes it into Redis
      }
    },
    { prefix: QUEUE_PREFIX, connection, concurrency: 1, lockDuration: LOCK_MS },
  )
  worker.on('error', () => {})
  return {
    async soon(name) {
      const waiting = await queue.getWaiting()
      if (!waiting.some(({ data }) => data.name === name)) await queue.add(name, { name } satisfies PullExchangeJob, opts)
    },
    async close() {
      const isUnavailable = connection.status !== 'ready'
      await worker.close(isUnavailable)
      if (!isUnavailable) await queue.close()
      connection.disconnect()
    },
  }
}

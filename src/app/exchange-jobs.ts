// Runs the exchanges of the exchange file on schedule and on request. Runs in api processes: workers have neither the key that seals pulled records
// nor the index.

import { Queue, Worker } from 'bullmq'
import { nameOfJob } from '../domain/message-version.js'
import { QUEUE_PREFIX } from '../jobs/hash-image-job.js'
import { knownJobs } from '../jobs/known-jobs.js'
import { PullExchangeJob } from '../jobs/pull-exchange.js'
import { connectForWaiting, type RedisTarget } from '../store/redis/client.js'

export interface ExchangeJobs {
  /** Queues a run that begins after this call, even if another one is under way. Merges waiting runs of the same name. */
  soon(name: string): Promise<void>
  close(): Promise<void>
}

const LOCK_MS = 60_000

export interface ExchangeJobOptions {
  readonly target: RedisTarget
  readonly queueName: string
  readonly run: (name: string) => Promise<unknown>
  /** Jobs that the file names. Earlier jobs that it no longer names are removed. */
  readonly schedule: readonly { readonly name: string; readonly intervalS: number }[]
  readonly onError: (error: unknown) => void
}

/** With several api processes, each job runs in one of them. */
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
    await queue.upsertJobScheduler(name, { every: intervalS * 1000 }, { name: nameOfJob(queueName), data: job, opts })
  }
  const worker = new Worker(
    queueName,
    knownJobs(async (data: unknown) => {
      const { name } = PullExchangeJob.parse(data)
      if (!schedule.some((each) => each.name === name)) return
      await run(name).catch((error: unknown) => {
        onError(error)
        throw error
      })
    }, 'failed'),
    { prefix: QUEUE_PREFIX, connection, concurrency: 1, lockDuration: LOCK_MS },
  )
  worker.on('error', () => {})
  return {
    async soon(name) {
      const waiting = await queue.getWaiting()
      if (!waiting.some(({ data }) => data.name === name))
        await queue.add(nameOfJob(queueName), { name } satisfies PullExchangeJob, opts)
    },
    async close() {
      const isUnavailable = connection.status !== 'ready'
      await worker.close(isUnavailable)
      if (!isUnavailable) await queue.close()
      connection.disconnect()
    },
  }
}

// Pulls feeds by the clock, and when an operator asks. In an api process: what a feed brings is sealed, and workers have no key.

import { Queue, Worker } from 'bullmq'
import { QUEUE_PREFIX } from './jobs/hash-image.js'
import { PULL_EXCHANGE_QUEUE, PullExchangeJob } from './jobs/pull-exchange.js'
import type { Exchanges } from './services/exchanges.js'
import { connectForWaiting, type RedisTarget } from './store/store.js'

export interface ExchangeJobs {
  /** Asks for a pull, soon; of several for one feed, one is done. */
  pullSoon(name: string): Promise<void>
  close(): Promise<void>
}

const LOCK_MS = 60_000

export interface ExchangeJobOptions {
  readonly target: RedisTarget
  readonly exchanges: Pick<Exchanges, 'pull'>
  /** What the file names. What it named before is not pulled any more. */
  readonly schedule: readonly { readonly name: string; readonly everyS: number }[]
  readonly onTrouble: (error: unknown) => void
}

/** However many api processes do this, one feed is pulled at a time, by one of them. */
export async function pullExchanges({ target, exchanges, schedule, onTrouble }: ExchangeJobOptions): Promise<ExchangeJobs> {
  const connection = connectForWaiting(target)
  const queue = new Queue(PULL_EXCHANGE_QUEUE, { prefix: QUEUE_PREFIX, connection, streams: { events: { maxLen: 100 } } })
  queue.on('error', () => {})
  const opts = { attempts: 1, removeOnComplete: true, removeOnFail: true, stackTraceLimit: 1 }
  for (const { key } of await queue.getJobSchedulers())
    if (!schedule.some(({ name }) => name === key)) await queue.removeJobScheduler(key)
  for (const { name, everyS } of schedule) {
    const job: PullExchangeJob = { name }
    await queue.upsertJobScheduler(name, { every: everyS * 1000 }, { name, data: job, opts })
  }
  const worker = new Worker(
    PULL_EXCHANGE_QUEUE,
    async ({ data }) => {
      const { name } = PullExchangeJob.parse(data)
      if (!schedule.some((each) => each.name === name)) return
      try {
        await exchanges.pull(name)
      } catch (error) {
        onTrouble(error)
        throw new Error('pull failed') // a fixed text: BullMQ writes it into Redis
      }
    },
    { prefix: QUEUE_PREFIX, connection, concurrency: 1, lockDuration: LOCK_MS },
  )
  worker.on('error', () => {})
  return {
    async pullSoon(name) {
      await queue.add(name, { name } satisfies PullExchangeJob, { ...opts, deduplication: { id: name, ttl: 1000 } })
    },
    async close() {
      const isAway = connection.status !== 'ready'
      await worker.close(isAway)
      if (!isAway) await queue.close()
      connection.disconnect()
    },
  }
}

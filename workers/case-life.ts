// Scheduled jobs: expire and delete cases, tell organisations of cases that end soon, and rewrite Redis's append-only file after cases have ended.

import { Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { UnknownVersion } from '../src/domain/message-version.js'
import {
  CASE_LIFE_JOBS,
  CASE_LIFE_QUEUE,
  type CaseLifeJob,
  EXPIRE_INTERVAL_MS,
  REMIND_INTERVAL_MS,
  REWRITE_TIMEOUT_MS,
} from '../src/jobs/case-life.js'
import { QUEUE_PREFIX } from '../src/jobs/hash-image-job.js'
import { knownJobs } from '../src/jobs/known-jobs.js'
import { createCaseExpiry } from '../src/services/cases/case-expiry.js'
import { createCaseReminders } from '../src/services/cases/case-reminders.js'
import { createDueTime } from '../src/services/load/due-time.js'
import { createCaseReminderStore } from '../src/store/cases/case-reminders.js'
import { createCaseStore } from '../src/store/cases/cases.js'
import { openStore, type RedisTarget } from '../src/store/redis/client.js'
import { checkFormat } from '../src/store/redis/format.js'
import { rewriteLog } from '../src/store/upkeep/log-rewrite.js'
import { createWatchErasureStore } from '../src/store/watch/watch-erasures.js'

export interface CaseLifeOptions {
  readonly target: RedisTarget
  /** A connection that waits for Redis however long it takes. */
  readonly connection: Redis
  readonly eraseIntervalMs: number
  /** How often it is checked that no job is planned too late. */
  readonly correctIntervalMs?: number
  readonly now: () => number
  /** Writes one line for the operator. */
  readonly warn: (line: string) => void
}

/** Runs until it is closed. Several processes may do this: each job runs in one of them at a time. */
export function keepCases(options: CaseLifeOptions): { close(): Promise<void> } {
  const { target, connection, eraseIntervalMs, correctIntervalMs = EXPIRE_INTERVAL_MS, now, warn } = options
  const run = caseLifeHandler({ target, now, warn })
  const queue = new Queue(CASE_LIFE_QUEUE, { prefix: QUEUE_PREFIX, connection, streams: { events: { maxLen: 100 } } })
  queue.on('error', () => {})
  const intervalMs: Readonly<Record<CaseLifeJob, number>> = {
    expire: EXPIRE_INTERVAL_MS,
    erase: eraseIntervalMs,
    remind: REMIND_INTERVAL_MS,
  }
  const opts = { removeOnComplete: true, removeOnFail: true, stackTraceLimit: 1 }
  const plan = (name: CaseLifeJob) => queue.upsertJobScheduler(name, { every: intervalMs[name] }, { name, opts })
  const planned = CASE_LIFE_JOBS.map(plan)
  Promise.all(planned).catch(() => {}) // closed before Redis was reachable
  // When a clock that was ahead is set back, the next job would not run before the time that was planned.
  const correct = async (name: CaseLifeJob) => {
    const { next = 0 } = (await queue.getJobScheduler(name)) ?? {}
    if (next > Date.now() + 2 * intervalMs[name] && (await queue.removeJobScheduler(name))) await plan(name)
  }
  const correctAll = () => void Promise.all(CASE_LIFE_JOBS.map(correct)).catch(() => {}) // without Redis
  const correcting = setInterval(correctAll, correctIntervalMs)

  const worker = new Worker(
    CASE_LIFE_QUEUE,
    knownJobs(async (_: unknown, name) => {
      const job = CASE_LIFE_JOBS.find((known) => known === name)
      if (job === undefined) throw new UnknownVersion()
      await run(job)
    }, 'failed'),
    { prefix: QUEUE_PREFIX, connection, concurrency: CASE_LIFE_JOBS.length },
  )
  worker.on('error', () => {})
  return {
    async close() {
      clearInterval(correcting)
      const isUnavailable = connection.status !== 'ready'
      await worker.close(isUnavailable)
      if (!isUnavailable) await queue.close()
    },
  }
}

/**
 * Runs one job. Safe to run twice, and in parallel. A case expires only when it is due by this process's clock and by the store's. After a jump of
 * the store's clock nothing expires for an hour.
 * @throws when Redis is unavailable, or could not rewrite its append-only file.
 */
export function caseLifeHandler({ target, now, warn }: Pick<CaseLifeOptions, 'target' | 'now' | 'warn'>) {
  const dueTime = createDueTime(now, warn)
  let hasWarned = false
  return async (job: CaseLifeJob): Promise<void> => {
    const store = await openStore(target)
    const cases = createCaseStore(store)
    const dueUntilMs = () => dueTime(store)
    const onError = ({ message }: Error) => warn(message)
    const { remind } = createCaseReminders({ cases, reminders: createCaseReminderStore(store), dueUntilMs, onError })
    const keeping = createCaseExpiry({
      cases,
      watches: createWatchErasureStore(store),
      rewriteLog: () => rewriteLog(store, REWRITE_TIMEOUT_MS),
      dueUntilMs,
      now,
      onError,
    })
    try {
      await checkFormat(store)
      if (job === 'expire') await keeping.expire()
      else if (job === 'remind') await remind()
      else if ((await keeping.erase()) === undefined && !hasWarned) {
        hasWarned = true
        warn(
          'This Redis does not allow its append-only file to be rewritten: withdrawn records stay in old lines of it, sealed.',
        )
      }
    } finally {
      await store.close()
    }
  }
}

// Turns events into deliveries and sends them: a queue of webhooks to look at, and one process that fills it.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { nameOfJob } from '../src/domain/message-version.js'
import { Problem } from '../src/domain/problem.js'
import { DELIVER_WEBHOOK_QUEUE, DeliverWebhookJob, WEBHOOKS_AT_ONCE } from '../src/jobs/deliver-webhook.js'
import { QUEUE_PREFIX } from '../src/jobs/hash-image-job.js'
import { knownJobs } from '../src/jobs/known-jobs.js'
import { forEachDue } from '../src/services/load/each-due.js'
import type { PlanOf } from '../src/services/webhooks/webhook-plan.js'
import { SealError } from '../src/store/sealing/seal.js'
import { type Deliveries, MAX_WAITING_EVENTS, type OutboxEntry } from '../src/store/webhooks/deliveries.js'
import { readOutbox } from '../src/store/webhooks/outbox.js'
import type { WaitingEvents } from '../src/store/webhooks/waiting-events.js'
import type { Webhooks } from '../src/store/webhooks/webhooks.js'
import { createWaitingIndex, type WaitingIndex } from './waiting-index.js'

export interface DeliverWebhookOptions {
  /** A connection that waits for Redis however long it takes. */
  readonly connection: Redis
  /** A connection for reading the outbox alone, which blocks it. */
  readonly follower: Redis
  readonly deliveries: Deliveries
  readonly waitingEvents: WaitingEvents
  readonly webhooks: Pick<Webhooks, 'ids' | 'readable'>
  readonly planOf: PlanOf
  /** Names of seal keys that are in use and missing in this process's key ring. */
  readonly missingKeys: () => Promise<readonly string[]>
  readonly sendTo: (webhookId: string) => Promise<number | undefined>
  readonly now: () => number
  /** Writes one line for the operator. */
  readonly warn: (line: string) => void
}

const BLOCK_MS = 1000
const HOLD_MS = 10_000
const RETRY_MS = 500
/** A sweep finds webhooks with waiting deliveries that have no job, for whatever reason. */
const SWEEP_INTERVAL_MS = 15_000
/** Waiting events that are retried before new ones are read. */
const RETRIED_AT_ONCE = 50
/** [ms] The shortest time that Redis can block; 0 would block for ever. */
const NO_BLOCK_MS = 1

/** Runs until it is closed. Any number of processes may do this in parallel. */
export function deliverWebhooks(options: DeliverWebhookOptions): {
  readonly ready: Promise<unknown>
  /** Whether it takes jobs. */
  isFit(): boolean
  close(): Promise<void>
} {
  const { connection, now } = options
  const settings = { prefix: QUEUE_PREFIX, connection }
  const queue = new Queue(DELIVER_WEBHOOK_QUEUE, {
    ...settings,
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true, stackTraceLimit: 1 },
    streams: { events: { maxLen: 100 } },
  })
  queue.on('error', () => {})
  /**
   * A webhook's job is named by the second in which it runs, so there is at most one per second. A job for the current second may have run already,
   * so the job is always for a later one. No delivery is missed, and the wait is half a second on average.
   */
  const wake = async (webhookId: string, atMs: number) => {
    const second = Math.floor(Math.max(atMs, now()) / 1000) + 1
    const jobId = `${webhookId}-${second}`
    await queue.add(nameOfJob(DELIVER_WEBHOOK_QUEUE), { webhookId }, { jobId, delay: Math.max(0, second * 1000 - now()) })
  }
  const worker = new Worker(
    DELIVER_WEBHOOK_QUEUE,
    knownJobs(async (data: unknown) => {
      const { webhookId } = DeliverWebhookJob.parse(data)
      const againAtMs = await options.sendTo(webhookId)
      if (againAtMs !== undefined) await wake(webhookId, againAtMs)
    }, 'not delivered'), // the sweep retries
    { ...settings, concurrency: WEBHOOKS_AT_ONCE },
  )
  worker.on('error', () => {})
  const closing = new AbortController()
  const filling = fill(options, wake, closing.signal)
  return {
    ready: worker.waitUntilReady(),
    isFit: () => worker.isRunning(),
    async close() {
      closing.abort()
      options.follower.disconnect()
      const isUnavailable = connection.status !== 'ready'
      await Promise.all([worker.close(isUnavailable), filling])
      if (!isUnavailable) await queue.close()
    },
  }
}

type Wake = (webhookId: string, atMs: number) => Promise<void>

async function fill(options: DeliverWebhookOptions, wake: Wake, closing: AbortSignal): Promise<void> {
  const { deliveries, follower, waitingEvents } = options
  const token = randomUUID()
  const waiting = createWaitingIndex(waitingEvents)
  const alarm = createAlarm(options)
  let isLoaded = false
  let sweptAtMs = Number.NEGATIVE_INFINITY
  const step = async () => {
    const held = await deliveries.hold(token, HOLD_MS)
    if (held === undefined) return await sleep(BLOCK_MS, undefined, { signal: closing })
    if (held === 'taken' || !isLoaded) await waiting.load()
    isLoaded = true
    if (performance.now() - sweptAtMs >= SWEEP_INTERVAL_MS) {
      sweptAtMs = performance.now() // the clock of the machine may go back
      await sweep(options, wake)
    }
    const spread = (entry: OutboxEntry) => spreadOne({ ...options, wake, token, waiting, alarm }, entry)
    const hasMore = await retry(options, waiting, spread)
    const entries = await readOutbox(follower, await deliveries.eventCursor(), hasMore ? NO_BLOCK_MS : BLOCK_MS)
    for (const entry of entries) {
      if (!(await spread(entry))) break
    }
    alarm.looked(waiting.size)
  }
  while (!closing.aborted) {
    try {
      await step()
    } catch (error) {
      if (closing.aborted) return
      isLoaded = false // the last write may or may not have happened
      if (!(error instanceof Problem)) alarm.failed()
      await sleep(RETRY_MS, undefined, { signal: closing }).catch(() => {})
    }
  }
}

/** Retries waiting events. @returns whether there may be more. */
async function retry(
  { waitingEvents, webhooks, now }: DeliverWebhookOptions,
  waiting: WaitingIndex,
  spread: (entry: OutboxEntry) => Promise<boolean>,
): Promise<boolean> {
  if (waiting.size === 0) return false
  const { unreadable } = await webhooks.readable()
  const ids = waiting.due(now(), unreadable, RETRIED_AT_ONCE)
  for (const id of ids) {
    const entry = await waitingEvents.get(id)
    if (entry === undefined) waiting.tried(id, [], now())
    else if (!(await spread(entry))) return false
  }
  return ids.length === RETRIED_AT_ONCE
}

interface SpreadParts extends DeliverWebhookOptions {
  readonly wake: Wake
  readonly token: string
  readonly waiting: WaitingIndex
  readonly alarm: Alarm
}

/** Turns one entry into deliveries. @returns whether to continue with the next entry: false when another process holds the outbox. */
async function spreadOne(parts: SpreadParts, entry: OutboxEntry): Promise<boolean> {
  const { deliveries, planOf, wake, token, waiting, alarm, now } = parts
  const plan = await planOf(entry, waiting.ahead(entry))
  await alarm.causedBy(plan.causes)
  if ((await deliveries.make(token, entry, plan.deliveries, plan.waitsFor)) === undefined) return false
  if (entry.source === 'waiting') waiting.tried(entry.id, plan.waitsFor, now())
  else if (plan.waitsFor.length > 0) await waiting.follow()
  const due = new Map<string, number>(plan.wake.map((webhookId) => [webhookId, now()]))
  for (const { webhookId, dueAtMs } of plan.deliveries) {
    due.set(webhookId, Math.min(dueAtMs, due.get(webhookId) ?? Number.POSITIVE_INFINITY))
  }
  for (const [webhookId, atMs] of due) await wake(webhookId, atMs)
  return true
}

interface Alarm {
  causedBy(causes: readonly unknown[]): Promise<void>
  failed(): void
  /** Called with the number of waiting events after all new entries were read. */
  looked(waiting: number): void
}

/** Tells the operator why events wait: each reason once, until none waits any more. */
function createAlarm({ warn, missingKeys }: Pick<DeliverWebhookOptions, 'warn' | 'missingKeys'>): Alarm {
  const reported = new Set<string>()
  const once = (line: string) => {
    if (reported.has(line)) return
    reported.add(line)
    warn(line)
  }
  return {
    async causedBy(causes) {
      for (const cause of causes) {
        if (!(cause instanceof SealError))
          once('Events wait: they could not be turned into deliveries. They will be retried.')
        else if (cause.missingHint === undefined) once('Events wait: a sealed record is damaged and cannot be opened.')
        else if (!reported.has(`hint ${cause.missingHint}`)) {
          reported.add(`hint ${cause.missingHint}`)
          const names = await missingKeys()
          for (const name of names.length === 0 ? ['a key of unknown name'] : names) {
            once(
              `Events wait: the seal key ${name} is not in the key ring of this messenger. Give it the key ring of the api.`,
            )
          }
        }
      }
    },
    failed: () => once('The outbox could not be read or turned into deliveries. This will be retried.'),
    looked(waiting) {
      if (waiting >= MAX_WAITING_EVENTS) once('Too many events wait: the oldest are deleted.')
      if (waiting > 0 || reported.size === 0) return
      reported.clear()
      warn('All waiting events could be turned into deliveries again.')
    },
  }
}

async function sweep({ webhooks, deliveries, now, warn }: DeliverWebhookOptions, wake: Wake): Promise<void> {
  await forEachDue({
    what: 'webhooks to look at',
    take: await webhooks.ids(),
    async handle(webhookId) {
      if (await deliveries.isWaiting(webhookId)) await wake(webhookId, now())
    },
    onError: ({ message }) => warn(message),
  })
}

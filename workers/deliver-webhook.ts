// Turns what happened into messages, and sends them: a queue of webhooks to look at, and one process that fills it.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { DELIVER_WEBHOOK_QUEUE, DeliverWebhookJob, WEBHOOKS_AT_ONCE } from '../src/jobs/deliver-webhook.js'
import { QUEUE_PREFIX } from '../src/jobs/hash-image.js'
import { forEachDue } from '../src/services/each-due.js'
import type { Plan } from '../src/services/webhook-plan.js'
import type { Deliveries, OutboxEntry } from '../src/store/deliveries.js'
import { readOutbox } from '../src/store/outbox.js'
import type { Webhooks } from '../src/store/webhooks.js'

export interface DeliverWebhookOptions {
  /** Waits for Redis however long it takes. */
  readonly connection: Redis
  /** A connection of its own: following blocks it. */
  readonly follower: Redis
  readonly deliveries: Deliveries
  readonly webhooks: Pick<Webhooks, 'ids'>
  readonly planOf: (entry: OutboxEntry) => Promise<Plan>
  readonly sendTo: (webhookId: string) => Promise<number | undefined>
  readonly now: () => number
  /** One line for the operator. */
  readonly warn: (line: string) => void
}

const BLOCK_MS = 1000
const HOLD_MS = 10_000
const RETRY_MS = 500
/** What no job stands for any more, whatever the reason, is found after so long. */
const SWEEP_EVERY_MS = 15_000
/** An entry that cannot be turned into deliveries so often in a row is given up: all others wait behind it. */
const MOST_TRIES = 5

/** Works until it is closed. Any number of processes may do this beside each other. */
export function deliverWebhooks(options: DeliverWebhookOptions): {
  readonly ready: Promise<unknown>
  /** Does it take jobs? */
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
   * Jobs of one webhook stand for the second in which it is to be looked at, so that there are not more of them than seconds. A job
   * for a second that has begun may have looked already, so it is always a later one: nothing is missed, and waits half a second.
   */
  const wake = async (webhookId: string, atMs: number) => {
    const second = Math.floor(Math.max(atMs, now()) / 1000) + 1
    const jobId = `${webhookId}-${second}`
    await queue.add(DELIVER_WEBHOOK_QUEUE, { webhookId }, { jobId, delay: Math.max(0, second * 1000 - now()) })
  }
  const worker = new Worker(
    DELIVER_WEBHOOK_QUEUE,
    async ({ data }) => {
      const { webhookId } = DeliverWebhookJob.parse(data)
      try {
        const againAtMs = await options.sendTo(webhookId)
        if (againAtMs !== undefined) await wake(webhookId, againAtMs)
      } catch {
        throw new Error('not delivered') // a fixed text: BullMQ writes it into Redis. The sweep finds it again.
      }
    },
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
      const isAway = connection.status !== 'ready'
      await Promise.all([worker.close(isAway), filling])
      if (!isAway) await queue.close()
    },
  }
}

type Wake = (webhookId: string, atMs: number) => Promise<void>

async function fill(options: DeliverWebhookOptions, wake: Wake, closing: AbortSignal): Promise<void> {
  const { deliveries, follower, now } = options
  const token = randomUUID()
  const failures = new Map<string, number>()
  let sweptAtMs = Number.NEGATIVE_INFINITY
  while (!closing.aborted) {
    try {
      if (!(await deliveries.hold(token, HOLD_MS))) {
        await sleep(BLOCK_MS, undefined, { signal: closing })
        continue
      }
      if (now() - sweptAtMs >= SWEEP_EVERY_MS) {
        sweptAtMs = now()
        await sweep(options, wake)
      }
      for (const entry of await readOutbox(follower, await deliveries.eventCursor(), BLOCK_MS)) {
        if (!(await spread(options, wake, token, entry, failures))) break
      }
    } catch {
      if (!closing.aborted) await sleep(RETRY_MS, undefined, { signal: closing }).catch(() => {}) // the store is away
    }
  }
}

/** @returns whether to go on with what lies behind the entry. */
async function spread(
  { deliveries, planOf, now, warn }: DeliverWebhookOptions,
  wake: Wake,
  token: string,
  entry: OutboxEntry,
  failures: Map<string, number>,
): Promise<boolean> {
  const key = `${entry.source} ${entry.id}`
  let plan: Plan
  try {
    plan = await planOf(entry)
  } catch (error) {
    const tries = (failures.get(key) ?? 0) + 1
    failures.set(key, tries)
    if (tries < MOST_TRIES) throw error
    warn('An event could not be turned into messages to webhooks, and was given up.')
    plan = { deliveries: [], wake: [] }
  }
  if ((await deliveries.make(token, entry, plan.deliveries)) === undefined) return false
  failures.delete(key)
  const due = new Map<string, number>(plan.wake.map((webhookId) => [webhookId, now()]))
  for (const { webhookId, dueAtMs } of plan.deliveries) {
    due.set(webhookId, Math.min(dueAtMs, due.get(webhookId) ?? Number.POSITIVE_INFINITY))
  }
  for (const [webhookId, atMs] of due) await wake(webhookId, atMs)
  return true
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

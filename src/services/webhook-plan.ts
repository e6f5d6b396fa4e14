// What happened, and who is told of it in which words: an entry of the outbox becomes deliveries.

import { createHash } from 'node:crypto'
import type { WebhookEvent } from '../domain/webhook.js'
import type { NewDelivery, OutboxEntry } from '../store/deliveries.js'
import type { Webhook, Webhooks } from '../store/webhooks.js'

/** One event for one organisation. */
interface Told {
  readonly type: WebhookEvent
  /** Events about the same subject arrive in order. */
  readonly subject: string
  readonly atMs: number
  /** Ids and words of ours, never hashes. */
  readonly data: Readonly<Record<string, string | number | null>>
  readonly dueAtMs?: number
  readonly imageId?: string
}

export interface PlanParts {
  readonly webhooks: Pick<Webhooks, 'all' | 'get'>
  readonly now: () => number
}

/** What an entry asks for: deliveries to make, and webhooks to look at although there is none. */
export interface Plan {
  readonly deliveries: readonly NewDelivery[]
  readonly wake: readonly string[]
}

export function webhookPlans({ webhooks, now }: PlanParts): (entry: OutboxEntry) => Promise<Plan> {
  return async (entry) => {
    const text = (name: string) => entry.fields.get(name)?.toString('utf8') ?? ''
    switch (text('kind')) {
      case 'wake':
        return { deliveries: [], wake: [text('endpoint')] }
      case 'webhook.ping': {
        const webhook = await webhooks.get(text('endpoint'))
        if (webhook === undefined) return NOTHING
        const told = { type: 'webhook.ping', subject: 'ping', atMs: now(), data: { webhookId: webhook.webhookId } } as const
        return { deliveries: [deliveryOf(entry, webhook, told)], wake: [] }
      }
      default:
        return NOTHING
    }
  }
}

const NOTHING: Plan = { deliveries: [], wake: [] }

function deliveryOf(entry: OutboxEntry, { webhookId }: Webhook, told: Told): NewDelivery {
  const { type, subject, atMs, data, dueAtMs, imageId } = told
  const id = digest(`${entry.source}\0${entry.id}\0${webhookId}\0${type}\0${subject}`)
  return {
    webhookId,
    id,
    lane: digest(subject),
    type,
    body: JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data }),
    dueAtMs: dueAtMs ?? atMs,
    imageId,
  }
}

/** [22 characters of base64url] */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

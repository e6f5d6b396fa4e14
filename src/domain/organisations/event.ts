// Events that the operator or webhooks are notified of: a kind, ids and numbers, never hashes or personal data.

import { namesOf } from '../../../packages/core/src/own-value.js'

/** Who is notified of each kind: only the operator, or also webhooks of organisations (`WEBHOOK_EVENTS`). */
export const EVENTS = {
  'signal.flooded': 'operator',
  'signal.held': 'operator',
  'signal.narrowed': 'operator',
  'signal.view-stopped': 'operator',
  'hashes.flooded': 'operator',
  'sla.due': 'operator-and-webhooks',
  'key.suspected': 'operator',
  'key.suspended': 'operator-and-webhooks',
  'canary.matched': 'operator',
  'appeal.made': 'operator',
  'webhook.events-missed': 'operator',
} as const satisfies Readonly<Record<string, 'operator' | 'operator-and-webhooks'>>

export type EventKind = keyof typeof EVENTS
export const EVENT_KINDS = namesOf(EVENTS)

/** The kinds for webhooks. Each needs a row in `WEBHOOK_EVENTS`, or that file does not compile. */
export type EventForWebhooks = {
  [Kind in EventKind]: (typeof EVENTS)[Kind] extends 'operator' ? never : Kind
}[EventKind]

export interface DomainEvent {
  /** Position among all events, in the order of writing: `<ms>-<number>`. */
  readonly id: string
  readonly kind: EventKind
  readonly atMs: number
  /** Ids, and words of our own tables. */
  readonly about: Readonly<Record<string, string>>
}

export const EVENT_ID_PATTERN = /^\d{1,15}-\d{1,10}$/

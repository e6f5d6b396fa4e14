// What an operator, or a webhook of his, has to be told of: by kind, with ids and numbers, never with hashes or persons.

import { namesOf } from '../own-value.js'

/** Who is told of each kind: the operator alone, or webhooks of organisations as well (`WEBHOOK_EVENTS`). */
export const EVENTS = {
  'signal.flooded': 'operator',
  'signal.held': 'operator',
  'signal.narrowed': 'operator',
  'sla.due': 'operator-and-webhooks',
  'key.suspected': 'operator',
  'key.suspended': 'operator-and-webhooks',
  'canary.met': 'operator',
  'appeal.made': 'operator',
} as const satisfies Readonly<Record<string, 'operator' | 'operator-and-webhooks'>>

export type EventKind = keyof typeof EVENTS
export const EVENT_KINDS = namesOf(EVENTS)

/** Without a row in `WEBHOOK_EVENTS`, such a kind does not compile. */
export type EventForWebhooks = {
  [Kind in EventKind]: (typeof EVENTS)[Kind] extends 'operator' ? never : Kind
}[EventKind]

export interface DomainEvent {
  /** Its place among all events, in the order in which they were written: `<ms>-<number>`. */
  readonly id: string
  readonly kind: EventKind
  readonly atMs: number
  /** Ids and words from our own tables. */
  readonly about: Readonly<Record<string, string>>
}

export const EVENT_ID_PATTERN = /^\d{1,15}-\d{1,10}$/

// What an operator, or a webhook of his, has to be told of: by kind, with ids and numbers, never with hashes or persons.

export const EVENT_KINDS = [
  'signal.flooded',
  'signal.held',
  'signal.narrowed',
  'sla.due',
  'key.suspected',
  'key.suspended',
  'canary.met',
  'appeal.made',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

export interface DomainEvent {
  /** Its place among all events, in the order in which they were written: `<ms>-<number>`. */
  readonly id: string
  readonly kind: EventKind
  readonly atMs: number
  /** Ids and words from our own tables. */
  readonly about: Readonly<Record<string, string>>
}

export const EVENT_ID_PATTERN = /^\d{1,15}-\d{1,10}$/

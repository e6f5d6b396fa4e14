// Feeds of other systems that are pulled into a bank: what they speak, how far each has come, what went wrong.

import type { RecordRejection } from './bank-import.js'

export const EXCHANGE_APIS = ['stopncii', 'ncmec', 'threatexchange', 'tat'] as const

/** Where the reading of a feed goes on. All of it is the feed's own, and says nothing anywhere else. */
export interface FeedPosition {
  /** From where a walk begins: a time, or an opaque mark. */
  readonly position: string
  /** Where in the walk; absent at its beginning. */
  readonly cursor?: string | undefined
  /** The furthest that the walk has shown: its end becomes the next beginning. */
  readonly highest: string
}

/** Why a pull ended before the end of its feed. The place stays, and the next pull goes on from there. */
export const PULL_FAILURES = [
  'bank-unknown',
  'not-let-in',
  'unreachable',
  'answer-refused',
  'answer-unreadable',
  'leads-elsewhere',
  'goes-in-circles',
  'not-taken',
] as const
export type PullFailure = (typeof PULL_FAILURES)[number]

export const PULL_STATES = ['waiting', 'pulling', 'failed'] as const

export interface PullProgress {
  readonly state: (typeof PULL_STATES)[number]
  readonly failure: PullFailure | undefined
  readonly startedAtMs: number
  readonly updatedAtMs: number
  /** When it was last read to its end. */
  readonly caughtUpAtMs: number | undefined
  /** Since it was first pulled, as are the numbers below. */
  readonly pages: number
  readonly accepted: number
  readonly removed: number
  readonly refused: number
  readonly rejectedFor: Partial<Readonly<Record<RecordRejection, number>>>
}

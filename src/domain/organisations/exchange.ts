// Exchanges: feeds of other systems that are pulled into a bank. Which protocols exist, how far each pull got, and why it failed.

import type { RecordRejection } from './bank-import.js'

export const EXCHANGE_APIS = ['stopncii', 'ncmec', 'threatexchange', 'tat'] as const

/** Where to continue reading a feed. All values are the feed's own and mean nothing elsewhere. */
export interface FeedPosition {
  /** Start of the current pass: a time or an opaque token. */
  readonly position: string
  /** Position within the pass; absent at its start. */
  readonly cursor?: string | undefined
  /** The furthest position that the pass has shown. The next pass starts there. */
  readonly highest: string
}

/** Why a pull ended early. Its position is kept, and the next pull continues from there. */
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
  /** When the end of the feed was last reached. */
  readonly caughtUpAtMs: number | undefined
  /** Total since the first pull, as are the counts below. */
  readonly pages: number
  readonly accepted: number
  readonly removed: number
  readonly refused: number
  readonly rejectedFor: Partial<Readonly<Record<RecordRejection, number>>>
}

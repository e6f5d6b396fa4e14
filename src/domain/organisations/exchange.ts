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
  /** The bank to pull into does not exist. */
  'bank-unknown',
  /** The feed refuses the password, key or token. */
  'credentials-rejected',
  /** No answer, or only temporary failures, in all attempts. */
  'unreachable',
  /** The feed refuses the request itself. */
  'request-rejected',
  /** The answer is too large or not in the feed's format. */
  'response-invalid',
  /** A page links to an address outside the feed. */
  'next-page-outside-feed',
  /** A page links back to a page of the same pull. */
  'pages-repeat',
  /** This service did not store a page, for example because a daily quota is used up. */
  'import-rejected',
] as const
export type PullFailure = (typeof PULL_FAILURES)[number]

export const PULL_STATES = ['waiting', 'pulling', 'failed'] as const

export interface PullProgress {
  readonly state: (typeof PULL_STATES)[number]
  readonly failure: PullFailure | undefined
  readonly startedAtMs: number
  readonly updatedAtMs: number
  /** When a pull last reached the end of the feed. */
  readonly caughtUpAtMs: number | undefined
  /** Pages since the first pull; the counts below are totals, too. */
  readonly pages: number
  readonly accepted: number
  readonly removed: number
  readonly refused: number
  readonly rejectedFor: Partial<Readonly<Record<RecordRejection, number>>>
}

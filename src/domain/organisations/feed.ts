// What a feed tells a follower who matches inside his own walls: which signals to match by, and which no longer.

import type { Category, Signal, Tier } from '../matching/signal.js'

/** What a follower wants to hear of; everything where nothing is said. */
export interface FeedFilter {
  readonly banks: readonly string[] | undefined
  readonly categories: readonly Category[] | undefined
  readonly tiers: readonly Tier[] | undefined
}

/** An image as a follower knows it: nothing that says whose it is, when it came, or with which others. */
export interface FeedSignal {
  /** The follower's own id for it: the same as his match id, and no other organisation's. */
  readonly id: string
  readonly bank: string
  readonly tier: Tier
  readonly category: Category | undefined
  readonly disputed: boolean
  readonly signals: readonly Signal[]
}

/**
 * Of one id, the last line counts. Between `snapshot-begin` and `snapshot-end` every signal there is is named: what a follower
 * has and was not named is gone.
 */
export type FeedLine =
  | { readonly op: 'snapshot-begin' | 'snapshot-end' }
  | ({ readonly op: 'upsert' } & FeedSignal)
  | { readonly op: 'tombstone'; readonly id: string }
  /** Where to go on, once everything before it was applied. `more`: there is something to read at once. */
  | { readonly op: 'cursor'; readonly cursor: string; readonly more: boolean }

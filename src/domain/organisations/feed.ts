// The feed for platforms that match locally: which signals to match, and which to drop.

import type { Category, RegisteredVideo, Signal, Tier } from '../../../packages/core/src/matching/signal.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'

/** Restricts the feed. `undefined` means no restriction. */
export interface FeedFilter {
  readonly banks: readonly string[] | undefined
  readonly categories: readonly Category[] | undefined
  readonly tiers: readonly Tier[] | undefined
}

/** An image in the feed. Nothing in it reveals its case, when it was registered, or which images belong together. */
export interface FeedSignal {
  /** The follower's own id for the image, equal to its match id. Every organisation gets a different one. */
  readonly id: string
  readonly bank: string
  readonly tier: Tier
  readonly category: Category | undefined
  readonly disputed: boolean
  /** Whether it matches only copies (`isCopy`). */
  readonly narrowed: boolean
  /** Without stopped views (`src/domain/trust/flood.ts`), and for most followers without most parts (`feedSignalsOf`). */
  readonly signals: readonly Signal[]
  /** Only of a video. */
  readonly video?: RegisteredVideo
}

/** The last line about an id counts. Between `snapshot-begin` and `snapshot-end` the feed lists every signal; a follower must drop all others. */
export type FeedLine =
  | { readonly op: 'snapshot-begin' | 'snapshot-end' }
  | ({ readonly op: 'upsert' } & FeedSignal)
  | { readonly op: 'tombstone'; readonly id: string }
  /** Where to continue once everything before it has been applied. `more`: there is more to read right away. */
  | { readonly op: 'cursor'; readonly cursor: string; readonly more: boolean }

/** A hash that StopNCII's interface has a record for: PDQ of a whole picture, or MD5 of the file of a video. */
export interface PlainHash {
  readonly type: 'pdq' | 'video_md5'
  readonly hash: Hash256
}

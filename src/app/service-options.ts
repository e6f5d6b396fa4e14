// Options of an api process.

import type { ScryptOptions } from 'node:crypto'
import type { VideoLimits } from '../domain/media/video-limits.js'
import type { Exchange, Reconciler } from '../exchange/exchange-config.js'
import type { listenForWorkers } from '../handoff/listener.js'
import type { ReplicaFreshness } from '../services/index/readiness.js'
import type { FetchFrom } from '../services/intake/picture-fetching.js'
import type { QuotaLimits } from '../services/intake/quotas.js'
import type { DueTime, StoreTime } from '../services/load/due-time.js'
import type { ProbingMode } from '../services/matching/probing/probing-guard.js'
import type { AuditHead } from '../store/audit/audit-marks.js'
import type { FeedDelay } from '../store/exchange/feed-batches.js'
import type { OpeningOptions } from './opening.js'

export interface TrustLimits extends QuotaLimits {
  /** Proof of work for opening a case, in rounds; 0 for none. */
  readonly proofRounds: number
}

export interface ServiceOptions extends OpeningOptions {
  readonly handoff: Parameters<typeof listenForWorkers>[1]
  readonly retentionMs: number
  /** Replaces the usual limits of uploaded videos. */
  readonly videoLimits?: Partial<VideoLimits>
  /** Feeds of other systems to pull; none by default. */
  readonly exchanges?: readonly Exchange[]
  /** HMAs that pull from here, and from which withdrawn images are removed; none by default. */
  readonly reconcilers?: readonly Reconciler[]
  /** The deployment's label in API keys. */
  readonly env: string
  readonly trustLimits: TrustLimits
  /** How long the feed holds a case's image to mix it with others; the production value by default. */
  readonly feedDelay?: FeedDelay
  readonly maxWatchesPerOrg: number
  /** Origins that webhooks may use although they are not on the public internet. */
  readonly webhookOrigins: ReadonlySet<string>
  /** Where pictures may be fetched from that a caller names by URL; nowhere by default. */
  readonly fetchFrom?: FetchFrom | undefined
  /** Whether details are kept for cases that ask for it. */
  readonly extendedProtection: boolean
  /** Where and how often this process saves its index for its next start; `undefined` for never. */
  readonly snapshots: { readonly folder: string; readonly intervalMs: number } | undefined
  /** Where this process logs withdrawals for restores; `undefined` for nowhere. */
  readonly withdrawalsFolder: string | undefined
  /** Folders whose disks are watched, by purpose; none by default. */
  readonly folders?: ReadonlyMap<string, string>
  /** [days] How long the audit log and the withdrawal log are kept; for ever if 0 or absent. */
  readonly auditKeepDays?: number
  readonly withdrawalsKeepDays?: number
  /** What happens when an organisation probes for stored hashes; by default the operator is told. */
  readonly probing?: ProbingMode
  /** Maximum staleness of answers; by default as promised for withdrawals. */
  readonly freshness?: ReplicaFreshness
  /** Cost of checking a PIN; only tests change it. */
  readonly stretching?: ScryptOptions
  readonly now: () => number
  /** The time up to which things have expired; by default agreed between this process's clock and the store's. Only tests change it. */
  readonly dueTime?: DueTime
  /** By default the store's clock. Only tests change it. */
  readonly storeTime?: StoreTime
  /** Monotonic, in milliseconds. */
  readonly clock: () => number
  /** Receives errors of background work; they never have hashes. */
  readonly onError: (error: unknown) => void
  /** Called with a message while the start waits for Redis. */
  readonly onWaiting?: (line: string) => void
  /** Called with each new head of the audit log. */
  readonly onAuditHead: (head: AuditHead) => void
}

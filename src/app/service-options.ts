// What a process of the API is started with.

import type { ScryptOptions } from 'node:crypto'
import type { Exchange, Reconciler } from '../exchange/exchange-config.js'
import type { listenForWorkers } from '../handoff/listener.js'
import type { ReplicaFreshness } from '../services/index/readiness.js'
import type { FetchFrom } from '../services/intake/picture-fetching.js'
import type { QuotaLimits } from '../services/intake/quotas.js'
import type { DueTime } from '../services/load/due-time.js'
import type { ProbingMode } from '../services/matching/probing-guard.js'
import type { AuditHead } from '../store/audit/audit-marks.js'
import type { FeedDelay } from '../store/exchange/feed-batches.js'
import type { OpeningOptions } from './opening.js'

export interface TrustLimits extends QuotaLimits {
  /** Work that opening a case costs, in rounds; 0 for none. */
  readonly proofRounds: number
}

export interface ServiceOptions extends OpeningOptions {
  readonly handoff: Parameters<typeof listenForWorkers>[1]
  readonly retentionMs: number
  /** Feeds of other systems to pull; none when left out. */
  readonly exchanges?: readonly Exchange[]
  /** HMAs that pull from here, out of which is taken what was withdrawn; none when left out. */
  readonly reconcilers?: readonly Reconciler[]
  /** The deployment's label in API keys. */
  readonly env: string
  readonly trustLimits: TrustLimits
  /** How long the feed waits for others to tell an image of a case with; as it is in production when left out. */
  readonly feedDelay?: FeedDelay
  readonly maxWatchesPerOrg: number
  /** Origins that webhooks may go to although they are not on the public internet. */
  readonly webhookOrigins: ReadonlySet<string>
  /** Where pictures may be fetched from that a caller names by their address; nowhere when left out. */
  readonly fetchFrom?: FetchFrom | undefined
  /** Are details of pictures kept, for cases that ask for it? */
  readonly extendedProtection: boolean
  /** Where this process keeps what it knows for its next start, and how often; undefined for nowhere. */
  readonly snapshots: { readonly folder: string; readonly intervalMs: number } | undefined
  /** Where this process notes what was taken back, for whoever restores a backup; undefined for nowhere. */
  readonly withdrawalsFolder: string | undefined
  /** Folders whose disks must not fill up, by what they are for; none when left out. */
  readonly folders?: ReadonlyMap<string, string>
  /** [days] For how long the audit log and the log of withdrawals are kept; for ever when left out or 0. */
  readonly auditKeepDays?: number
  readonly withdrawalsKeepDays?: number
  /** What is done about searches for what is stored; the operator is told of them when left out. */
  readonly probing?: ProbingMode
  /** How long answers go by the store's last word; as the promise about withdrawals has it when left out. */
  readonly freshness?: ReplicaFreshness
  /** What a try at a PIN costs; as is promised when left out, as it is outside tests. */
  readonly stretching?: ScryptOptions
  readonly now: () => number
  /** Until when watches have ended: by this process's time and the store's when left out, as it is outside tests. */
  readonly dueTime?: DueTime
  /** Never goes back. */
  readonly clock: () => number
  /** What goes wrong behind the scenes; never with hashes. */
  readonly onError: (error: unknown) => void
  /** Told in words when the start has to wait for Redis. */
  readonly onWaiting?: (line: string) => void
  /** Told of each new end of the audit log. */
  readonly onAuditHead: (head: AuditHead) => void
}

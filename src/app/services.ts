// Builds the services from connections. This is the one place that connects the parts; each stops before the parts that it uses.

import type { AppServices } from './app-options.js'
import { createCaseParts } from './case-parts.js'
import { createExchangeParts } from './exchange-parts.js'
import { createFeedParts } from './feed-parts.js'
import { openHashingParts } from './hashing-parts.js'
import { createIndexParts } from './index-parts.js'
import { createIntakeParts } from './intake-parts.js'
import { createKeyParts } from './key-parts.js'
import { createLifecycle, type Lifecycle, startOrStop } from './lifecycle.js'
import { createMatchParts } from './match-parts.js'
import { createOpsParts } from './ops-parts.js'
import type { ServiceOptions } from './service-options.js'
import { openStoreParts } from './store-parts.js'
import { createTrustParts } from './trust-parts.js'
import { createWatchParts } from './watch-parts.js'

export interface Services extends AppServices {
  /** How Redis may lose what was acknowledged, in sentences for the operator. */
  readonly risks: readonly string[]
  /** Loads the index and follows the store. Resolves when it may be queried. @throws if a queue cannot be opened */
  hydrate(): Promise<void>
  beginPulling(): void
  /** Resolves when the effects of all matches answered so far are done or have failed. */
  settled(): Promise<void>
  /** Verifies the whole audit log if that is due. One process also does so by itself. */
  checkAudit(): Promise<void>
  /** Erases expired watches. One process also does so once a minute. */
  sweepWatches(): Promise<void>
  /** Ends expired blocks of resubmission. This also happens every minute. */
  endBlocks(): Promise<void>
  /** Removes expired records. This also happens every hour. */
  sweepRecords(): Promise<void>
  /** Cancels all pictures and videos that wait for a worker, for a process that must stop. */
  cancel(): void
  /** @throws {AggregateError} with the names of the parts that could not be stopped; all others are stopped */
  close(): Promise<void>
}

/**
 * Opens all parts; leaves nothing open if it fails.
 * @throws {SealError} if the keyring does not fit the store. {Error} if Redis, or the address for workers, cannot be used
 */
export function openServices(options: ServiceOptions, lifecycle = createLifecycle()): Promise<Services> {
  return startOrStop(lifecycle, () => openParts(options, lifecycle), options.onError)
}

async function openParts(options: ServiceOptions, lifecycle: Lifecycle): Promise<Services> {
  const store = await openStoreParts(options, lifecycle)
  const index = createIndexParts(store)
  const keys = createKeyParts(store, index)
  const cases = createCaseParts(store, index)
  const trust = createTrustParts(store, index)
  const matching = createMatchParts(store, index, trust)
  const intake = createIntakeParts(store, index, matching, trust)
  const feed = createFeedParts(store, index, trust, matching, intake)
  const watch = createWatchParts(store, index, matching)
  const hashing = await openHashingParts(store)
  const exchange = createExchangeParts(store, index, trust, matching, intake)
  const ops = createOpsParts(store, index, trust, hashing, exchange)
  return {
    ...keys.services,
    ...cases.services,
    ...trust.services,
    ...matching.services,
    ...intake.services,
    ...feed.services,
    ...watch.services,
    ...hashing.services,
    ...exchange.services,
    ...ops.services,
    async hydrate() {
      await Promise.all([hashing.queues, index.replica.start()])
      watch.start()
    },
    beginPulling: exchange.beginPulling,
    settled: trust.settled,
    checkAudit: store.auditChecks.next,
    risks: store.risks,
    sweepWatches: watch.sweep,
    endBlocks: trust.endBlocks,
    sweepRecords: ops.sweepRecords,
    cancel: hashing.cancel,
    close: lifecycle.stop,
  }
}

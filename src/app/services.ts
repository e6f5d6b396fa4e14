// Connections in, services out: the one place where the parts are put together. Each is given what it uses, and is stopped before that.

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
  /** Loads the index and keeps it equal to the store. @returns when it may be asked. @throws when a queue cannot be had. */
  hydrate(): Promise<void>
  /** Pulls feeds from here on. */
  beginPulling(): void
  /** Waits until all that follows from the matches answered so far has been done, or has failed. */
  settled(): Promise<void>
  /** Reads the audit log to its end if that is due, as one process does by itself. */
  checkAudit(): Promise<void>
  /** Erases what is watched for no longer, as one process does once a minute by itself. */
  sweepWatches(): Promise<void>
  /** Removes records that are kept no longer, as happens every hour by itself. */
  sweepRecords(): Promise<void>
  /** Gives up all pictures that wait for a worker: for a process that cannot stop before they are answered. */
  cancel(): void
  /** @throws {AggregateError} naming the parts that could not be stopped; all others are. */
  close(): Promise<void>
}

/**
 * Leaves nothing open when it fails.
 *
 * @throws {SealError} when the keyring does not belong to what is stored. {Error} when Redis or the address for workers cannot be used.
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
  const ops = createOpsParts(store, index, hashing, exchange)
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
      await Promise.all([hashing.queue, index.replica.start()])
      watch.start()
    },
    beginPulling: exchange.beginPulling,
    settled: trust.settled,
    checkAudit: store.createAuditChecks.next,
    sweepWatches: watch.sweep,
    sweepRecords: ops.sweepRecords,
    cancel: () => hashing.pendingImages.close(),
    close: lifecycle.stop,
  }
}

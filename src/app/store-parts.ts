// The opened store and what all other parts share: its nouns, the audit log, the deployment's secrets.

import { createDueTime, createStoreTime } from '../services/load/due-time.js'
import { createEventLoopScheduler, LOOP } from '../services/load/event-loop-scheduler.js'
import { createMatchIds } from '../services/matching/match-ids.js'
import { createViewIds } from '../services/matching/stopped-views.js'
import { createAudit } from '../services/records/audit.js'
import { createAuditChecks } from '../services/records/audit-checks.js'
import { createAuditLog } from '../store/audit/audit.js'
import { createCaseEventStore } from '../store/cases/case-events.js'
import { createCaseStore } from '../store/cases/cases.js'
import { createImageStore } from '../store/images/images.js'
import { createOwnWrites } from '../store/images/read-your-writes.js'
import { createApiKeyStore } from '../store/organisations/api-keys.js'
import { createBankStore } from '../store/organisations/banks.js'
import { connectForFollowing } from '../store/redis/client.js'
import { redisRisks } from '../store/redis/redis-load.js'
import { createTrustStore } from '../store/trust/trust.js'
import { createWatchStore } from '../store/watch/watches.js'
import { onceRedisAnswers } from './first-answer.js'
import type { Lifecycle } from './lifecycle.js'
import { openSealed } from './opening.js'
import type { ServiceOptions } from './service-options.js'

export type StoreParts = Awaited<ReturnType<typeof openStoreParts>>

/** @throws {SealError} if the keyring does not fit the store. {Error} if Redis is unavailable for half a minute */
export async function openStoreParts(options: ServiceOptions, lifecycle: Lifecycle) {
  const { now, clock, onError } = options
  const sealed = await onceRedisAnswers(() => openSealed(options), { onWaiting: options.onWaiting ?? (() => {}) })
  const { keyring, secrets } = sealed
  const store = lifecycle.keep('store', sealed.store)
  const auditLog = createAuditLog(store, secrets.audit)
  // Stopped last: the other parts record their acts until they stop, and the last entries are still chained and reported.
  const audit = lifecycle.keep('audit', createAudit({ store, log: auditLog, now, onError, onHead: options.onAuditHead }))
  const own = createOwnWrites()
  return {
    options,
    lifecycle,
    store,
    risks: await redisRisks(store),
    keyring,
    secrets,
    auditLog,
    audit,
    auditChecks: lifecycle.keep('audit checks', createAuditChecks({ store, log: auditLog, now, onError })),
    own,
    images: createImageStore(store, keyring, options.trustLimits.maxImagesPerCase, own),
    cases: createCaseStore(store),
    caseEvents: lifecycle.keep(
      'case events',
      createCaseEventStore(store, () => connectForFollowing(options.redis)),
    ),
    banks: createBankStore(store),
    apiKeys: createApiKeyStore(store),
    trusts: createTrustStore(store),
    watches: createWatchStore(store, keyring),
    matchIds: createMatchIds(secrets.matchId),
    viewIdOf: createViewIds(secrets.pseudonym),
    scheduler: createEventLoopScheduler(LOOP, clock),
    storeTime: options.storeTime ?? createStoreTime(store),
    dueTime: options.dueTime ?? createDueTime(now, (line) => onError(new Error(line))),
  }
}

// The store opened, and what all other parts are given: the nouns that the store holds, the audit log, and the deployment's secrets.

import { dueTimeBy } from '../services/load/due-time.js'
import { LOOP, turnsOfLoop } from '../services/load/event-loop-scheduler.js'
import { matchIdsWith } from '../services/matching/match-ids.js'
import { auditOver } from '../services/records/audit.js'
import { auditChecks } from '../services/records/audit-checks.js'
import { auditLogIn } from '../store/audit/audit.js'
import { caseEventsIn } from '../store/cases/case-events.js'
import { casesIn } from '../store/cases/cases.js'
import { imagesIn } from '../store/images/images.js'
import { ownWrites } from '../store/images/read-your-writes.js'
import { apiKeysIn } from '../store/organisations/api-keys.js'
import { banksIn } from '../store/organisations/banks.js'
import { connectForFollowing } from '../store/redis/client.js'
import { trustsIn } from '../store/trust/trust.js'
import { watchesIn } from '../store/watch/watches.js'
import { onceRedisAnswers } from './first-answer.js'
import type { Lifecycle } from './lifecycle.js'
import { openSealed } from './opening.js'
import type { ServiceOptions } from './service-options.js'

export type StoreParts = Awaited<ReturnType<typeof openStoreParts>>

/** @throws {SealError} when the keyring does not belong to what is stored. {Error} when Redis could not be used for half a minute. */
export async function openStoreParts(options: ServiceOptions, lifecycle: Lifecycle) {
  const { now, clock, onTrouble } = options
  const sealed = await onceRedisAnswers(() => openSealed(options), { onWaiting: options.onWaiting ?? (() => {}) })
  const { keyring, secrets } = sealed
  const store = lifecycle.keep('store', sealed.store)
  const auditLog = auditLogIn(store, secrets.audit)
  // Stopped when all others are: they record what they do, and the last of it is chained and told to the operator.
  const audit = lifecycle.keep('audit', auditOver({ store, log: auditLog, now, onTrouble, onHead: options.onAuditHead }))
  const own = ownWrites()
  return {
    options,
    lifecycle,
    store,
    keyring,
    secrets,
    auditLog,
    audit,
    auditChecks: lifecycle.keep('audit checks', auditChecks({ store, log: auditLog, now, onTrouble })),
    own,
    images: imagesIn(store, keyring, options.trustLimits.maxImagesPerCase, own),
    cases: casesIn(store),
    caseEvents: lifecycle.keep(
      'case events',
      caseEventsIn(store, () => connectForFollowing(options.redis)),
    ),
    banks: banksIn(store),
    apiKeys: apiKeysIn(store),
    trusts: trustsIn(store),
    watches: watchesIn(store, keyring),
    matchIds: matchIdsWith(secrets.matchId),
    turns: turnsOfLoop(LOOP, clock),
    dueTime: options.dueTime ?? dueTimeBy(now, (line) => onTrouble(new Error(line))),
  }
}

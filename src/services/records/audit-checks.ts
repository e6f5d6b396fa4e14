// Verifies the whole audit log once a day, in one of the api processes, so that a change in it is reported.

import type { AuditLog } from '../../store/audit/audit.js'
import { holdAuditCheck, lastAuditCheck, noteAuditCheck, releaseAuditCheck } from '../../store/audit/audit-check.js'
import type { Store } from '../../store/redis/client.js'

export interface AuditCheckParts {
  readonly store: Store
  readonly log: Pick<AuditLog, 'verify'>
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

const DUE_AFTER_MS = 86_400_000
const LOOK_INTERVAL_MS = 600_000
/** Validity of the lock. Checking ten million entries takes less. */
const HELD_MS = 3_600_000

export function createAuditChecks({ store, log, now, onError }: AuditCheckParts) {
  let last = Promise.resolve()
  const check = async () => {
    const before = await lastAuditCheck(store)
    if (before !== undefined && now() - before.atMs < DUE_AFTER_MS) return
    if (!(await holdAuditCheck(store, HELD_MS))) return
    try {
      // A log that is trimmed while it is read looks incomplete. So a failure is checked once more.
      const isSound = (await log.verify()).isSound || (await log.verify()).isSound
      await noteAuditCheck(store, { isSound, atMs: now() })
    } finally {
      await releaseAuditCheck(store)
    }
  }
  const next = () => {
    last = last.then(check).catch(onError)
    return last
  }
  const timer = setInterval(next, LOOK_INTERVAL_MS).unref()
  return {
    /** Checks now, if a check is due. */
    next,
    async close(): Promise<void> {
      clearInterval(timer)
      await last
    },
  }
}

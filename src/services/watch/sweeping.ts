// Erases watches that have expired, and watches of organisations without a valid key.

import type { Store } from '../../store/redis/client.js'
import type { DueWatch, Watches } from '../../store/watch/watches.js'
import type { Replica } from '../index/replica.js'
import type { DueTime } from '../load/due-time.js'
import { forEachDue } from '../load/each-due.js'

export interface SweepingParts {
  readonly store: Store
  readonly watches: Watches
  readonly replica: Pick<Replica, 'catalogue'>
  /** The time up to which watches have expired; `undefined` while clocks disagree. */
  readonly dueTime: DueTime
  readonly onError: (error: unknown) => void
}

const ERASED_AT_ONCE = 500

/** Erases all expired watches, and all watches of organisations without a valid key. Does nothing while clocks disagree. Safe to repeat. */
export async function sweepWatches(parts: SweepingParts): Promise<void> {
  const { store, watches, replica, dueTime, onError } = parts
  const untilMs = await dueTime(store)
  if (untilMs === undefined) return
  await forEachDue<DueWatch>({
    what: 'watches that ended',
    take: (after) => watches.due(untilMs, after?.cursor, ERASED_AT_ONCE),
    async handle(due) {
      const isErased = due.watch !== undefined && (await watches.erase(due.watch.orgId, [due.watch.watchId]))
      if (!isErased) await watches.discard(due)
      if (due.watch === undefined) throw new Error('an entry in the schedule of watches was no watch and was removed')
    },
    atOnce: ERASED_AT_ONCE,
    onError,
  })
  const withKey = new Set<string>()
  for (const { orgId, expiresAtMs } of replica.catalogue.apiKeys.values()) {
    if (expiresAtMs === undefined || expiresAtMs > untilMs) withKey.add(orgId)
  }
  const withoutKey = (await watches.orgs()).filter((orgId) => !withKey.has(orgId))
  await forEachDue<string>({
    what: 'organisations whose watches are to be erased',
    take: withoutKey,
    handle: (orgId) => eraseAllOf(parts, orgId),
    onError,
  })
}

async function eraseAllOf({ watches, onError }: SweepingParts, orgId: string): Promise<void> {
  await forEachDue<DueWatch>({
    what: 'watches of an organisation without a key',
    take: (after) => watches.ofOrg(orgId, after?.cursor, ERASED_AT_ONCE),
    async handle({ watch }) {
      if (watch === undefined) throw new Error('a watch of an organisation has no valid id')
      await watches.erase(orgId, [watch.watchId])
    },
    atOnce: ERASED_AT_ONCE,
    onError,
  })
}

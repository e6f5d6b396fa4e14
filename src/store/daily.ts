// What of all processes one does, once a day.

import { keys } from './keys.js'
import type { Store } from './store.js'

const DAY_S = 86_400

/** @returns true for the process that is to trim the audit log on this day. */
export async function isToTrimToday(store: Store): Promise<boolean> {
  return (await store.ask((redis) => redis.set(keys.auditTrimming, '1', 'EX', DAY_S, 'NX'))) !== null
}

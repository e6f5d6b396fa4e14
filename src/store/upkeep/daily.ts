// What of all processes one does, once a day.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

const DAY_S = 86_400

/** @returns true for the process that is to trim the audit log on this day. */
export async function isToTrimToday(store: Store): Promise<boolean> {
  return (await store.ask((redis) => redis.set(keys.auditTrimming, '1', 'EX', DAY_S, 'NX'))) !== null
}

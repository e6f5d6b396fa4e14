// Daily work that only one of all processes does.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

const DAY_S = 86_400

/** @returns true for the first process that asks within a day: it should trim the audit log. @throws {Problem} store-unavailable */
export async function isToTrimToday(store: Store): Promise<boolean> {
  return (await store.ask((redis) => redis.set(keys.auditTrimming, '1', 'EX', DAY_S, 'NX'))) !== null
}

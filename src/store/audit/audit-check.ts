// Result and time of the last full verification of the audit log. A crash may lose it: then the log is verified again.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

export interface AuditCheck {
  readonly isSound: boolean
  readonly atMs: number
}

export async function noteAuditCheck(store: Store, { isSound, atMs }: AuditCheck): Promise<void> {
  await store.ask((redis) => redis.set(keys.auditCheck, `${isSound ? 'sound' : 'unsound'} ${atMs}`))
}

export async function lastAuditCheck(store: Store): Promise<AuditCheck | undefined> {
  const text = await store.ask((redis) => redis.get(keys.auditCheck))
  if (text === null) return undefined
  const [verdict, atMs] = text.split(' ')
  return { isSound: verdict === 'sound', atMs: Number(atMs) }
}

/** Takes a lock for `ttlMs`. @returns true when this process may verify now: no other holds the lock. */
export async function holdAuditCheck(store: Store, ttlMs: number): Promise<boolean> {
  return (await store.ask((redis) => redis.set(keys.auditCheckHolder, '1', 'PX', ttlMs, 'NX'))) === 'OK'
}

export async function releaseAuditCheck(store: Store): Promise<void> {
  await store.ask((redis) => redis.del(keys.auditCheckHolder))
}

// What Redis records about seal keys: which are in use, which one every process should seal with, and which processes do.

import { z } from 'zod'
import type { AuditActor } from '../../domain/organisations/audit.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { storeTimeMs } from '../redis/store-time.js'
import { forgetSealKey, noteSealKey, switchSealKey } from '../scripts/re-encryption.js'
import { type Keyring, type NamedKey, SealError } from './seal.js'

/** A key under which something may be sealed. */
export type UsedKey = Pick<NamedKey, 'label' | 'fingerprint'>

const CheckJson = z.object({ label: z.string(), check: z.base64() })
const CHECKED = Buffer.from('tabir seal check')
/** A process that has not reported for this long no longer seals. */
const SEAL_KEY_USER_EXPIRES_AFTER_MS = 30_000

/**
 * Checks that the ring belongs to this store: it must have every key that was used and not retired, and each must open its check value.
 * @throws {SealError} that names the missing key. Nothing is written.
 */
export async function checkRing(store: Store, keyring: Keyring): Promise<void> {
  const known = await usedKeys(store)
  for (const { label, fingerprint, check } of known) {
    const isThere = keyring.named.some((key) => key.fingerprint === fingerprint)
    if (!isThere) {
      throw new SealError(
        `The seal keys do not open all that is stored in this Redis: the key ${label} (${fingerprint}) is not in the ring. Start with the TABIR_SEAL_KEYS or the key file that has it. Nothing was changed.`,
      )
    }
    try {
      if (keyring.unseal(check, contextOf(fingerprint)).equals(CHECKED)) continue
    } catch (error) {
      if (!(error instanceof SealError)) throw error
    }
    throw new SealError(
      `The check value of the key ${label} (${fingerprint}) was changed in this Redis. Nothing was changed now.`,
    )
  }
}

/** Records that the ring's active key is in use. Durable when it returns. */
export async function noteActive(store: Store, { active, seal }: Keyring): Promise<void> {
  const check = seal(CHECKED, contextOf(active.fingerprint)).toString('base64')
  await store.write(noteSealKey, [keys.sealChecks], [active.fingerprint, JSON.stringify({ label: active.label, check })])
}

export async function usedKeys(store: Store): Promise<(UsedKey & { readonly check: Buffer })[]> {
  const found = await store.ask((redis) => redis.hgetall(keys.sealChecks))
  return Object.entries(found).map(([fingerprint, json]) => {
    const { label, check } = CheckJson.parse(JSON.parse(json))
    return { label, fingerprint, check: Buffer.from(check, 'base64') }
  })
}

/** Keys in use that this ring lacks. */
export async function missingKeys(store: Store, keyring: Keyring): Promise<UsedKey[]> {
  const known = await usedKeys(store)
  return known.filter(({ fingerprint }) => !keyring.named.some((key) => key.fingerprint === fingerprint))
}

/** Makes this ring's active key the one that every process should seal with. Processes notice it by themselves. Recorded in the audit log. */
export async function switchToActive(
  store: Store,
  keyring: Keyring,
  nowMs: number,
  by: AuditActor = 'operator',
): Promise<void> {
  await noteActive(store, keyring)
  const { fingerprint } = keyring.active
  const entry = { act: 'seal-key.activated', by, about: { fingerprint }, atMs: nowMs } as const
  await writeAudited(store, entry, switchSealKey, [keys.sealActive], [fingerprint])
}

/** Fingerprint of the key that every process should seal with; `undefined` before the first switch: then each uses its own first key. */
export async function keyToSealWith(store: Store): Promise<string | undefined> {
  return (await store.ask((redis) => redis.get(keys.sealActive))) ?? undefined
}

export async function forgetKey(store: Store, fingerprint: string, nowMs: number): Promise<void> {
  const entry = { act: 'seal-key.retired', by: 'operator', about: { fingerprint }, atMs: nowMs } as const
  await writeAudited(store, entry, forgetSealKey, [keys.sealChecks], [fingerprint])
}

/**
 * Reports which key a process seals with. To be repeated: reports expire after 30 s by Redis's clock. A process whose clock is ahead would delete
 * the reports of all others, and a key in use could then be retired.
 */
export async function noteSealing(store: Store, processId: string, fingerprint: string): Promise<void> {
  await store.ask(async (redis) => {
    const nowMs = await storeTimeMs(redis)
    return await redis
      .pipeline()
      .zadd(keys.sealKeyUsers, nowMs, `${processId}|${fingerprint}`)
      .zremrangebyscore(keys.sealKeyUsers, '-inf', nowMs - SEAL_KEY_USER_EXPIRES_AFTER_MS)
      .exec()
  })
}

export async function forgetSealing(store: Store, processId: string, fingerprint: string): Promise<void> {
  await store.ask((redis) => redis.zrem(keys.sealKeyUsers, `${processId}|${fingerprint}`))
}

/** Process id → fingerprint of the key that it seals with, for processes that reported in the last 30 s. */
export async function sealKeyUsers(store: Store): Promise<ReadonlyMap<string, string>> {
  const members = await store.ask(async (redis) =>
    redis.zrangebyscore(keys.sealKeyUsers, (await storeTimeMs(redis)) - SEAL_KEY_USER_EXPIRES_AFTER_MS, '+inf'),
  )
  const last = new Map<string, string>()
  for (const member of members) {
    const [processId = '', fingerprint = ''] = member.split('|')
    last.set(processId, fingerprint) // ordered by time: the last report wins
  }
  return last
}

function contextOf(fingerprint: string): Buffer {
  return Buffer.from(`seal-check:${fingerprint}`)
}

// Cases in the store, filed under a keyed hash of their number.

import { z } from 'zod'
import { CASE_STATES, type CaseState } from '../domain/case.js'
import { CATEGORY_NAMES, type Category } from '../domain/signal.js'
import { IMAGE_SHARDS, keys } from './keys.js'
import { addCase, countPinTry } from './scripts/case-door.js'
import { withdrawCase } from './scripts/erase-images.js'
import type { Store } from './store.js'

export interface CaseRecord {
  readonly state: CaseState
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly category: Category | undefined
  /** The stretched PIN, base64. */
  readonly pin: string
  readonly withdrawnAtMs: number | undefined
  readonly withdrawnImages: number
}

export interface Withdrawal {
  readonly withdrawnAtMs: number
  readonly images: number
  /** The tombstones' revision; 0 when there was nothing to tell. */
  readonly revision: number
}

export interface Cases {
  add(caseId: string, record: CaseRecord): Promise<boolean>
  get(caseId: string): Promise<CaseRecord | undefined>
  countImages(caseId: string): Promise<number>
  withdraw(caseId: string, nowMs: number): Promise<Withdrawal | undefined>
  /** Counts a PIN before it is checked, so that many at once gain nothing. @returns tries so far, and for how long they count. */
  countPinTry(caseId: string, lockS: number): Promise<{ readonly tries: number; readonly lockedForS: number }>
  forgetPinTries(caseId: string): Promise<void>
  addToken(tokenHash: string, caseId: string, ttlS: number): Promise<void>
  caseOfToken(tokenHash: string): Promise<string | undefined>
}

const CaseJson = z.object({
  state: z.enum(CASE_STATES),
  createdAtMs: z.coerce.number().int(),
  expiresAtMs: z.coerce.number().int(),
  category: z.enum(CATEGORY_NAMES).optional(),
  pin: z.string(),
  withdrawnAtMs: z.coerce.number().int().optional(),
  withdrawnImages: z.coerce.number().int().default(0),
})

export function casesIn(store: Store): Cases {
  return {
    async add(caseId, { state, createdAtMs, expiresAtMs, category, pin }) {
      const fields = ['state', state, 'createdAtMs', createdAtMs, 'expiresAtMs', expiresAtMs, 'pin', pin]
      if (category !== undefined) fields.push('category', category)
      return Number(await store.write(addCase, [keys.case(caseId)], fields)) === 1
    },
    async get(caseId) {
      const fields = await store.ask((redis) => redis.hgetall(keys.case(caseId)))
      if (Object.keys(fields).length === 0) return undefined
      const { category, withdrawnAtMs, ...rest } = CaseJson.parse(fields)
      return { ...rest, category, withdrawnAtMs }
    },
    countImages: (caseId) => store.ask((redis) => redis.scard(keys.caseImages(caseId))),
    async withdraw(caseId, nowMs) {
      const reply = await store.write(
        withdrawCase,
        [keys.case(caseId), keys.caseImages(caseId), keys.revision, keys.changes],
        [nowMs, keys.prefix, IMAGE_SHARDS],
      )
      if (!Array.isArray(reply)) return undefined
      const [withdrawnAtMs, images, revision] = reply.map(Number)
      return { withdrawnAtMs: withdrawnAtMs ?? 0, images: images ?? 0, revision: revision ?? 0 }
    },
    async countPinTry(caseId, lockS) {
      const reply = await store.write(countPinTry, [keys.pinTries(caseId)], [lockS])
      const [tries, lockedForS] = Array.isArray(reply) ? reply.map(Number) : []
      return { tries: tries ?? 0, lockedForS: lockedForS ?? lockS }
    },
    async forgetPinTries(caseId) {
      await store.ask((redis) => redis.del(keys.pinTries(caseId)))
    },
    async addToken(tokenHash, caseId, ttlS) {
      await store.ask((redis) => redis.set(keys.caseToken(tokenHash), caseId, 'EX', ttlS))
    },
    async caseOfToken(tokenHash) {
      return (await store.ask((redis) => redis.get(keys.caseToken(tokenHash)))) ?? undefined
    },
  }
}

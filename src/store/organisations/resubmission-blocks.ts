// Keyed digests of what an organisation must not submit again, each until a time. No hash can be derived from them.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

/** A change for one picture. Written in the same step as the decision (`scripts/trust/put-trust.ts`). */
export interface BlockChange {
  /** Whose submissions are blocked: those of the organisation that submitted it, or of every case. */
  readonly holder: { readonly orgId: string } | 'cases'
  /** [16 bytes each] */
  readonly digests: readonly Buffer[]
  readonly atMs: number
  /** `undefined`: it may be submitted again. */
  readonly untilMs: number | undefined
}

export interface ResubmissionBlocks {
  /** Which of these digests are blocked for this holder, in their order. */
  among(holder: BlockChange['holder'], digests: readonly Buffer[], nowMs: number): Promise<boolean[]>
  /** Deletes the blocks of an organisation that have ended. Those of cases have appeals, and end with these (`Appeals.endBlocks`). */
  end(orgId: string, nowMs: number): Promise<void>
}

export function createResubmissionBlockStore(store: Store): ResubmissionBlocks {
  return {
    async among(holder, digests, nowMs) {
      if (digests.length === 0) return []
      const untils = await store.ask((redis) => redis.zmscore(blockKey(holder), ...digests))
      return untils.map((until) => until !== null && Number(until) > nowMs)
    },
    async end(orgId, nowMs) {
      await store.ask((redis) => redis.zremrangebyscore(keys.organisationBlocks(orgId), '-inf', nowMs))
    },
  }
}

/** The key of the sorted set of digests that are blocked for this holder. */
export function blockKey(holder: BlockChange['holder']): string {
  return holder === 'cases' ? keys.resubmissionBlocks : keys.organisationBlocks(holder.orgId)
}

// Keyed digests of what an organisation must not hand in again, each until a time. No bits: nobody reads a hash out of them.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

/** Of one picture. Written in the same step as the decision (`scripts/put-trust.ts`). */
export interface RefusalChange {
  /** Who must not hand it in: the organisation that did, or every case. */
  readonly holder: { readonly orgId: string } | 'cases'
  /** [16 bytes each] */
  readonly digests: readonly Buffer[]
  readonly atMs: number
  /** `undefined`: it may be handed in again. */
  readonly untilMs: number | undefined
}

export interface Refusals {
  /** Which of these digests stand against this holder, in their order. */
  among(holder: RefusalChange['holder'], digests: readonly Buffer[], nowMs: number): Promise<boolean[]>
}

export function createResubmissionBlockStore(store: Store): Refusals {
  return {
    async among(holder, digests, nowMs) {
      if (digests.length === 0) return []
      const untils = await store.ask((redis) => redis.zmscore(refusalKey(holder), ...digests))
      return untils.map((until) => until !== null && Number(until) > nowMs)
    },
  }
}

/** Where it is kept what this holder must not hand in. */
export function refusalKey(holder: RefusalChange['holder']): string {
  return holder === 'cases' ? keys.resubmissionBlocks : keys.invalidated(holder.orgId)
}

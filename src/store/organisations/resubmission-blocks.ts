// Keyed digests of what an organisation must not submit again, each until a time. No hash can be derived from them.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

/** A change for one picture. Written in the same step as the decision (`scripts/trust/put-trust.ts`). */
export interface RefusalChange {
  /** Whose submissions are blocked: those of the organisation that submitted it, or of every case. */
  readonly holder: { readonly orgId: string } | 'cases'
  /** [16 bytes each] */
  readonly digests: readonly Buffer[]
  readonly atMs: number
  /** `undefined`: it may be submitted again. */
  readonly untilMs: number | undefined
}

export interface Refusals {
  /** Which of these digests are blocked for this holder, in their order. */
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

/** The key of the sorted set of digests that are blocked for this holder. */
export function refusalKey(holder: RefusalChange['holder']): string {
  return holder === 'cases' ? keys.resubmissionBlocks : keys.invalidated(holder.orgId)
}

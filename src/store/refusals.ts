// Keyed digests of what an organisation must not hand in again, each until a time. No bits: nobody reads a hash out of them.

import { keys } from './keys.js'
import type { Store } from './store.js'

/** Of one picture of an organisation's banks. Written in the same step as the decision (`scripts/put-trust.ts`). */
export interface RefusalChange {
  readonly orgId: string
  /** [16 bytes each] */
  readonly digests: readonly Buffer[]
  readonly atMs: number
  /** `undefined`: it may be handed in again. */
  readonly untilMs: number | undefined
}

export interface Refusals {
  /** Which of these digests stand, in their order. */
  among(orgId: string, digests: readonly Buffer[], nowMs: number): Promise<boolean[]>
}

export function refusalsIn(store: Store): Refusals {
  return {
    async among(orgId, digests, nowMs) {
      const untils = await store.ask((redis) => redis.zmscore(keys.struck(orgId), ...digests))
      return untils.map((until) => until !== null && Number(until) > nowMs)
    },
  }
}

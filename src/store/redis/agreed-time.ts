// The time for decisions that cannot be undone, such as erasing an expired case. A single clock may be wrong, so the caller's clock and the store's
// must agree. On one machine both may be the same clock, so after a jump nothing expires for a while.

import { z } from 'zod'
import { agreeTime } from '../scripts/agree-time.js'
import type { Store } from './client.js'
import { keys } from './keys.js'

export type AgreedTime =
  /** `nowMs` [epoch ms]: the earlier of both clocks. `aheadMs`: the caller's clock minus the store's. */
  | { readonly kind: 'agreed'; readonly nowMs: number; readonly aheadMs: number }
  /** The store's clock jumped, or the last call is too long ago. Erase nothing until `waitMs` have passed without another jump. */
  | { readonly kind: 'jumped'; readonly waitMs: number }

/** A larger step between two calls counts as a jump. Longer than a restart or a failover takes, shorter than a wrong date. */
export const MAX_STEP_MS = 3_600_000
/** Nothing expires for this long after a jump: time to correct the clock or to stop the service. */
export const STEADY_FOR_MS = 3_600_000
/** Clocks further apart than this are reported. Clocks under NTP differ by far less. */
export const MAX_APART_MS = 60_000

const Reply = z.tuple([z.number(), z.number(), z.number()])

/**
 * Compares the caller's clock with the store's and records the store's.
 * @param ownMs [epoch ms] the caller's clock.
 * @throws {Problem} store-unavailable
 */
export async function agreeOnTime(store: Store, ownMs: number): Promise<AgreedTime> {
  const reply = await store.write(agreeTime, [keys.agreedTime], [Math.floor(ownMs), MAX_STEP_MS])
  const [nowMs, storeMs, steadyMs] = Reply.parse(reply)
  if (steadyMs >= 0 && steadyMs < STEADY_FOR_MS) return { kind: 'jumped', waitMs: STEADY_FOR_MS - steadyMs }
  return { kind: 'agreed', nowMs, aheadMs: ownMs - storeMs }
}

// What time it is, for what cannot be undone: a case that expires is erased. One clock alone may be wrong, so what is due has to be due by the
// caller's clock and by the store's; and where both are one clock, on one machine, a jump is waited out.

import { z } from 'zod'
import { agreeTime } from '../scripts/agree-time.js'
import type { Store } from './client.js'
import { keys } from './keys.js'

export type AgreedTime =
  /** `nowMs`: the earlier of both clocks. */
  | { readonly kind: 'agreed'; readonly nowMs: number; readonly aheadMs: number }
  /** The store's clock jumped, or nobody asked for long; nothing is to be erased before `waitMs` have passed without another jump. */
  | { readonly kind: 'jumped'; readonly waitMs: number }

/** Between two runs. Longer than a restart or a failover takes, and shorter than a wrong date. */
export const MAX_STEP_MS = 3_600_000
/** Time for a clock that was set wrong to be set right, or for an operator to stop the service. */
export const STEADY_FOR_MS = 3_600_000
/** Clocks that are kept right by NTP differ by far less. */
export const MAX_APART_MS = 60_000

const Reply = z.tuple([z.number(), z.number(), z.number()])

/** @param ownMs the caller's clock. */
export async function agreeOnTime(store: Store, ownMs: number): Promise<AgreedTime> {
  const reply = await store.write(agreeTime, [keys.agreedTime], [Math.floor(ownMs), MAX_STEP_MS])
  const [nowMs, storeMs, steadyMs] = Reply.parse(reply)
  if (steadyMs >= 0 && steadyMs < STEADY_FOR_MS) return { kind: 'jumped', waitMs: STEADY_FOR_MS - steadyMs }
  return { kind: 'agreed', nowMs, aheadMs: ownMs - storeMs }
}

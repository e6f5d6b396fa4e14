// The time by which irreversible things, such as the expiry of a case, are due. It agrees with two clocks.

import { agreeOnTime, MAX_APART_MS } from '../../store/redis/agreed-time.js'
import type { Store } from '../../store/redis/client.js'

/**
 * @returns [epoch ms] the earlier of this process's time and the store's. `undefined` after the store's clock jumped: then nothing may expire.
 * @throws {Problem} store-unavailable
 */
export type DueTime = (store: Store) => Promise<number | undefined>

const AHEAD =
  "This process's clock is more than a minute ahead of Redis's. Cases and watches end by the earlier of the two. Set the clocks right."
const JUMPED =
  "Redis's clock jumped by more than an hour, or no process checked it for that long. No case and no watch ends before it has run on for an hour. If the date is wrong, correct it now."

/** @param warn called with one line for the operator when a clock goes wrong. Not repeated while the same clock stays wrong. */
export function createDueTime(now: () => number, warn: (line: string) => void): DueTime {
  let warned: string | undefined
  return async (store) => {
    const time = await agreeOnTime(store, now())
    const isAhead = time.kind === 'agreed' && time.aheadMs > MAX_APART_MS
    const line = time.kind === 'jumped' ? JUMPED : isAhead ? AHEAD : undefined
    if (line !== undefined && line !== warned) warn(line)
    warned = line
    return time.kind === 'jumped' ? undefined : time.nowMs
  }
}

// The times that decide. No process decides by its own clock alone what cannot be undone, or what all processes count together:
// - `DueTime`, the earlier of two clocks: what ends, is erased or is announced as missed;
// - `laterTime`, the later of two clocks: until when a case is kept;
// - `StoreTime`, the clock that all processes share: when a deadline starts, and in which hour a match counts.
// test/clocks.test.ts lists every other use of a clock.

import { agreeOnTime, MAX_APART_MS } from '../../store/redis/agreed-time.js'
import type { Store } from '../../store/redis/client.js'
import { storeTimeMs } from '../../store/redis/store-time.js'

/**
 * @returns [epoch ms] the earlier of this process's time and the store's. `undefined` after the store's clock jumped: then nothing may expire.
 * @throws {Problem} store-unavailable
 */
export type DueTime = (store: Store) => Promise<number | undefined>

/** @returns [epoch ms] the store's time. @throws {Problem} store-unavailable */
export type StoreTime = () => Promise<number>

export function createStoreTime(store: Store): StoreTime {
  return () => store.ask(storeTimeMs)
}

/** @returns `nowMs`, or the store's time if that is more than a minute later. @throws {Problem} store-unavailable */
export async function laterTime(storeTime: StoreTime, nowMs: number): Promise<number> {
  const storeMs = await storeTime()
  return storeMs - nowMs > MAX_APART_MS ? storeMs : nowMs
}

const AHEAD =
  "This process's clock is more than a minute ahead of Redis's. What expires ends by the earlier of the two. Set the clocks right."
const JUMPED =
  "Redis's clock jumped by more than an hour, or no process checked it for that long. Nothing expires and no missed deadline is announced before it has run on for an hour. If the date is wrong, correct it now."

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

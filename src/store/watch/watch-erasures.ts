// Counts what was deleted and is still in old lines of Redis's append-only file, sealed. Works without a seal key.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { settleErasedWatches } from '../scripts/organisations/watches.js'

export interface WatchErasures {
  /** How many watches and withdrawn hashes there are. */
  count(): Promise<number>
  /** How many signals of banks, forgotten cases and contexts there are; 0 for a day after a rewrite for them, which anybody with a bank can cause. */
  countToday(): Promise<number>
  /** Call these after a rewrite of the append-only file that began after the count was read. */
  settle(count: number): Promise<void>
  settleToday(count: number): Promise<void>
}

const DAY_S = 86_400

export function createWatchErasureStore(store: Store): WatchErasures {
  return {
    count: () => store.ask(async (redis) => Number((await redis.get(keys.watchErased)) ?? 0)),
    async settle(count) {
      await store.write(settleErasedWatches, [keys.watchErased], [count])
    },
    countToday: () =>
      store.ask(async (redis) => {
        const [erased, isDone] = await redis.mget(keys.erased, keys.erasedToday)
        return isDone === null ? Number(erased ?? 0) : 0
      }),
    async settleToday(count) {
      await store.write(settleErasedWatches, [keys.erased], [count])
      await store.ask((redis) => redis.set(keys.erasedToday, '1', 'EX', DAY_S))
    },
  }
}

// Watches that were erased and whose bits are still in old lines of Redis's log, sealed. For those who have no seal key.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { settleErasedWatches } from '../scripts/organisations/watches.js'

export interface WatchErasures {
  /** How many there are. */
  count(): Promise<number>
  /** To be told when the log has been written anew by a rewrite that began after `count`. */
  settle(count: number): Promise<void>
}

export function createWatchErasureStore(store: Store): WatchErasures {
  return {
    count: () => store.ask(async (redis) => Number((await redis.get(keys.watchErased)) ?? 0)),
    async settle(count) {
      await store.write(settleErasedWatches, [keys.watchErased], [count])
    },
  }
}

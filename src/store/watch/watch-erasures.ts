// Counts erased watches whose sealed records are still in old lines of Redis's append-only file. Works without a seal key.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { settleErasedWatches } from '../scripts/organisations/watches.js'

export interface WatchErasures {
  /** How many there are. */
  count(): Promise<number>
  /** Call it after a rewrite of the append-only file that began after `count` was read. */
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

// The day on which each key was last used. Only the day: enough to find unused keys, too little to follow anybody.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

export interface KeyUses {
  /** @param day `YYYY-MM-DD`, UTC. */
  note(keyId: string, day: string): Promise<void>
  /** Day by key id. */
  all(): Promise<ReadonlyMap<string, string>>
}

export function createKeyUseStore(store: Store): KeyUses {
  return {
    async note(keyId, day) {
      await store.ask((redis) => redis.hset(keys.apiKeyUses, keyId, day))
    },
    async all() {
      return new Map(Object.entries(await store.ask((redis) => redis.hgetall(keys.apiKeyUses))))
    },
  }
}

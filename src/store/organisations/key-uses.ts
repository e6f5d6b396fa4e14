// On which day a key was last used. A day and no time: enough to find the keys that nobody needs, too little to follow anybody.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

export interface KeyUses {
  /** @param day of RFC 3339, UTC. */
  note(keyId: string, day: string): Promise<void>
  /** Key id → day. */
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

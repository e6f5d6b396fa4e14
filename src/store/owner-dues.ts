// When signals that their owner paused match again. Written with the pause itself (`scripts/put-trust.ts`), so it names none that is not.

import { formatUuid } from '../domain/ids.js'
import { keys } from './keys.js'
import type { Store } from './store.js'

export interface OwnerDues {
  /** Those that are due, the first ones first. */
  due(nowMs: number, limit: number): Promise<string[]>
}

export function ownerDuesIn(store: Store): OwnerDues {
  return {
    async due(nowMs, limit) {
      const ids = await store.ask((redis) => redis.zrangebyscoreBuffer(keys.ownerDues, 0, nowMs, 'LIMIT', 0, limit))
      return ids.map((id) => formatUuid(id))
    },
  }
}

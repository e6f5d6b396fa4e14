// When signals that their owner holds for a time match again.

import { formatUuid, parseUuid } from '../domain/ids.js'
import { keys } from './keys.js'
import type { Store } from './store.js'

export interface OwnerDues {
  set(imageId: string, dueMs: number): Promise<void>
  /** Those that are due, the first ones first. */
  due(nowMs: number, limit: number): Promise<string[]>
  remove(imageId: string): Promise<void>
}

export function ownerDuesIn(store: Store): OwnerDues {
  return {
    async set(imageId, dueMs) {
      await store.ask((redis) => redis.zadd(keys.ownerDues, dueMs, bytesOf(imageId)))
    },
    async due(nowMs, limit) {
      const ids = await store.ask((redis) => redis.zrangebyscoreBuffer(keys.ownerDues, 0, nowMs, 'LIMIT', 0, limit))
      return ids.map((id) => formatUuid(id))
    },
    async remove(imageId) {
      await store.ask((redis) => redis.zrem(keys.ownerDues, bytesOf(imageId)))
    },
  }
}

function bytesOf(imageId: string): Buffer {
  const bytes = parseUuid(imageId)
  if (bytes === undefined) throw new RangeError('an image id is a UUID')
  return Buffer.from(bytes)
}

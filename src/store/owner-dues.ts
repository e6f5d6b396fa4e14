// When signals that their owner holds for a time match again.

import { formatUuid, parseUuid } from '../domain/ids.js'
import type { PagePlace } from '../domain/page-place.js'
import { keys } from './keys.js'
import { pageOfSorted, placeOf } from './paging.js'
import type { Store } from './store.js'

export interface OwnerDue {
  readonly place: PagePlace
  /** `undefined` when it is no id. */
  readonly imageId: string | undefined
}

export interface OwnerDues {
  set(imageId: string, dueMs: number): Promise<void>
  /** A page of those that are due, the first ones first. */
  due(nowMs: number, after: PagePlace | undefined, limit: number): Promise<OwnerDue[]>
  remove(imageId: string): Promise<void>
  /** Removes what is no id. */
  discard(due: OwnerDue): Promise<void>
}

const ID_BYTES = 16

export function ownerDuesIn(store: Store): OwnerDues {
  return {
    async set(imageId, dueMs) {
      await store.ask((redis) => redis.zadd(keys.ownerDues, dueMs, bytesOf(imageId)))
    },
    async due(nowMs, after, limit) {
      const page = await pageOfSorted(store, keys.ownerDues, { to: nowMs, after, limit })
      return page.map((entry) => {
        const { member } = entry
        return { place: placeOf(entry), imageId: member.length === ID_BYTES ? formatUuid(member) : undefined }
      })
    },
    async remove(imageId) {
      await store.ask((redis) => redis.zrem(keys.ownerDues, bytesOf(imageId)))
    },
    async discard({ place }) {
      await store.ask((redis) => redis.zrem(keys.ownerDues, Buffer.from(place.member, 'hex')))
    },
  }
}

function bytesOf(imageId: string): Buffer {
  const bytes = parseUuid(imageId)
  if (bytes === undefined) throw new RangeError('an image id is a UUID')
  return Buffer.from(bytes)
}

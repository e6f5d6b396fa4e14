// When paused signals match again. Written in the same step as the pause (`scripts/trust/put-trust.ts`), so every entry belongs to a pause.

import { formatUuid } from '../../../packages/core/src/ids.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { cursorOf, pageOfSorted } from '../redis/paging.js'
import { discardDue } from '../scripts/images/discard-due.js'

export interface DueHold {
  readonly cursor: PageCursor
  /** `undefined` when the entry is not an id. */
  readonly imageId: string | undefined
}

export interface HoldSchedule {
  /** A page of the pauses that have ended, the oldest first. */
  due(nowMs: number, after: PageCursor | undefined, limit: number): Promise<DueHold[]>
  /** Removes an entry, unless it is due at another time by now. */
  discard(due: DueHold): Promise<void>
}

const ID_BYTES = 16

export function createHoldSchedule(store: Store): HoldSchedule {
  return {
    async due(nowMs, after, limit) {
      const page = await pageOfSorted(store, keys.holdSchedule, { to: nowMs, after, limit })
      return page.map((entry) => {
        const { member } = entry
        return { cursor: cursorOf(entry), imageId: member.length === ID_BYTES ? formatUuid(member) : undefined }
      })
    },
    async discard({ cursor: place }) {
      await store.write(discardDue, [keys.holdSchedule], [Buffer.from(place.member, 'hex'), place.score])
    },
  }
}

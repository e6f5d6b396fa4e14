// Which cases end soon, and telling the organisations that assist them.

import type { PageCursor } from '../../domain/page-cursor.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { cursorOf, pageOfSorted } from '../redis/paging.js'
import { tellEndOfCase } from '../scripts/cases/remind.js'
import type { DueCase } from './cases.js'

export interface CaseReminderStore {
  /** A page of the cases whose next step is due after `afterMs` and by `untilMs`. Ended cases, which are forgotten then, are among them. */
  ending(afterMs: number, untilMs: number, after: PageCursor | undefined, limit: number): Promise<DueCase[]>
  /**
   * Tells the organisations that assist the case of its end, unless they were told of this end, or it is no longer the end. Durable when it returns.
   * @returns how many organisations are told now.
   */
  tell(caseId: string, endMs: number, nowMs: number): Promise<number>
}

export function createCaseReminderStore(store: Store): CaseReminderStore {
  return {
    async ending(afterMs, untilMs, after, limit) {
      const page = await pageOfSorted(store, keys.caseSchedule, { from: `(${afterMs}`, to: untilMs, after, limit })
      return page.map((entry) => ({ cursor: cursorOf(entry), caseId: entry.member.toString('utf8') }))
    },
    async tell(caseId, endMs, nowMs) {
      return Number(await store.write(tellEndOfCase, [keys.case(caseId)], [caseId, endMs, nowMs, keys.prefix]))
    },
  }
}

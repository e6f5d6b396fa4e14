// Tells organisations which of the cases that they assist end soon. The person herself has no address here: her page shows the date.

import { allows, REMIND_BEFORE_MS, remindAtMs } from '../../domain/cases/case.js'
import type { CaseReminderStore } from '../../store/cases/case-reminders.js'
import type { Cases, DueCase } from '../../store/cases/cases.js'
import { type DueError, forEachDue } from '../load/each-due.js'

export interface CaseReminderParts {
  readonly cases: Pick<Cases, 'get'>
  readonly reminders: CaseReminderStore
  /**
   * The time by which reminders are due. `undefined` while clocks disagree: a reminder that was sent too early is not repeated, and would be forgotten
   * until the end comes.
   */
  readonly dueUntilMs: () => Promise<number | undefined>
  /** Called when some cases failed; the next run tries them again. */
  readonly onError: (error: DueError) => void
}

export interface CaseReminders {
  /** Tells of all cases that end soon and whose end was not told. Safe to repeat and to run concurrently. @returns how many messages. */
  remind(): Promise<number>
}

const PAGE = 100
/** Reads and writes that share a wait for the disk. */
const TOLD_AT_ONCE = 50

/**
 * Each run reads every case that ends within `REMIND_BEFORE_MS`, so nothing depends on when the last run was, on clocks that were stepped between
 * two runs, or on the version that opened the case.
 */
export function createCaseReminders({ cases, reminders, dueUntilMs, onError }: CaseReminderParts): CaseReminders {
  return {
    async remind() {
      const nowMs = await dueUntilMs()
      if (nowMs === undefined) return 0
      let told = 0
      await forEachDue<DueCase>({
        what: 'cases that end soon',
        take: (after) => reminders.ending(nowMs, nowMs + REMIND_BEFORE_MS, after?.cursor, PAGE),
        async handle({ caseId }) {
          const record = await cases.get(caseId)
          if (record === undefined || !allows('renew', record.state)) return
          const { expiresAtMs, toldEndMs } = record
          if (toldEndMs === expiresAtMs || expiresAtMs <= nowMs || remindAtMs(record) > nowMs) return
          const now = await reminders.tell(caseId, expiresAtMs, nowMs)
          told += now
        },
        atOnce: TOLD_AT_ONCE,
        onError,
      })
      return told
    },
  }
}

// What the clock does to cases: they expire, their bits leave the disk, and in the end they are forgotten. Bits of erased watches leave with them.

import type { Cases } from '../store/cases.js'
import type { LogRewrite } from '../store/log-rewrite.js'
import type { WatchErasures } from '../store/watch-erasures.js'

export interface CaseKeeping {
  /** Expires and forgets all whose time has come. Safe to run twice, and beside itself. */
  expire(): Promise<{ readonly expired: number; readonly forgotten: number }>
  /**
   * Has the log rewritten, once for all cases that have ended and all watches that were erased, and then calls these erased. Does nothing when there
   * are none.
   * @returns how many are erased now, of both; `undefined` when this Redis does not let its log be rewritten.
   * @throws {Error} when the rewrite failed: they stay to be erased.
   */
  erase(): Promise<number | undefined>
}

export interface CaseKeepingParts {
  readonly cases: Pick<Cases, 'due' | 'end' | 'forget' | 'toBeErased' | 'markErased'>
  readonly watches: WatchErasures
  readonly rewriteLog: () => Promise<LogRewrite>
  readonly now: () => number
}

const BATCH = 100

export function caseKeepingOver({ cases, watches, rewriteLog, now }: CaseKeepingParts): CaseKeeping {
  return {
    async expire() {
      const nowMs = now()
      const done = { expired: 0, forgotten: 0 }
      for (;;) {
        const due = await cases.due(nowMs, BATCH)
        const before = done.expired + done.forgotten
        for (const caseId of due) {
          if (await cases.forget(caseId, nowMs)) done.forgotten += 1
          else if ((await cases.end(caseId, 'expired', nowMs))?.state === 'expired') done.expired += 1
        }
        // What is still due although nothing could be done about it would be due for ever.
        if (due.length < BATCH || done.expired + done.forgotten === before) return done
      }
    },

    async erase() {
      // Before the rewrite begins: those that end later have lines in the new log.
      const ended = await cases.toBeErased(now())
      const erased = await watches.count()
      if (ended.length === 0 && erased === 0) return 0
      if ((await rewriteLog()) === 'not-allowed') return undefined
      for (const caseId of ended) await cases.markErased(caseId, now())
      if (erased > 0) await watches.settle(erased)
      return ended.length + erased
    },
  }
}

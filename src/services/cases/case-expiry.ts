// What the clock does to cases: they expire, their bits leave the disk, and in the end they are forgotten. Bits of erased watches leave with them.

import type { Cases, DueCase } from '../../store/cases/cases.js'
import type { LogRewrite } from '../../store/upkeep/log-rewrite.js'
import type { WatchErasures } from '../../store/watch/watch-erasures.js'
import { type DueError, forEachDue } from '../load/each-due.js'

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
  /** Until when what expires is due; `undefined` while nothing may. Never one clock alone: an expiry erases, and is not undone. */
  readonly dueUntilMs: () => Promise<number | undefined>
  /** For what was erased already. */
  readonly now: () => number
  /** Told of cases that could not be dealt with; they are tried again. */
  readonly onError?: (error: DueError) => void
}

const PAGE = 100
/** Cases that one rewrite of the log is for; their ids are held in memory meanwhile. What is more waits for the next. */
const MAX_ERASED_AT_ONCE = 100_000

export function createCaseExpiry({
  cases,
  watches,
  rewriteLog,
  dueUntilMs,
  now,
  onError = () => {},
}: CaseKeepingParts): CaseKeeping {
  async function endedBy(untilMs: number): Promise<DueCase[]> {
    const ended: DueCase[] = []
    while (ended.length < MAX_ERASED_AT_ONCE) {
      const page = await cases.toBeErased(untilMs, ended.at(-1)?.place, PAGE)
      if (page.length === 0) break
      ended.push(...page)
    }
    return ended
  }

  return {
    async expire() {
      const nowMs = await dueUntilMs()
      const count = { expired: 0, forgotten: 0 }
      if (nowMs === undefined) return count
      await forEachDue<DueCase>({
        what: 'cases to expire or to forget',
        take: (after) => cases.due(nowMs, after?.place, PAGE),
        async handle({ caseId }) {
          if (await cases.forget(caseId, nowMs)) count.forgotten += 1
          else if ((await cases.end(caseId, 'expired', nowMs))?.state === 'expired') count.expired += 1
        },
        onError: onError,
      })
      return count
    },

    async erase() {
      // Before the rewrite begins: those that end later have lines in the new log.
      const ended = await endedBy(now())
      const erased = await watches.count()
      if (ended.length === 0 && erased === 0) return 0
      if ((await rewriteLog()) === 'not-allowed') return undefined
      const { done } = await forEachDue<DueCase>({
        what: 'cases to call erased',
        take: ended,
        handle: ({ caseId }) => cases.markErased(caseId, now()),
        onError: onError,
      })
      if (erased > 0) await watches.settle(erased)
      return done + erased
    },
  }
}

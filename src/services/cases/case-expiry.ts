// Expires cases, ends those whose end was wished, erases the bits of ended cases and watches from the disk, and finally forgets the cases.

import type { Cases, DueCase } from '../../store/cases/cases.js'
import type { LogRewrite } from '../../store/upkeep/log-rewrite.js'
import type { WatchErasures } from '../../store/watch/watch-erasures.js'
import { type DueError, forEachDue } from '../load/each-due.js'

export interface CaseKeeping {
  /** Expires and forgets all cases that are due. Safe to repeat and to run concurrently. */
  expire(): Promise<{ readonly expired: number; readonly forgotten: number }>
  /**
   * Has Redis rewrite its log, once for all ended cases and erased watches, and at most once a day for anything else that was erased; then marks these
   * as erased. Does nothing if there are none.
   * @returns the number of things erased now; `undefined` if this Redis does not allow a rewrite of its log.
   * @throws {Error} if the rewrite failed: the next call tries again.
   */
  erase(): Promise<number | undefined>
}

export interface CaseKeepingParts {
  readonly cases: Pick<Cases, 'due' | 'end' | 'forget' | 'toBeErased' | 'markErased'>
  readonly watches: WatchErasures
  readonly rewriteLog: () => Promise<LogRewrite>
  /** The time up to which cases expire. `undefined` while clocks disagree: then nothing may expire, because an expiry cannot be undone. */
  readonly dueUntilMs: () => Promise<number | undefined>
  /** The time of erasures. One clock is enough: an erasure follows an end that was already decided. */
  readonly now: () => number
  /** Called when some cases failed; the next run tries them again. */
  readonly onError?: (error: DueError) => void
}

const PAGE = 100
/** Cases per rewrite of the log; their ids are held in memory meanwhile. Further cases wait for the next rewrite. */
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
      const page = await cases.toBeErased(untilMs, ended.at(-1)?.cursor, PAGE)
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
        take: (after) => cases.due(nowMs, after?.cursor, PAGE),
        async handle({ caseId }) {
          if (await cases.forget(caseId, nowMs)) count.forgotten += 1
          else if ((await cases.end(caseId, 'expired', nowMs))?.state === 'expired') count.expired += 1
          // Due before its expiry: somebody wished its end, and nobody stopped that.
          else await cases.end(caseId, 'wished', nowMs)
        },
        onError,
      })
      return count
    },

    async erase() {
      // Listed before the rewrite begins: the new log may still contain cases that end later.
      const ended = await endedBy(now())
      const [erased, others] = await Promise.all([watches.count(), watches.countToday()])
      if (ended.length === 0 && erased === 0 && others === 0) return 0
      if ((await rewriteLog()) === 'not-allowed') return undefined
      const { done } = await forEachDue<DueCase>({
        what: 'cases to mark as erased',
        take: ended,
        handle: ({ caseId }) => cases.markErased(caseId, now()),
        onError,
      })
      if (erased > 0) await watches.settle(erased)
      if (others > 0) await watches.settleToday(others)
      return done + erased + others
    },
  }
}

// Counts queries and decisions by day and organisation. Counts are kept in memory and written every few seconds. A crash loses only those.

import { COUNTED_DAYS, type DailyCount } from '../../domain/trust/daily-counts.js'
import type { Counts, DailyCounts as DailyCountStore } from '../../store/trust/daily-counts.js'
import type { QueryResult } from '../matching/match.js'
import type { Matcher } from '../matching/matcher.js'
import type { VideoMatcher } from '../matching/video/video-matcher.js'
import type { TrustChange } from './trust-changes.js'

export interface DailyStatistics {
  /** Date in UTC, as in RFC 3339: `2026-01-31`. */
  readonly day: string
  readonly counts: Counts
}

export interface DailyCounts {
  /** Wraps a matcher, to count its answers. */
  counted(matcher: Matcher): Matcher
  countedVideos(matcher: VideoMatcher): VideoMatcher
  /** Counts what an organisation decided about a match. */
  said(change: TrustChange): void
  /**
   * Statistics of the last days, oldest first, today last.
   * @param orgId `undefined` for the sum of all organisations.
   * @param days 1…`COUNTED_DAYS`.
   * @throws {RangeError} for other `days`.
   */
  days(orgId: string | undefined, days: number): Promise<DailyStatistics[]>
  /** Writes the counts so far to the store. */
  flush(): Promise<void>
  /** Stops the timer, and writes the counts so far. */
  close(): Promise<void>
}

export interface DailyCountParts {
  readonly dailyCounts: DailyCountStore
  readonly intervalMs: number
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

const DAY_MS = 86_400_000

export function createDailyCounts({ dailyCounts, intervalMs, now, onError }: DailyCountParts): DailyCounts {
  // Invariant: the counts, by organisation, that have not been passed to the store.
  let waiting = new Map<string, Map<DailyCount, number>>()
  let last: Promise<void> = Promise.resolve()

  const note = (orgId: string, dailyCount: DailyCount, count = 1) => {
    if (count === 0) return
    const counts = waiting.get(orgId) ?? new Map<DailyCount, number>()
    waiting.set(orgId, counts)
    counts.set(dailyCount, (counts.get(dailyCount) ?? 0) + count)
  }
  const noteAnswers = (orgId: string, asked: 'pictures' | 'videos', answers: readonly QueryResult[]) => {
    note(orgId, asked, answers.length)
    for (const { matches } of answers) {
      if (matches.some(({ grade }) => grade !== 'review')) note(orgId, 'found')
      for (const { grade, distanceBand } of matches) {
        note(orgId, `grade:${grade}`)
        note(orgId, `distance:${distanceBand}`)
      }
    }
  }
  const flush = () => {
    if (waiting.size === 0) return last
    const batch = waiting
    waiting = new Map()
    // A batch written just after midnight counts for the new day, although a part of it is from the day before.
    last = last.then(() => dailyCounts.add(dayOf(now()), batch)).catch(onError)
    return last
  }
  const timer = setInterval(flush, intervalMs).unref()

  return {
    counted: (matcher) => ({
      ...matcher,
      async match(pictures, options) {
        const answers = await matcher.match(pictures, options)
        noteAnswers(options.orgId, 'pictures', answers)
        return answers
      },
    }),
    countedVideos: (matcher) => ({
      async matchVideos(videos, options) {
        const answers = await matcher.matchVideos(videos, options)
        noteAnswers(options.orgId, 'videos', answers)
        return answers
      },
    }),
    said({ action, orgId, before, after }) {
      if (orgId === undefined || before === after) return
      if (action.kind === 'verdict') note(orgId, `verdict:${action.verdict}`)
      if (action.kind === 'dispute') note(orgId, 'verdict:disputed')
    },
    async days(orgId, days) {
      if (!Number.isInteger(days) || days < 1 || days > COUNTED_DAYS) throw new RangeError(`days are 1…${COUNTED_DAYS}`)
      const nowMs = now()
      const names = Array.from({ length: days }, (_, k) => dayOf(nowMs - (days - 1 - k) * DAY_MS))
      const found = await dailyCounts.of(orgId, names)
      return names.map((day, k) => ({ day, counts: found[k] ?? new Map() }))
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

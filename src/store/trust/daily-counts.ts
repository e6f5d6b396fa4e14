// Daily statistics: counts by day, of each organisation and of all together.

import { COUNTED_DAYS, DAILY_COUNTS, type DailyCount } from '../../domain/trust/daily-counts.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

export type Counts = ReadonlyMap<DailyCount, number>

export interface DailyCounts {
  /** Not on disk when it returns: a crash may lose some of it, which statistics tolerate. @param day `YYYY-MM-DD`, UTC. */
  add(day: string, byOrg: ReadonlyMap<string, Counts>): Promise<void>
  /** The counts of one organisation, or of all together, one map for each day. A day without counts is an empty map. */
  of(orgId: string | undefined, days: readonly string[]): Promise<Counts[]>
}

const TTL_S = (COUNTED_DAYS + 1) * 86_400
/** Stands for all organisations together. No organisation has this id. */
const ALL = 'all'

export function createDailyCountStore(store: Store): DailyCounts {
  return {
    async add(day, byOrg) {
      const key = keys.dailyCounts(day)
      await store.ask(async (redis) => {
        const pipeline = redis.pipeline()
        for (const [orgId, counts] of byOrg) {
          for (const [dailyCount, count] of counts) {
            pipeline.hincrby(key, fieldOf(orgId, dailyCount), count)
            pipeline.hincrby(key, fieldOf(ALL, dailyCount), count)
          }
        }
        const replies = (await pipeline.expire(key, TTL_S).exec()) ?? []
        const failed = replies.find(([error]) => error !== null)?.[0]
        if (failed) throw failed
      })
    },
    async of(orgId = ALL, days) {
      const fields = DAILY_COUNTS.map((dailyCount) => fieldOf(orgId, dailyCount))
      const found = await store.ask((redis) => Promise.all(days.map((day) => redis.hmget(keys.dailyCounts(day), ...fields))))
      return found.map(
        (values) =>
          new Map(
            DAILY_COUNTS.flatMap((dailyCount, k) => {
              const value = values[k] ?? null
              return value === null ? [] : [[dailyCount, Number(value)] as const]
            }),
          ),
      )
    },
  }
}

function fieldOf(orgId: string, dailyCount: DailyCount): string {
  return `${orgId} ${dailyCount}`
}

// Counts by day, of each organisation and of all.

import { TALLIED_DAYS, TALLIES, type Tally } from '../../domain/trust/tally.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

export type Counts = ReadonlyMap<Tally, number>

export interface Tallies {
  /** Not on disk when it returns: these are counts for people to look at. @param day of RFC 3339, UTC. */
  add(day: string, byOrg: ReadonlyMap<string, Counts>): Promise<void>
  /** Of one organisation, or of all together; a day without any is empty. */
  of(orgId: string | undefined, days: readonly string[]): Promise<Counts[]>
}

const TTL_S = (TALLIED_DAYS + 1) * 86_400
/** In place of an organisation: all together. No organisation has this id. */
const ALL = 'all'

export function talliesIn(store: Store): Tallies {
  return {
    async add(day, byOrg) {
      const key = keys.tallies(day)
      await store.ask(async (redis) => {
        const pipeline = redis.pipeline()
        for (const [orgId, counts] of byOrg) {
          for (const [tally, count] of counts) {
            pipeline.hincrby(key, fieldOf(orgId, tally), count)
            pipeline.hincrby(key, fieldOf(ALL, tally), count)
          }
        }
        const replies = (await pipeline.expire(key, TTL_S).exec()) ?? []
        const failed = replies.find(([error]) => error !== null)?.[0]
        if (failed) throw failed
      })
    },
    async of(orgId = ALL, days) {
      const fields = TALLIES.map((tally) => fieldOf(orgId, tally))
      const found = await store.ask((redis) => Promise.all(days.map((day) => redis.hmget(keys.tallies(day), ...fields))))
      return found.map(
        (values) =>
          new Map(
            TALLIES.flatMap((tally, k) => {
              const value = values[k] ?? null
              return value === null ? [] : [[tally, Number(value)] as const]
            }),
          ),
      )
    },
  }
}

function fieldOf(orgId: string, tally: Tally): string {
  return `${orgId} ${tally}`
}

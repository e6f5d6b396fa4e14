// Which webhooks fail, missed events or have something waiting.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

export interface EndpointHealth {
  readonly failures: number
  readonly failingSinceMs: number | undefined
  /** Since when events could not wait and are not told yet; `undefined` when there are none. */
  readonly missedSinceMs: number | undefined
}

export interface EndpointStates {
  health(webhookId: string): Promise<EndpointHealth>
  /** At most 100 webhooks whose last delivery failed, those that have failed longest first. */
  failing(): Promise<{ readonly webhookId: string; readonly failingSinceMs: number }[]>
  /** At most 100 webhooks with missed events that are not told yet, by since when, the longest first. */
  missing(): Promise<{ readonly webhookId: string; readonly missedSinceMs: number }[]>
  /** Whether any delivery, or missed event, waits for this webhook. */
  isWaiting(webhookId: string): Promise<boolean>
}

const MAX_LISTED = 100

export function endpointStatesIn(store: Store): EndpointStates {
  /** The first webhooks of a sorted set, with their scores. */
  const first = async (key: string) => {
    const found = await store.ask((redis) => redis.zrange(key, '0', String(MAX_LISTED - 1), 'WITHSCORES'))
    return Array.from({ length: found.length / 2 }, (_, i) => [found[2 * i] ?? '', Number(found[2 * i + 1])] as const)
  }
  return {
    async health(webhookId) {
      const [[failures, failingSinceMs], missedSinceMs] = await store.ask((redis) =>
        Promise.all([
          redis.hmget(keys.webhookHealth(webhookId), 'failures', 'failingSinceMs'),
          redis.zscore(keys.webhookMissed, webhookId),
        ]),
      )
      const timeOf = (text: string | null | undefined) => (text ? Number(text) : undefined)
      return {
        failures: Number(failures ?? 0),
        failingSinceMs: timeOf(failingSinceMs),
        missedSinceMs: timeOf(missedSinceMs),
      }
    },
    failing: async () =>
      (await first(keys.webhookFailing)).map(([webhookId, failingSinceMs]) => ({ webhookId, failingSinceMs })),
    missing: async () =>
      (await first(keys.webhookMissed)).map(([webhookId, missedSinceMs]) => ({ webhookId, missedSinceMs })),
    async isWaiting(webhookId) {
      const [queues, missed] = await store.ask((redis) =>
        Promise.all([redis.exists(keys.webhookSubjectQueues(webhookId)), redis.zscore(keys.webhookMissed, webhookId)]),
      )
      return queues === 1 || missed !== null
    },
  }
}

// Reads what webhooks have to be notified of: the outbox, which scripts write, and the events after a cursor.

import type { Redis } from 'ioredis'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { pageOfStream } from '../redis/paging.js'
import { storeTimeMs } from '../redis/store-time.js'
import type { OutboxEntry } from './deliveries.js'

const BATCH = 50

/**
 * Waits for entries, at most `blockMs`. Entries are returned again until `Deliveries.make` has removed them.
 * @param redis a connection for this alone: it blocks.
 * @param eventCursor the id of the last event that was turned into deliveries.
 * @returns up to `BATCH` entries of each source, in order.
 */
export async function readOutbox(redis: Redis, eventCursor: string, blockMs: number): Promise<OutboxEntry[]> {
  const reply = await redis.xreadBuffer(
    'COUNT',
    BATCH,
    'BLOCK',
    blockMs,
    'STREAMS',
    keys.webhookOutbox,
    keys.events,
    '0',
    eventCursor,
  )
  return (reply ?? []).flatMap(([stream, entries]) =>
    entries.map(([id, flat]) => ({
      source: stream.toString() === keys.webhookOutbox ? ('outbox' as const) : ('events' as const),
      id: id.toString(),
      fields: fieldsOf(flat),
    })),
  )
}

/** How long the oldest entry has waited to be turned into deliveries, by Redis's clock; 0 when there is none. @throws {Problem} store-unavailable */
export async function outboxAgeMs(store: Store): Promise<number> {
  const [oldest] = await pageOfStream(store, keys.webhookOutbox, undefined, 1)
  if (oldest === undefined) return 0
  const nowMs = await store.ask(storeTimeMs)
  return Math.max(0, nowMs - Number.parseInt(oldest[0].toString(), 10))
}

export function fieldsOf(flat: readonly Buffer[]): ReadonlyMap<string, Buffer> {
  const fields = new Map<string, Buffer>()
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i]
    const value = flat[i + 1]
    if (name !== undefined && value !== undefined) fields.set(name.toString(), value)
  }
  return fields
}

// Events that wait because the record of a webhook could not be read. Only the process that holds the outbox changes them.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { pageOfStream, type StreamEntry } from '../redis/paging.js'
import type { OutboxEntry } from './deliveries.js'
import { fieldsOf } from './outbox.js'

export interface WaitingEvents {
  /** The waiting events after `afterId`, or all, oldest first, some at a time. */
  after(afterId: string | undefined): AsyncGenerator<readonly OutboxEntry[], void, void>
  /** `undefined` when it no longer waits. */
  get(id: string): Promise<OutboxEntry | undefined>
  count(): Promise<number>
}

const AT_ONCE = 500

export function createWaitingEventStore(store: Store): WaitingEvents {
  const entriesOf = async (found: readonly StreamEntry[]): Promise<OutboxEntry[]> => {
    if (found.length === 0) return []
    const ids = found.map(([id]) => id.toString())
    const waitsFor = await store.ask((redis) => redis.hmget(keys.webhookWaitingFor, ...ids))
    return found.map(([, flat], i) => ({
      source: 'waiting' as const,
      id: ids[i] ?? '',
      waitsFor: (waitsFor[i] ?? '').split(' ').filter((id) => id !== ''),
      fields: fieldsOf(flat),
    }))
  }
  return {
    async *after(afterId) {
      for (let last = afterId; ; ) {
        const some = await entriesOf(await pageOfStream(store, keys.webhookWaiting, last, AT_ONCE))
        if (some.length === 0) return
        yield some
        last = some.at(-1)?.id
      }
    },
    async get(id) {
      const found = await store.ask((redis) => redis.xrangeBuffer(keys.webhookWaiting, id, id))
      return (await entriesOf(found))[0]
    },
    count: () => store.ask((redis) => redis.xlen(keys.webhookWaiting)),
  }
}

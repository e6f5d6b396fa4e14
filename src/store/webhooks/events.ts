// Events that operators or webhooks are notified of: one bounded stream.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type DomainEvent, EVENT_KINDS, type EventKind } from '../../domain/organisations/event.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { pageOfStream, type StreamEntry } from '../redis/paging.js'
import { addEvent } from '../scripts/add-event.js'

export interface Events {
  /** Durable when it returns. An event of the same kind and `about` is noted once in `onceInS` seconds. */
  add(kind: EventKind, about: Readonly<Record<string, string>>, atMs: number, onceInS: number): Promise<void>
  /** At most `limit` events after `afterId`, or from the first, oldest first. */
  list(afterId: string | undefined, limit: number): Promise<DomainEvent[]>
}

const AboutText = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' })
      return z.NEVER
    }
  })
  .pipe(z.record(z.string(), z.string()))

export function createEventStore(store: Store): Events {
  return {
    async add(kind, about, atMs, onceInS) {
      const json = JSON.stringify(about)
      const once = createHash('sha256').update(`${kind}\0${json}`).digest('base64url')
      await store.write(addEvent, [keys.events, keys.eventOnce(once)], [kind, atMs, json, onceInS])
    },
    async list(afterId, limit) {
      const events: DomainEvent[] = []
      for (let from = afterId; events.length < limit; ) {
        const page = await pageOfStream(store, keys.events, from, limit)
        events.push(...page.flatMap(parse))
        const last = page.at(-1)
        if (last === undefined || page.length < limit) break
        from = last[0].toString()
      }
      return events.slice(0, limit)
    },
  }
}

/** Leaves out an event that cannot be read or whose kind only a newer version knows. */
function parse([id, flat]: StreamEntry): DomainEvent[] {
  const fields = flat.map(String)
  const field = (name: string) => fields[fields.indexOf(name) + 1] ?? ''
  const kind = EVENT_KINDS.find((known) => known === field('kind'))
  const about = AboutText.safeParse(field('about')).data
  if (kind === undefined || about === undefined) return []
  return [{ id: id.toString(), kind, atMs: Number(field('atMs')), about }]
}

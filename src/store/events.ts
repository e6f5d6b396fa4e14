// What an operator or a webhook has to be told of: one stream, bounded.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type DomainEvent, EVENT_KINDS, type EventKind } from '../domain/event.js'
import { keys } from './keys.js'
import { addEvent } from './scripts/add-event.js'
import type { Store } from './store.js'

export interface Events {
  /** Durable when it returns. The same kind about the same is noted once in `onceInS` seconds. */
  add(kind: EventKind, about: Readonly<Record<string, string>>, atMs: number, onceInS: number): Promise<void>
  /** The oldest first, at most `limit`. */
  list(afterId: string | undefined, limit: number): Promise<DomainEvent[]>
}

const About = z.record(z.string(), z.string())

export function eventsIn(store: Store): Events {
  return {
    async add(kind, about, atMs, onceInS) {
      const json = JSON.stringify(about)
      const once = createHash('sha256').update(`${kind}\0${json}`).digest('base64url')
      await store.write(addEvent, [keys.events, keys.eventOnce(once)], [kind, atMs, json, onceInS])
    },
    async list(afterId, limit) {
      const from = afterId === undefined ? '-' : `(${afterId}`
      const entries = await store.ask((redis) => redis.xrange(keys.events, from, '+', 'COUNT', limit))
      return entries.flatMap(parse)
    },
  }
}

/** One of a kind that a newer version wrote is left out. */
function parse([id, fields]: [id: string, fields: string[]]): DomainEvent[] {
  const field = (name: string) => fields[fields.indexOf(name) + 1] ?? ''
  const kind = EVENT_KINDS.find((known) => known === field('kind'))
  if (kind === undefined) return []
  return [{ id, kind, atMs: Number(field('atMs')), about: About.parse(JSON.parse(field('about'))) }]
}

// The time line of a case: one bounded stream for each case, deleted with the case.

import type { Redis } from 'ioredis'
import { CASE_EVENT_KINDS, CASE_EVENTS, type CaseEvent, type CaseEventKind } from '../../domain/cases/case-event.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { pageOfStream } from '../redis/paging.js'
import { addCaseEvent, MAX_CASE_EVENTS } from '../scripts/cases/case-event.js'

export interface CaseEvents {
  /**
   * Adds an event. Durable when it returns.
   * @param count the number that `CASE_EVENTS` defines for this kind: a whole number from 0; 0 where the kind counts nothing.
   * @param about of a verdict: as in `CaseEvent`.
   * @returns the id of the event, or `undefined` when the case does not exist (any more).
   * @throws {RangeError} for any other count: a bug of the caller.
   */
  add(caseId: string, kind: CaseEventKind, count: number, atMs: number, about?: string): Promise<string | undefined>
  /** All events, or those after an id, oldest first. At most 1,000; older ones were deleted. */
  list(caseId: string, afterId?: string): Promise<CaseEvent[]>
  /**
   * Calls `listener` with each event after `afterId`, in order and once, until the returned function is called. All listeners of this
   * process share one connection, which is open while there are listeners. An outage of the store delays events and loses none.
   */
  follow(caseId: string, afterId: string, listener: (event: CaseEvent) => void): () => void
  /** Removes all listeners. */
  close(): void
}

/** @param connect opens a connection for `follow` alone, which blocks on it. */
export function createCaseEventStore(store: Store, connect: () => Redis): CaseEvents {
  const follower = followerOver(connect)
  return {
    async add(caseId, kind, count, atMs, about = '') {
      if (!Number.isInteger(count) || count < 0) throw new RangeError('a count is a whole number from 0')
      if (CASE_EVENTS[kind] === 'nothing' && count !== 0) throw new RangeError(`${kind} counts nothing`)
      const id = await store.write(addCaseEvent, [keys.case(caseId), keys.caseEvents(caseId)], [kind, count, atMs, about])
      return id === null ? undefined : String(id)
    },
    async list(caseId, afterId) {
      const entries = await pageOfStream(store, keys.caseEvents(caseId), afterId, MAX_CASE_EVENTS)
      return entries.flatMap(([id, fields]) => parseEvent([id.toString(), fields.map(String)]))
    },
    follow: follower.follow,
    close: follower.close,
  }
}

interface Listener {
  readonly stream: string
  readonly tell: (event: CaseEvent) => void
  /** Invariant: the id of the last event it was called with, or where it began. */
  afterId: string
}

/** Longest block of one read. A new listener waits at most this long before it is included. */
const BLOCK_MS = 250
const RETRY_MS = 500

function followerOver(connect: () => Redis) {
  const listeners = new Set<Listener>()
  let running = false

  async function run() {
    running = true
    const redis = connect()
    while (listeners.size > 0) {
      try {
        await readOnce(redis, listeners)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS)) // the client reconnects by itself
      }
    }
    redis.disconnect()
    running = false
  }

  return {
    follow(caseId: string, afterId: string, tell: (event: CaseEvent) => void): () => void {
      const listener: Listener = { stream: keys.caseEvents(caseId), tell, afterId }
      listeners.add(listener)
      if (!running) void run()
      return () => void listeners.delete(listener)
    },
    close: () => listeners.clear(),
  }
}

/** One read for all listeners. Each stream is read from the position of the listener that is furthest behind. */
async function readOnce(redis: Redis, all: ReadonlySet<Listener>): Promise<void> {
  // A listener that is added during this read is left out: the reply may begin after events that it has not seen.
  const listeners = [...all]
  const from = new Map<string, string>()
  for (const { stream, afterId } of listeners) {
    const known = from.get(stream)
    if (known === undefined || isBefore(afterId, known)) from.set(stream, afterId)
  }
  const reply = await redis.xread('COUNT', 100, 'BLOCK', BLOCK_MS, 'STREAMS', ...from.keys(), ...from.values())
  for (const [stream, entries] of reply ?? []) {
    for (const event of entries.flatMap(parseEvent)) {
      for (const listener of listeners) {
        if (listener.stream !== stream || !all.has(listener) || !isBefore(listener.afterId, event.id)) continue
        listener.afterId = event.id
        listener.tell(event)
      }
    }
  }
}

function isBefore(id: string, other: string): boolean {
  const [ms = 0, number = 0] = id.split('-').map(Number)
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number)
  return ms < otherMs || (ms === otherMs && number < otherNumber)
}

/** Leaves out events of a kind that only a newer version knows. */
function parseEvent([id, fields]: [id: string, fields: string[]]): CaseEvent[] {
  const field = (name: string) => {
    const at = fields.indexOf(name)
    return at === -1 ? undefined : fields[at + 1]
  }
  const about = field('about') // events of an earlier version have none
  const kind = CASE_EVENT_KINDS.find((known) => known === field('kind'))
  if (kind === undefined) return []
  const event = { id, kind, atMs: Number(field('atMs')), count: Number(field('count')) }
  return [about === undefined ? event : { ...event, about }]
}

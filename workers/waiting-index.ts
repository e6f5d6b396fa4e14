// Which events wait for which webhooks, in memory. A new event must not overtake a waiting one about the same subject.

import { subjectOf } from '../src/services/webhooks/webhook-plan.js'
import type { OutboxEntry } from '../src/store/webhooks/deliveries.js'
import type { WaitingEvents } from '../src/store/webhooks/waiting-events.js'

export interface WaitingIndex {
  readonly size: number
  /** Reads all waiting events from the beginning. */
  load(): Promise<void>
  /** Reads the waiting events that were added since. */
  follow(): Promise<void>
  /** Webhooks for which an earlier event about the same subject waits. */
  ahead(entry: OutboxEntry): ReadonlySet<string>
  /** Ids of the oldest events to retry, at most `limit`: at least one webhook that they wait for is readable now. */
  due(nowMs: number, unreadable: ReadonlyMap<string, unknown>, limit: number): string[]
  /** Records a retry: the event waits for `waitsFor` from now on; none: it is done. Retries wait 1 s, doubling up to 60 s. */
  tried(id: string, waitsFor: readonly string[], nowMs: number): void
}

interface Waiting {
  readonly subject: string
  readonly waitsFor: readonly string[]
  readonly attempts: number
  readonly nextAttemptAtMs: number
}

const FIRST_WAIT_MS = 1000
const MAX_WAIT_MS = 60_000

export function createWaitingIndex(events: Pick<WaitingEvents, 'after'>): WaitingIndex {
  // Both in the order of the stream: Maps and Sets iterate in the order of insertion.
  const byId = new Map<string, Waiting>()
  const bySubject = new Map<string, Set<string>>()
  let lastId: string | undefined

  function forget(id: string, subject: string): void {
    byId.delete(id)
    const ids = bySubject.get(subject)
    ids?.delete(id)
    if (ids?.size === 0) bySubject.delete(subject)
  }

  async function follow(): Promise<void> {
    for await (const some of events.after(lastId)) {
      for (const entry of some) {
        const { id, waitsFor = [] } = entry
        const subject = subjectOf(entry)
        byId.set(id, { subject, waitsFor, attempts: 0, nextAttemptAtMs: 0 })
        const ids = bySubject.get(subject) ?? new Set()
        bySubject.set(subject, ids.add(id))
        lastId = id
      }
    }
  }

  return {
    get size() {
      return byId.size
    },
    async load() {
      byId.clear()
      bySubject.clear()
      lastId = undefined
      await follow()
    },
    follow,
    ahead(entry) {
      const webhookIds = new Set<string>()
      for (const id of bySubject.get(subjectOf(entry)) ?? []) {
        if (entry.source === 'waiting' && id === entry.id) break
        for (const webhookId of byId.get(id)?.waitsFor ?? []) webhookIds.add(webhookId)
      }
      return webhookIds
    },
    due(nowMs, unreadable, limit) {
      const ids: string[] = []
      for (const [id, { waitsFor, nextAttemptAtMs }] of byId) {
        if (ids.length === limit) break
        if (nextAttemptAtMs <= nowMs && !waitsFor.every((webhookId) => unreadable.has(webhookId))) ids.push(id)
      }
      return ids
    },
    tried(id, waitsFor, nowMs) {
      const before = byId.get(id)
      if (before === undefined) return
      if (waitsFor.length === 0) return forget(id, before.subject)
      const waitMs = Math.min(FIRST_WAIT_MS * 2 ** Math.min(before.attempts, 10), MAX_WAIT_MS)
      byId.set(id, { ...before, waitsFor, attempts: before.attempts + 1, nextAttemptAtMs: nowMs + waitMs })
    },
  }
}

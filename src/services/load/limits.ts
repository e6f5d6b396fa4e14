// Counts uses against limits without waiting for anything: here at once, and behind it with all other processes.

import { createHash, randomBytes } from 'node:crypto'
import { Problem } from '../../domain/problem.js'
import { customerOf } from '../../net/address.js'
import type { Uses } from '../../store/organisations/usage-counters.js'

/** A limit as it holds in this deployment. */
export interface Limit {
  readonly name: string
  readonly windowS: number
  readonly most: number
  /** Counted here alone, and never sent anywhere. */
  readonly isLocal: boolean
  /** Refuses while other processes' uses cannot be known. */
  readonly failsClosed: boolean
}

export interface Taken {
  readonly isWithin: boolean
  readonly left: number
  /** Until the window ends and counting begins anew, at least 1. */
  readonly resetS: number
}

export interface LimitCounter {
  /**
   * Counts `amount`, unless that would be more than there may be: then nothing is counted. Never waits.
   *
   * Exact in one process. Of several, each knows what the others counted up to `everyMs` ago, so together they may let through at
   * most what they take in that time beyond the limit.
   * @throws {Problem} store-unavailable for a limit that fails closed while the store is unavailable
   */
  take(limit: Limit, who: string, amount: number): Taken
  /** Counts what cannot be held back any more, beyond the limit too. @returns whether it was within. */
  note(limit: Limit, who: string, amount: number): boolean
  /** An address, as it is counted: of IPv6 the network of one customer, under a key that ends with this process. */
  nameOfAddress(address: string): string
  /** Tells the store what was counted so far, and hears what others counted; else that happens every `everyMs`. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface LimitCounterParts {
  readonly uses: Uses
  readonly now: () => number
  readonly everyMs?: number
}

interface Counter {
  readonly limit: Limit
  readonly window: number
  /** What all processes had counted when the store was last asked, this one's share among them. */
  shared: number
  /** What this process has counted since, or is sending. */
  own: number
}

/** Makes 64 bytes a caller a few megabytes; beyond it, new callers of a limit share one counter until old ones have gone. */
const MAX_COUNTERS = 50_000
const EVERY_MS = 200
/** Without news from the store for so long, what fails closed is closed. */
const AWAY_AFTER_MS = 2000
const AT_ONCE = 500
const RETRY_AFTER_S = 2

export function limitCounter({ uses, now, everyMs = EVERY_MS }: LimitCounterParts): LimitCounter {
  const counters = new Map<string, Counter>()
  const unsent = new Set<string>()
  const addressKey = randomBytes(32)
  let failingSinceMs: number | undefined
  let sending: Promise<void> = Promise.resolve()
  let sweptAtMs = 0

  const send = async () => {
    const atMs = now()
    const names = [...unsent].slice(0, AT_ONCE)
    const batch = names.flatMap((name) => {
      unsent.delete(name)
      const counter = counters.get(name)
      return counter === undefined || counter.own === 0 ? [] : [{ name, counter, amount: counter.own }]
    })
    if (batch.length === 0) return
    try {
      const totals = await uses.add(
        batch.map(({ name, counter: { limit, window }, amount }) => ({
          name: `${name}:${window}`,
          amount,
          ttlS: 2 * limit.windowS,
        })),
      )
      batch.forEach(({ counter, amount }, i) => {
        counter.shared = totals[i] ?? counter.shared + amount
        counter.own -= amount
      })
      failingSinceMs = undefined
    } catch {
      // Counted here all the same; it is sent with the next round. What was counted there and not answered counts twice.
      failingSinceMs ??= atMs
      for (const { name } of batch) unsent.add(name)
    }
  }

  const sweep = () => {
    const atMs = now()
    if (atMs - sweptAtMs < 10_000 && counters.size < MAX_COUNTERS) return
    sweptAtMs = atMs
    for (const [name, { limit, window }] of counters) {
      if (window === windowOf(limit, atMs)) continue
      counters.delete(name)
      unsent.delete(name)
    }
  }

  const flush = () => {
    sending = sending.then(send).then(sweep)
    return sending
  }
  const timer = setInterval(flush, everyMs).unref()

  const counterOf = (limit: Limit, who: string, window: number): { name: string; counter: Counter } => {
    let name = `${limit.name}:${who}`
    let counter = counters.get(name)
    if (counter === undefined && counters.size >= MAX_COUNTERS) {
      name = `${limit.name}:others`
      counter = counters.get(name)
    }
    if (counter?.window === window) return { name, counter }
    const made: Counter = { limit, window, shared: 0, own: 0 }
    counters.set(name, made)
    return { name, counter: made }
  }

  return {
    take(limit, who, amount) {
      const atMs = now()
      if (limit.failsClosed && failingSinceMs !== undefined && atMs - failingSinceMs > AWAY_AFTER_MS)
        throw new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S })
      const window = windowOf(limit, atMs)
      const { name, counter } = counterOf(limit, who, window)
      const used = counter.shared + counter.own
      const resetS = Math.max(1, Math.ceil(((window + 1) * limit.windowS * 1000 - atMs) / 1000))
      if (used + amount > limit.most) return { isWithin: false, left: Math.max(0, limit.most - used), resetS }
      counter.own += amount
      if (!limit.isLocal) unsent.add(name)
      return { isWithin: true, left: limit.most - used - amount, resetS }
    },
    note(limit, who, amount) {
      const { name, counter } = counterOf(limit, who, windowOf(limit, now()))
      counter.own += amount
      if (!limit.isLocal) unsent.add(name)
      return counter.shared + counter.own <= limit.most
    },
    nameOfAddress(address) {
      return createHash('sha256').update(addressKey).update(customerOf(address)).digest('base64url').slice(0, 16)
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

function windowOf({ windowS }: Limit, atMs: number): number {
  return Math.floor(atMs / (windowS * 1000))
}

// Rate limits. Uses are counted in memory, without waiting, and exchanged with other processes every 200 ms.

import { createHash, randomBytes } from 'node:crypto'
import { Problem } from '../../domain/problem.js'
import { customerOf } from '../../net/address.js'
import type { Uses } from '../../store/organisations/usage-counters.js'

export interface Limit {
  readonly name: string
  readonly windowS: number
  readonly most: number
  /** Counted in this process only. */
  readonly isLocal: boolean
  /** Refuses while the store is unavailable, because the counts of other processes are then unknown. */
  readonly failsClosed: boolean
}

export interface Taken {
  readonly isWithin: boolean
  readonly left: number
  /** Seconds until the window ends and the count is 0 again; at least 1. */
  readonly resetS: number
}

export interface LimitCounter {
  /**
   * Counts `amount` if it stays within the limit; otherwise counts nothing. Never waits.
   *
   * Exact in one process. Processes learn each other's counts only every `intervalMs`. Together they may exceed the limit by what they count in that
   * time.
   * @throws {Problem} store-unavailable for a limit that fails closed while the store is unavailable
   */
  take(limit: Limit, who: string, amount: number): Taken
  /**
   * Counts a use that has already happened, even beyond the limit. What a limit of this process alone is exceeded by counts in later windows.
   * @returns whether it is within the limit.
   */
  note(limit: Limit, who: string, amount: number): boolean
  /** The name under which an address is counted: its keyed hash; for IPv6, that of the customer's network. The key is lost with this process. */
  nameOfAddress(address: string): string
  /** Exchanges counts with the store now; otherwise that happens every `intervalMs`. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface LimitCounterParts {
  readonly uses: Uses
  readonly now: () => number
  readonly intervalMs?: number
}

interface Counter {
  readonly limit: Limit
  readonly window: number
  /** The count of all processes, including this one, at the store's last answer. */
  shared: number
  /** The count of this process since then, including what is being sent. */
  own: number
}

/** A few megabytes. Beyond it, all new callers of a limit share one counter until old counters are deleted. */
const MAX_COUNTERS = 50_000
const INTERVAL_MS = 200
/** How long the store may be unavailable before limits that fail closed refuse. */
const UNAVAILABLE_AFTER_MS = 2000
const MAX_PER_SEND = 500
const RETRY_AFTER_S = 2

export function createLimitCounter({ uses, now, intervalMs = INTERVAL_MS }: LimitCounterParts): LimitCounter {
  const state: Counting = {
    uses,
    now,
    counters: new Map(),
    unsent: new Set(),
    failingSinceMs: undefined,
    sweptAtMs: 0,
  }
  const addressKey = randomBytes(32)
  let sending: Promise<void> = Promise.resolve()
  const flush = () => {
    sending = sending.then(() => send(state)).then(() => sweep(state))
    return sending
  }
  const timer = setInterval(flush, intervalMs).unref()

  return {
    take(limit, who, amount) {
      const atMs = now()
      if (limit.failsClosed && state.failingSinceMs !== undefined && atMs - state.failingSinceMs > UNAVAILABLE_AFTER_MS)
        throw new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S })
      const window = windowOf(limit, atMs)
      const { name, counter } = counterOf(state, limit, who, window)
      const used = counter.shared + counter.own
      const windows = used > limit.most ? Math.ceil((used + amount - limit.most) / limit.most) : 1
      const resetS = Math.max(1, Math.ceil(((window + windows) * limit.windowS * 1000 - atMs) / 1000))
      if (used + amount > limit.most) return { isWithin: false, left: Math.max(0, limit.most - used), resetS }
      counter.own += amount
      if (!limit.isLocal) state.unsent.add(name)
      return { isWithin: true, left: limit.most - used - amount, resetS }
    },
    note(limit, who, amount) {
      const { name, counter } = counterOf(state, limit, who, windowOf(limit, now()))
      counter.own += amount
      if (!limit.isLocal) state.unsent.add(name)
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

interface Counting {
  readonly uses: Uses
  readonly now: () => number
  readonly counters: Map<string, Counter>
  /** Names of counters with uses that the store does not have yet. */
  readonly unsent: Set<string>
  failingSinceMs: number | undefined
  sweptAtMs: number
}

/** Sends the counts since the last call, at most `MAX_PER_SEND` counters, and takes over the sums of all processes. */
async function send(state: Counting): Promise<void> {
  const { uses, now, counters, unsent } = state
  const atMs = now()
  const names = [...unsent].slice(0, MAX_PER_SEND)
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
    state.failingSinceMs = undefined
  } catch {
    // Sent again with the next round. If the store counted it and only the answer was lost, it counts twice.
    state.failingSinceMs ??= atMs
    for (const { name } of batch) unsent.add(name)
  }
}

/** Deletes counters of past windows: every 10 s, or at each call if there are too many. */
function sweep(state: Counting): void {
  const { now, counters, unsent } = state
  const atMs = now()
  if (atMs - state.sweptAtMs < 10_000 && counters.size < MAX_COUNTERS) return
  state.sweptAtMs = atMs
  for (const [name, counter] of counters) {
    const { limit, window } = counter
    if (window === windowOf(limit, atMs) || leftOver(counter, windowOf(limit, atMs)) > 0) continue
    counters.delete(name)
    unsent.delete(name)
  }
}

function counterOf(
  { counters }: Counting,
  limit: Limit,
  who: string,
  window: number,
): { readonly name: string; readonly counter: Counter } {
  let name = `${limit.name}:${who}`
  let counter = counters.get(name)
  if (counter === undefined && counters.size >= MAX_COUNTERS) {
    name = `${limit.name}:others`
    counter = counters.get(name)
  }
  if (counter?.window === window) return { name, counter }
  const made: Counter = { limit, window, shared: 0, own: counter === undefined ? 0 : leftOver(counter, window) }
  counters.set(name, made)
  return { name, counter: made }
}

/** What a counter of an earlier window was exceeded by, without what later windows allowed. */
function leftOver({ limit, window, own }: Counter, now: number): number {
  return limit.isLocal ? Math.max(0, own - limit.most * Math.max(0, now - window)) : 0
}

function windowOf({ windowS }: Limit, atMs: number): number {
  return Math.floor(atMs / (windowS * 1000))
}

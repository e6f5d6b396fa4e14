// Decides whether a replica may answer. A stale replica must not: it may lack a withdrawal.

import type { NotReadyReason } from '../../domain/not-ready.js'
import { Problem } from '../../domain/problem.js'
import type { StoreUnavailableError } from '../../domain/store-unavailable.js'
import type { Loss } from '../../store/images/changes.js'
import { isUnavailable, unavailableErrorFor } from '../../store/redis/unavailable-cause.js'

export interface ReplicaFreshness {
  /** Maximum staleness before the replica refuses to answer. */
  readonly staleAfterMs: number
  /** How long a request waits while the replica is stale. If the process was only suspended, the replica is fresh again after one round trip. */
  readonly maxWaitMs: number
  /** How long a writer waits for this process to apply its write. */
  readonly reachTimeoutMs: number
}

export const DEFAULT_FRESHNESS: ReplicaFreshness = { staleAfterMs: 1000, maxWaitMs: 200, reachTimeoutMs: 5000 }

interface Failure {
  readonly reason: NotReadyReason
  readonly message: string
  readonly cause: StoreUnavailableError | undefined
}

export class Readiness {
  readonly #freshness: ReplicaFreshness
  readonly #now: () => number
  // The last time at which the catalogue was known to have everything in the store.
  #freshAtMs = Number.NEGATIVE_INFINITY
  // Why the catalogue may not be current; undefined once it was.
  #why: NotReadyReason | undefined = 'loading'
  #failure: Failure | undefined
  // Invariant: one wait for each stale period. Once it is over, later requests in this period do not wait.
  #wait: FreshnessWait | undefined

  /** @param now [ms] a monotonic clock. */
  constructor(freshness: ReplicaFreshness, now: () => number) {
    this.#freshness = freshness
    this.#now = now
  }

  /** [ms] since the catalogue was last known to have everything in the store; infinite before the first time. */
  get ageMs(): number {
    return this.#now() - this.#freshAtMs
  }

  get isStale(): boolean {
    return this.ageMs > this.#freshness.staleAfterMs
  }

  /** Why the replica refuses to answer. Meaningful only while it does. */
  get reason(): NotReadyReason {
    return this.#failure?.reason ?? this.#why ?? 'stale'
  }

  /** Why the store is unavailable, if that is the reason. */
  get cause(): StoreUnavailableError | undefined {
    return this.#failure?.cause
  }

  /** The catalogue had everything in the store at `atMs`. */
  noteFresh(atMs: number): void {
    this.#freshAtMs = atMs
    this.#why = undefined
  }

  /** Records that the catalogue differs from the store. @returns true if the same loss was recorded before, without `noteFresh` in between. */
  lose(loss: Loss): boolean {
    const isRepeated = this.#why === loss
    this.#why = loss
    this.#freshAtMs = Number.NEGATIVE_INFINITY
    return isRepeated
  }

  /** Records a failure. @returns true if it differs from the last one. */
  fail(error: unknown): boolean {
    const failure = failureOf(error)
    const isNew = failure.message !== this.#failure?.message
    this.#failure = failure
    return isNew
  }

  succeed(): void {
    this.#failure = undefined
  }

  /**
   * Waits while the replica is stale, until `endWait` or for `maxWaitMs`.
   * @returns `undefined` if it is not stale, or if a wait in this stale period has timed out.
   */
  wait(): Promise<void> | undefined {
    if (!this.isStale) return undefined
    this.#wait ??= new FreshnessWait(this.#freshness.maxWaitMs)
    return this.#wait.isOver ? undefined : this.#wait.over
  }

  /** Call it when the replica is fresh again. */
  endWait(): void {
    this.#wait?.end()
    this.#wait = undefined
  }
}

function failureOf(error: unknown): Failure {
  const isStoreUnavailable = error instanceof Problem || isUnavailable(error)
  const reason = isStoreUnavailable ? 'store-unavailable' : 'failing'
  const cause = isStoreUnavailable ? unavailableErrorFor(error instanceof Problem ? error.cause : error) : undefined
  const message = cause?.unavailableCause ?? (error instanceof Error ? error.message : reason)
  return { reason, message, cause }
}

/** A wait with a timeout that ends early when the replica is fresh again. */
class FreshnessWait {
  isOver = false
  readonly over: Promise<void>
  end = () => {}

  constructor(ms: number) {
    this.over = new Promise((resolve) => {
      const timer = setTimeout(() => this.end(), ms)
      this.end = () => {
        clearTimeout(timer)
        this.isOver = true
        resolve()
      }
    })
  }
}

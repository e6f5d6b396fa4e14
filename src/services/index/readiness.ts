// Whether a replica may answer. It must not when the store's last word is too old: it may lack a withdrawal.

import type { NotReadyReason } from '../../domain/not-ready.js'
import { Problem } from '../../domain/problem.js'
import type { StoreUnavailableError } from '../../domain/store-unavailable.js'
import type { Loss } from '../../store/images/changes.js'
import { isUnavailable, unavailableErrorFor } from '../../store/redis/unavailable-cause.js'
import { FreshnessWait } from './freshness-wait.js'

export interface ReplicaFreshness {
  /** Maximum age of the store's last word before the replica refuses to answer. */
  readonly staleAfterMs: number
  /** How long a request waits when the replica is stale. The process may just have been suspended, and the store's word is a round trip away. */
  readonly graceMs: number
  /** How long a writer waits at most until this process knows its write. */
  readonly reachTimeoutMs: number
}

export const DEFAULT_FRESHNESS: ReplicaFreshness = { staleAfterMs: 1000, graceMs: 200, reachTimeoutMs: 5000 }

interface Failure {
  readonly reason: NotReadyReason
  readonly message: string
  readonly cause: StoreUnavailableError | undefined
}

export class Readiness {
  readonly #freshness: ReplicaFreshness
  readonly #now: () => number
  // When the store was last known to hold nothing newer than the catalogue.
  #freshAtMs = Number.NEGATIVE_INFINITY
  // Why the catalogue is not known to be current; undefined once it was.
  #why: NotReadyReason | undefined = 'loading'
  #failure: Failure | undefined
  // Invariant: one for each silence. Once it is over, later requests in the same silence do not wait.
  #grace: FreshnessWait | undefined

  /** @param now [ms] a clock that never goes back. */
  constructor(freshness: ReplicaFreshness, now: () => number) {
    this.#freshness = freshness
    this.#now = now
  }

  /** [ms] since the store was known to hold nothing newer than the catalogue; infinite before that was known. */
  get ageMs(): number {
    return this.#now() - this.#freshAtMs
  }

  get isStale(): boolean {
    return this.ageMs > this.#freshness.staleAfterMs
  }

  /** Why the replica does not answer, when it does not. */
  get reason(): NotReadyReason {
    return this.#failure?.reason ?? this.#why ?? 'stale'
  }

  /** Why the store is unavailable, when that is the reason. */
  get cause(): StoreUnavailableError | undefined {
    return this.#failure?.cause
  }

  /** The store held nothing newer than the catalogue at `atMs`. */
  heard(atMs: number): void {
    this.#freshAtMs = atMs
    this.#why = undefined
  }

  /** The catalogue is not the store's. @returns whether the same loss was noted before, and `heard` not called since. */
  lose(loss: Loss): boolean {
    const isRepeated = this.#why === loss
    this.#why = loss
    this.#freshAtMs = Number.NEGATIVE_INFINITY
    return isRepeated
  }

  /** @returns whether the error is another one than the last. */
  fail(error: unknown): boolean {
    const failure = failureOf(error)
    const isNew = failure.message !== this.#failure?.message
    this.#failure = failure
    return isNew
  }

  succeed(): void {
    this.#failure = undefined
  }

  /** @returns while stale: a wait that ends with `endSilence`, or after `graceMs`. `undefined` when a wait in this silence has timed out, or none is needed. */
  wait(): Promise<void> | undefined {
    if (!this.isStale) return undefined
    this.#grace ??= new FreshnessWait(this.#freshness.graceMs)
    return this.#grace.isOver ? undefined : this.#grace.over
  }

  /** The replica answers again. */
  endSilence(): void {
    this.#grace?.end()
    this.#grace = undefined
  }
}

function failureOf(error: unknown): Failure {
  const isStoreUnavailable = error instanceof Problem || isUnavailable(error)
  const reason = isStoreUnavailable ? 'store-unavailable' : 'failing'
  const cause = isStoreUnavailable ? unavailableErrorFor(error instanceof Problem ? error.cause : error) : undefined
  const message = cause?.unavailableCause ?? (error instanceof Error ? error.message : reason)
  return { reason, message, cause }
}

// Keeps this process's catalogue equal to the store: reads everything once, then follows the change stream.

import type { Redis } from 'ioredis'
import type { NotReadyReason } from '../../domain/not-ready.js'
import type { Bank } from '../../domain/organisations/bank.js'
import { Problem } from '../../domain/problem.js'
import { digestAt, type Loss, type Position } from '../../store/images/changes.js'
import { interrupt } from '../../store/redis/client.js'
import type { Change } from '../../store/scripts/change-ops.js'
import type { WithdrawalLog } from '../../store/upkeep/withdrawal-log.js'
import { AppliedHistory } from './applied-history.js'
import { type Applying, createChangeApplier, IMAGES_AT_ONCE } from './applying.js'
import { Catalogue } from './catalogue.js'
import { Following } from './following.js'
import { type RevisionWaits, revisionWaits } from './freshness.js'
import { type LoadingParts, load } from './loading.js'
import { DEFAULT_FRESHNESS, Readiness, type ReplicaFreshness } from './readiness.js'
import { Settling } from './settling.js'

export interface ReplicaParts extends LoadingParts {
  /** Withdrawals are noted there before they are answered; undefined for nowhere. */
  readonly withdrawals: WithdrawalLog | undefined
  /** A connection of its own: following blocks it. */
  readonly follower: Redis
  /** Called with changes before the catalogue has them. */
  readonly onChanges?: (changes: readonly Change[]) => void
  /** Called when the followed history is not the store's, or has a gap. `isRepeated`: for the same reason as before, without success in between. */
  readonly onLoss?: (loss: Loss, isRepeated: boolean) => void
  readonly freshness?: ReplicaFreshness
  /** [ms] a clock that never goes back. */
  readonly now: () => number
  /** Called with errors for the operator, which have no hashes. Once for an error that repeats. */
  readonly onError: (error: unknown) => void
}

const RETRY_MS = 200
const COLD_RETRY_AFTER_S = 2

export class Replica {
  readonly #parts: ReplicaParts
  readonly #freshness: ReplicaFreshness
  #catalogue = new Catalogue()
  readonly #applying: Applying
  // Invariant: the catalogue is what the store held at this position; undefined until it has been read whole.
  #position: Position | undefined
  readonly #history = new AppliedHistory()
  #isFromSnapshot = false
  readonly #readiness: Readiness
  // Invariant: no revision is told that the catalogue does not have, or, by `#settling`, whose withdrawals are not noted.
  readonly #applied = revisionWaits(unreached)
  readonly #settling: Settling
  readonly #following: Following
  #saved: Position | undefined
  #closed = false
  readonly #watchers = new Set<(changes: readonly Change[]) => void>()

  constructor(parts: ReplicaParts) {
    this.#parts = parts
    this.#applying = createChangeApplier(parts)
    this.#freshness = parts.freshness ?? DEFAULT_FRESHNESS
    this.#readiness = new Readiness(this.#freshness, parts.now)
    this.#following = new Following(parts.follower, parts.now, () => this.isReady)
    this.#settling = new Settling(parts.withdrawals, unreached)
  }

  /** Begins, and goes on until `close`, also when the store is lost. @returns when the catalogue was read for the first time. */
  async start(): Promise<void> {
    this.#run()
    await this.reached(0, Number.POSITIVE_INFINITY)
  }

  /** Does not wait for the loop: a command on a connection that was given up never settles. */
  async close(): Promise<void> {
    this.#closed = true
    this.#parts.follower.disconnect()
    await this.#settling.done
    await this.#parts.withdrawals?.close()
  }

  /**
   * Writes a snapshot if anything changed since the last one. It replaces the last one, so images that were withdrawn are in no file.
   * @throws {Problem} store-unavailable {Error} when the disk does not take it; the last snapshot stays.
   */
  async saveSnapshot(): Promise<void> {
    const position = this.#position
    if (position === undefined || position.digest === this.#saved?.digest) return
    const catalogue = this.#catalogue
    const until = () => (this.#position !== undefined && this.#catalogue === catalogue ? this.#history.reached : undefined)
    await this.#parts.snapshots?.save(catalogue, position, until)
    this.#saved = position
  }

  /** The same although nothing changed: the seal key is another one. */
  async saveAgain(): Promise<void> {
    this.#saved = undefined
    await this.saveSnapshot()
  }

  /** @throws {Problem} index-loading before it was read and after a gap; store-unavailable when withdrawals may be missing. */
  get catalogue(): Catalogue {
    const reason = this.notReady
    if (reason === undefined) return this.#catalogue
    const code = this.#position === undefined ? 'index-loading' : 'store-unavailable'
    const cause = reason === 'store-unavailable' ? this.#readiness.cause : undefined
    throw new Problem(code, { retryAfterS: COLD_RETRY_AFTER_S, reason, ...(cause !== undefined && { cause }) })
  }

  get revision(): number | undefined {
    return this.#position?.revision
  }

  /** Nothing after it was told to `onChanges` or is in the catalogue; `undefined` until that has been read whole. */
  get position(): Position | undefined {
    return this.#history.reached
  }

  /** The bank of an image, as far as this process knows, even when it is stale. */
  bankOf(id: string): string | undefined {
    return this.#catalogue.bankOf(id)
  }

  /**
   * The only bank of this name, as far as this process knows, even when it is stale.
   * @throws {Problem} index-loading before it was read.
   */
  bankNamed(name: string): Bank | undefined {
    if (this.#position === undefined) throw new Problem('index-loading', { retryAfterS: COLD_RETRY_AFTER_S })
    return this.#catalogue.banks.single(name)
  }

  get isReady(): boolean {
    return this.#position !== undefined && !this.#readiness.isStale
  }

  /** Why it does not answer; `undefined` while it answers. */
  get notReady(): NotReadyReason | undefined {
    return this.isReady ? undefined : this.#readiness.reason
  }

  /** [ms] since the store was known to hold nothing newer than the catalogue; infinite before that was known. */
  get stalenessMs(): number {
    return this.#readiness.ageMs
  }

  /**
   * A request may wait for this while the replica is stale: the process may just have been suspended, and need not refuse.
   * @returns a wait that ends when the replica answers again, or after a moment. `undefined` when such a wait has timed out in this
   *   silence, or none is needed.
   */
  waitUntilFresh(): Promise<void> | undefined {
    return this.#position === undefined ? undefined : this.#readiness.wait()
  }

  /**
   * Waits until the catalogue has what was written at `at`, and its withdrawals are noted on disk.
   * @param at a revision for what this process wrote itself. For anything else a position, which says in which history.
   * @throws {Problem} store-unavailable, also when the store lost the write.
   */
  async reached(at: number | Position, timeoutMs = this.#freshness.reachTimeoutMs): Promise<void> {
    await this.#has(this.#settling.waits, at, timeoutMs)
  }

  /** The same without waiting for the log of withdrawals: for what withdraws nothing. @throws {Problem} store-unavailable */
  async applied(at: number | Position): Promise<void> {
    await this.#has(this.#applied, at, this.#freshness.reachTimeoutMs)
  }

  async #has(waits: RevisionWaits, at: number | Position, timeoutMs: number): Promise<void> {
    const revision = typeof at === 'number' ? at : at.revision
    const digest = typeof at === 'number' ? this.#parts.store.digestWritten(at) : at.digest
    await waits.until(revision, timeoutMs)
    const applied = this.#history.digestAt(revision)
    if (digest === undefined || digest === applied) return
    if (applied !== undefined) {
      // Another change has this revision here: the followed history is not the one that was written to.
      this.#lose('history-diverged')
      interrupt(this.#parts.follower)
      await waits.until(revision, timeoutMs)
    }
    if ((await digestAt(this.#parts.store, revision)) !== digest) throw unreached()
  }

  /**
   * Calls back with changes once the catalogue has them, in order. After a gap, changes are missing.
   * @returns ends it.
   */
  watch(watcher: (changes: readonly Change[]) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  async #run(): Promise<void> {
    while (!this.#closed) await this.#turn()
  }

  async #turn(): Promise<void> {
    try {
      if (this.#position === undefined) await this.#hydrate()
      if (this.#position !== undefined) await this.#followOnce(this.#position)
      this.#readiness.succeed()
      if (this.#position === undefined && !this.#closed) await pause(RETRY_MS)
    } catch (error) {
      if (this.#closed) return
      const isNew = this.#readiness.fail(error)
      if (isNew && !(error instanceof Problem)) this.#parts.onError(error)
      await pause(RETRY_MS)
    }
  }

  /** Reads the catalogue. It answers nothing before the first follow, which shows whether it is current. */
  async #hydrate(): Promise<void> {
    const { store, withdrawals, own } = this.#parts
    await this.#settling.done
    this.#forgetTold() // it may be another history
    store.forgetWritten()
    await withdrawals?.begin(store)
    const { catalogue, position, until, isFromSnapshot } = await load(this.#parts, this.#applying)
    this.#catalogue = catalogue
    own?.forgetAll()
    this.#isFromSnapshot = isFromSnapshot
    this.#saved = isFromSnapshot ? position : undefined
    this.#history.begin(until)
    if (!this.#history.passes(position)) return this.#lose('history-diverged')
    this.#history.advance(position)
    this.#position = position
  }

  async #followOnce(from: Position): Promise<void> {
    const followed = await this.#following.next(from)
    if (this.#position !== from) return // `reached` found meanwhile that this is not the store's history
    if (followed.kind === 'gap') return this.#lose(followed.loss)
    const { changes, positions, caughtUpAtMs } = followed
    if (!positions.every((position) => this.#history.passes(position))) return this.#lose('history-diverged')
    const last = positions.at(-1)
    if (last === undefined) this.#catalogue.tidy()
    else {
      if (isSoonApplied(changes)) this.#following.readAhead(last)
      this.#history.reach(last)
      this.#parts.onChanges?.(changes)
      await this.#applying.apply(this.#catalogue, changes, last)
      if (this.#position !== from) return
    }
    if (this.#closed) return // the next start reads in the stream what is not noted now
    if (caughtUpAtMs !== undefined && this.#history.lacksCheckpoint) return this.#lose('history-diverged')
    if (caughtUpAtMs !== undefined) this.#caughtUp(caughtUpAtMs)
    for (const position of positions) this.#history.advance(position)
    this.#position = last ?? from
    const { revision } = this.#position
    this.#parts.own?.followed(revision)
    this.#applied.tell(revision)
    this.#settling.settle(changes, revision)
    if (this.isReady) this.#readiness.endSilence()
    if (changes.length > 0) for (const watcher of this.#watchers) watcher(changes)
  }

  #caughtUp(atMs: number): void {
    this.#readiness.heard(atMs)
    this.#isFromSnapshot = false
  }

  /** The catalogue must be read again, and not from the snapshot that led here. */
  #lose(loss: Loss): void {
    if (this.#isFromSnapshot) this.#parts.snapshots?.discard()
    this.#position = this.#saved = undefined
    this.#history.lose()
    const isRepeated = this.#readiness.lose(loss)
    this.#forgetTold()
    this.#parts.onLoss?.(loss, isRepeated)
  }

  #forgetTold(): void {
    this.#applied.forget()
    this.#settling.waits.forget()
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function unreached(): Problem {
  return new Problem('store-unavailable', { retryAfterS: COLD_RETRY_AFTER_S })
}

function isSoonApplied(changes: readonly Change[]): boolean {
  let images = 0
  for (const change of changes) if ('imageIds' in change) images += change.imageIds.length
  return images <= IMAGES_AT_ONCE
}

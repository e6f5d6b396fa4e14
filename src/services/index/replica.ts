// Keeps the catalogue of this process equal to the store: reads everything once, then follows the change stream.

import type { Redis } from 'ioredis'
import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { NotReadyReason } from '../../domain/not-ready.js'
import { Problem } from '../../domain/problem.js'
import { digestAt, type Loss, type Position } from '../../store/images/changes.js'
import { interrupt } from '../../store/redis/client.js'
import type { Change } from '../../store/scripts/change-ops.js'
import type { WithdrawalLog } from '../../store/upkeep/withdrawal-log.js'
import { AppliedHistory } from './applied-history.js'
import { type Applying, createChangeApplier, IMAGES_AT_ONCE } from './applying.js'
import { Catalogue } from './catalogue.js'
import { Following } from './following.js'
import { type LoadingParts, load } from './loading.js'
import { DEFAULT_FRESHNESS, Readiness, type ReplicaFreshness } from './readiness.js'
import { createRevisionWaits, type RevisionWaits } from './revision-waits.js'
import { WithdrawalRecording } from './withdrawal-recording.js'

export interface ReplicaParts extends LoadingParts {
  /** Records withdrawals before they are answered; undefined for no log. */
  readonly withdrawals: WithdrawalLog | undefined
  /** A dedicated connection: following blocks it. */
  readonly follower: Redis
  /** Called with changes before they are applied to the catalogue. */
  readonly onChanges?: (changes: readonly Change[]) => void
  /**
   * Called when the followed history is not that of the store, or has a gap. `isRepeated`: the same loss as before, and the replica was never up to
   * date in between.
   */
  readonly onLoss?: (loss: Loss, isRepeated: boolean) => void
  readonly freshness?: ReplicaFreshness
  /** [ms] a monotonic clock. */
  readonly now: () => number
  /** Called with errors for the operator, which contain no hashes. Once for an error that repeats. */
  readonly onError: (error: unknown) => void
}

const RETRY_MS = 200
const COLD_RETRY_AFTER_S = 2

export class Replica {
  readonly #parts: ReplicaParts
  readonly #freshness: ReplicaFreshness
  #catalogue = new Catalogue()
  readonly #applying: Applying
  // Invariant: the catalogue is the state of the store at this position; undefined until it has been read whole.
  #position: Position | undefined
  readonly #history = new AppliedHistory()
  #isFromSnapshot = false
  readonly #readiness: Readiness
  // Invariant: `#applied` announces a revision once the catalogue has it; `#settling`, once its withdrawals are recorded as well.
  readonly #applied = createRevisionWaits(unreached)
  readonly #settling: WithdrawalRecording
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
    this.#settling = new WithdrawalRecording(parts.withdrawals, unreached)
  }

  /** Follows until `close`, also while the store is unavailable. @returns once the catalogue was read for the first time. */
  async start(): Promise<void> {
    this.#run()
    await this.reached(0, Number.POSITIVE_INFINITY)
  }

  /** Stops following and closes the log. Does not await the loop: a command on a disconnected connection may never settle. */
  async close(): Promise<void> {
    this.#closed = true
    this.#parts.follower.disconnect()
    await this.#settling.done
    await this.#parts.withdrawals?.close()
  }

  /**
   * Writes a snapshot if anything changed since the last one. Replaces the last one, so that no file keeps withdrawn images.
   * @throws {Problem} store-unavailable
   * @throws {Error} if the disk write fails; the last snapshot stays.
   */
  async saveSnapshot(): Promise<void> {
    const position = this.#position
    if (position === undefined || position.digest === this.#saved?.digest) return
    const catalogue = this.#catalogue
    const until = () => (this.#position !== undefined && this.#catalogue === catalogue ? this.#history.reached : undefined)
    await this.#parts.snapshots?.save(catalogue, position, until)
    this.#saved = position
  }

  /** Writes a snapshot even if nothing changed: needed after the seal key was replaced. */
  async saveAgain(): Promise<void> {
    this.#saved = undefined
    await this.saveSnapshot()
  }

  /** The current catalogue. @throws {Problem} index-loading before it was read and after a gap; store-unavailable while it may lack withdrawals. */
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

  /** Neither the catalogue nor `onChanges` has a change after this position. `undefined` until the whole catalogue was read. */
  get position(): Position | undefined {
    return this.#history.reached
  }

  /** The bank of an image, as far as this process knows, even while stale. */
  bankOf(id: string): string | undefined {
    return this.#catalogue.bankOf(id)
  }

  /**
   * The only bank with this name, as far as this process knows, even while stale; `undefined` if none or several have the name.
   * @throws {Problem} index-loading before the catalogue was read.
   */
  bankNamed(name: string): Bank | undefined {
    if (this.#position === undefined) throw new Problem('index-loading', { retryAfterS: COLD_RETRY_AFTER_S })
    return this.#catalogue.banks.single(name)
  }

  get isReady(): boolean {
    return this.#position !== undefined && !this.#readiness.isStale
  }

  /** Why the replica refuses to answer; `undefined` while it answers. */
  get notReady(): NotReadyReason | undefined {
    return this.isReady ? undefined : this.#readiness.reason
  }

  /** [ms] since the catalogue was last known to have everything in the store; infinite before the first time. */
  get stalenessMs(): number {
    return this.#readiness.ageMs
  }

  /**
   * Lets a request wait while the replica is stale instead of refusing it: the process may only have been suspended.
   * @returns a promise that resolves when the replica is fresh again, or after `maxWaitMs`; `undefined` if it is not stale, or if a wait in this stale
   *   period has timed out.
   */
  waitUntilFresh(): Promise<void> | undefined {
    return this.#position === undefined ? undefined : this.#readiness.wait()
  }

  /**
   * Waits until the catalogue has the write at `at`, and its withdrawals are recorded on disk.
   * @param at a revision for a write of this process; otherwise a position, which also identifies the history.
   * @throws {Problem} store-unavailable, also if the store lost the write.
   */
  async reached(at: number | Position, timeoutMs = this.#freshness.reachTimeoutMs): Promise<void> {
    await this.#has(this.#settling.waits, at, timeoutMs)
  }

  /** As `reached`, without waiting for the withdrawal log: for writes that withdraw nothing. @throws {Problem} store-unavailable */
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
      // Another change has this revision here: the followed history is not that of the write.
      this.#lose('history-diverged')
      interrupt(this.#parts.follower)
      await waits.until(revision, timeoutMs)
    }
    if ((await digestAt(this.#parts.store, revision)) !== digest) throw unreached()
  }

  /** Calls `watcher` with changes once they are applied, in order; some are missing after a gap. @returns a function that stops it. */
  watch(watcher: (changes: readonly Change[]) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  async #run(): Promise<void> {
    while (!this.#closed) await this.#runOnce()
  }

  async #runOnce(): Promise<void> {
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

  /** Reads the catalogue. It is served only after the first read of the change stream, which shows whether it is current. */
  async #hydrate(): Promise<void> {
    const { store, withdrawals, own } = this.#parts
    await this.#settling.done
    this.#forgetAnnounced() // the history may be another one
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
    if (this.#position !== from) return // `reached` noticed meanwhile that the history diverged
    if (followed.kind === 'gap') return this.#lose(followed.loss)
    const { changes, positions, caughtUpAtMs } = followed
    if (!positions.every((position) => this.#history.passes(position))) return this.#lose('history-diverged')
    const last = positions.at(-1)
    if (last === undefined) this.#catalogue.tidy()
    else {
      if (isQuicklyApplied(changes)) this.#following.readAhead(last)
      this.#history.reach(last)
      this.#parts.onChanges?.(changes)
      await this.#applying.apply(this.#catalogue, changes, last)
      if (this.#position !== from) return
    }
    if (this.#closed) return // the next start reads unrecorded changes from the stream
    if (caughtUpAtMs !== undefined && this.#history.lacksCheckpoint) return this.#lose('history-diverged')
    if (caughtUpAtMs !== undefined) this.#caughtUp(caughtUpAtMs)
    for (const position of positions) this.#history.advance(position)
    this.#position = last ?? from
    const { revision } = this.#position
    this.#parts.own?.followed(revision)
    this.#applied.announce(revision)
    this.#settling.settle(changes, revision)
    if (this.isReady) this.#readiness.endWait()
    if (changes.length > 0) for (const watcher of this.#watchers) watcher(changes)
  }

  #caughtUp(atMs: number): void {
    this.#readiness.noteFresh(atMs)
    this.#isFromSnapshot = false
  }

  /** Marks the catalogue as lost: it must be read again, and not from the snapshot that it came from. */
  #lose(loss: Loss): void {
    if (this.#isFromSnapshot) this.#parts.snapshots?.discard()
    this.#position = this.#saved = undefined
    this.#history.lose()
    const isRepeated = this.#readiness.lose(loss)
    this.#forgetAnnounced()
    this.#parts.onLoss?.(loss, isRepeated)
  }

  #forgetAnnounced(): void {
    this.#applied.forget()
    this.#settling.waits.forget()
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function unreached(): Problem {
  return new Problem('store-unavailable', { retryAfterS: COLD_RETRY_AFTER_S })
}

function isQuicklyApplied(changes: readonly Change[]): boolean {
  let images = 0
  for (const change of changes) if ('imageIds' in change) images += change.imageIds.length
  return images <= IMAGES_AT_ONCE
}

// Keeps this process's catalogue equal to the store: reads everything once, then follows the changes.

import type { Redis } from 'ioredis'
import type { NotReadyReason } from '../../domain/not-ready.js'
import type { Bank } from '../../domain/organisations/bank.js'
import { Problem } from '../../domain/problem.js'
import type { StoreUnavailableError } from '../../domain/store-unavailable.js'
import { digestAt, type Followed, follow, type Loss, type Position } from '../../store/images/changes.js'
import { interrupt } from '../../store/redis/client.js'
import { isUnavailable, unavailableErrorFor } from '../../store/redis/unavailable-cause.js'
import type { Change } from '../../store/scripts/change-ops.js'
import type { WithdrawalLog } from '../../store/upkeep/withdrawal-log.js'
import { type Applying, applyingWith, IMAGES_AT_ONCE } from './applying.js'
import { Catalogue } from './catalogue.js'
import { type RevisionWaits, revisionWaits } from './freshness.js'
import { Grace } from './grace.js'
import { type LoadingParts, load } from './loading.js'

export interface ReplicaParts extends LoadingParts {
  /** What is taken back is noted there before it is answered; undefined for nowhere. */
  readonly withdrawals: WithdrawalLog | undefined
  /** A connection of its own: following blocks it. */
  readonly follower: Redis
  /** Told of changes before the catalogue has them. */
  readonly onChanges?: (changes: readonly Change[]) => void
  /** Told when what was followed so far is no part of the store's history, or not all of it; and whether that is so once more before it was made good. */
  readonly onLoss?: (loss: Loss, isRepeated: boolean) => void
  readonly hearing?: Hearing
  /** Milliseconds, never goes back. */
  readonly now: () => number
  /** What cannot be answered to anybody: the operator's to read. Never with hashes. Told once for what fails in the same way again and again. */
  readonly onTrouble: (error: unknown) => void
}

/** How long a replica goes by the store's last word. */
export interface Hearing {
  /** One that has not heard from the store for so long may not know of a withdrawal, so it must not answer. */
  readonly staleAfterMs: number
  /** So long a silence may still be this process's own: it stood still, and the store's word is a round trip away. */
  readonly graceMs: number
  /** So long at most whoever has written waits until it is known here as well. */
  readonly reachedWithinMs: number
}

export const HEARING: Hearing = { staleAfterMs: 1000, graceMs: 200, reachedWithinMs: 5000 }

/** Longest wait for a change before the store is asked whether it is still there. */
const BLOCK_MS = 250
/** The same, while nobody can be answered before the store has said that nothing is missing. */
const SOON_MS = 1
const RETRY_MS = 200
const COLD_RETRY_AFTER_S = 2
/** Digests of what was applied last: as far back as anybody waits for a write. */
const MAX_DIGESTS = 4096

export class Replica {
  readonly #parts: ReplicaParts
  readonly #hearing: Hearing
  #catalogue = new Catalogue()
  readonly #applying: Applying
  // Invariant: the catalogue is what the store held at this position; undefined until it has been read whole.
  #position: Position | undefined
  // Behind it while changes are being applied: nothing from behind this is in the catalogue.
  #reached: Position | undefined
  // The catalogue may have anything up to here, so the store's history has to have it too; undefined once that is known.
  #checkpoint: Position | undefined
  #isFromSnapshot = false
  readonly #digests = new Map<number, string>()
  // Why the catalogue was not known to be the store's last word; undefined once it was.
  #why: NotReadyReason | undefined = 'loading'
  #failure:
    | { readonly reason: NotReadyReason; readonly message: string; readonly cause: StoreUnavailableError | undefined }
    | undefined
  // Invariant: told of no revision that the catalogue does not have; and the second of none before what it took back is noted.
  readonly #applied = revisionWaits(unreached)
  readonly #settled = revisionWaits(unreached)
  // What the catalogue has and is not noted yet: noted together, in its order, while what comes next is read and applied.
  #unsettled: { readonly changes: Change[]; revision: number } | undefined
  #settling: Promise<void> | undefined
  // What comes behind a revision, asked for while what led to it is being applied.
  #ahead: { readonly from: Position; readonly followed: Promise<Followed> } | undefined
  // When the store was last known to hold nothing newer than this catalogue.
  #heardAtMs = Number.NEGATIVE_INFINITY
  // Invariant: of the silence that lasts; a silence has one, and who comes after it was in vain waits for nothing.
  #grace: Grace | undefined
  #saved: Position | undefined
  #closed = false
  readonly #watchers = new Set<(changes: readonly Change[]) => void>()

  constructor(parts: ReplicaParts) {
    this.#parts = parts
    this.#applying = applyingWith(parts)
    this.#hearing = parts.hearing ?? HEARING
  }

  /** Begins, and goes on until `close`, through every loss of the store. @returns when the first hydration is done. */
  async start(): Promise<void> {
    this.#run()
    await this.reached(0, Number.POSITIVE_INFINITY)
  }

  /** A command that waits for a connection which is given up is never settled, so the turn that it is part of is not waited for. */
  async close(): Promise<void> {
    this.#closed = true
    this.#parts.follower.disconnect()
    await this.#settling
    await this.#parts.withdrawals?.close()
  }

  /**
   * Writes a snapshot if there is something new to write. What the last one holds of withdrawn images is gone then.
   * @throws {Problem} store-unavailable {Error} when the disk does not take it; the last snapshot stays.
   */
  async saveSnapshot(): Promise<void> {
    const position = this.#position
    if (position === undefined || position.digest === this.#saved?.digest) return
    const catalogue = this.#catalogue
    const until = () => (this.#position !== undefined && this.#catalogue === catalogue ? this.#reached : undefined)
    await this.#parts.snapshots?.save(catalogue, position, until)
    this.#saved = position
  }

  /** The same although nothing is new: what seals has changed. */
  async saveAgain(): Promise<void> {
    this.#saved = undefined
    await this.saveSnapshot()
  }

  /** @throws {Problem} index-loading before the first hydration and after a gap; store-unavailable when withdrawals may be missing. */
  get catalogue(): Catalogue {
    const reason = this.notReady
    if (reason === undefined) return this.#catalogue
    const code = this.#position === undefined ? 'index-loading' : 'store-unavailable'
    const cause = reason === 'store-unavailable' ? this.#failure?.cause : undefined
    throw new Problem(code, { retryAfterS: COLD_RETRY_AFTER_S, reason, ...(cause !== undefined && { cause }) })
  }

  get revision(): number | undefined {
    return this.#position?.revision
  }

  /** Nothing from behind it was told to `onChanges` or is in the catalogue; `undefined` until that has been read whole. */
  get position(): Position | undefined {
    return this.#reached
  }

  /** Of an image that this process knows, however old that is. */
  bankOf(id: string): string | undefined {
    return this.#catalogue.bankOf(id)
  }

  /**
   * The only bank that goes by this name, as far as this process knows, however old that is.
   * @throws {Problem} index-loading before the first hydration.
   */
  bankNamed(name: string): Bank | undefined {
    if (this.#position === undefined) throw new Problem('index-loading', { retryAfterS: COLD_RETRY_AFTER_S })
    return this.#catalogue.banks.single(name)
  }

  get isReady(): boolean {
    return this.#position !== undefined && !this.#isStale
  }

  /** What keeps it from answering; `undefined` while it answers. */
  get notReady(): NotReadyReason | undefined {
    if (this.isReady) return undefined
    return this.#failure?.reason ?? this.#why ?? 'stale'
  }

  /** How long ago the store was known to hold nothing newer than the catalogue; infinite before it was for the first time. */
  get heardAgoMs(): number {
    return this.#parts.now() - this.#heardAtMs
  }

  get #isStale(): boolean {
    return this.heardAgoMs > this.#hearing.staleAfterMs
  }

  /**
   * For whoever comes while the store's last word is too old. Where this process stood still, as when its machine was taken away for a
   * second, nobody is away, and he need not be refused.
   * @returns what comes with the store's next word, or in vain after a moment; nothing where that was in vain already, or is not needed.
   */
  heardSoon(): Promise<void> | undefined {
    if (this.#position === undefined || !this.#isStale) return undefined
    this.#grace ??= new Grace(this.#hearing.graceMs)
    return this.#grace.isOver ? undefined : this.#grace.over
  }

  /**
   * Waits until this process's catalogue has what was written at `at`, and has noted what that took back. Of what this process wrote itself a
   * revision is enough; of anything else the position says in which history.
   * @throws {Problem} store-unavailable, also when the store lost it.
   */
  async reached(at: number | Position, timeoutMs = this.#hearing.reachedWithinMs): Promise<void> {
    await this.#has(this.#settled, at, timeoutMs)
  }

  /** The same where nothing was taken back: it waits for no file, whatever others take back. @throws {Problem} store-unavailable */
  async applied(at: number | Position): Promise<void> {
    await this.#has(this.#applied, at, this.#hearing.reachedWithinMs)
  }

  async #has(waits: RevisionWaits, at: number | Position, timeoutMs: number): Promise<void> {
    const revision = typeof at === 'number' ? at : at.revision
    const digest = typeof at === 'number' ? this.#parts.store.digestWritten(at) : at.digest
    await waits.until(revision, timeoutMs)
    if (digest === undefined || digest === this.#digests.get(revision)) return
    if (this.#digests.has(revision)) {
      // Another change has this number here: what is followed is not the history that was written to.
      this.#lose('history-diverged')
      interrupt(this.#parts.follower)
      await waits.until(revision, timeoutMs)
    }
    if ((await digestAt(this.#parts.store, revision)) !== digest) throw unreached()
  }

  /**
   * Tells of changes once the catalogue has them, in their order; after a gap they do not begin where the last ended.
   * @returns what ends it.
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
      this.#failure = undefined
      if (this.#position === undefined && !this.#closed) await pause(RETRY_MS)
    } catch (error) {
      if (this.#closed) return
      this.#noteFailure(error)
      await pause(RETRY_MS)
    }
  }

  #noteFailure(error: unknown): void {
    const isStoreUnavailable = error instanceof Problem || isUnavailable(error)
    const reason = isStoreUnavailable ? 'store-unavailable' : 'failing'
    const cause = isStoreUnavailable ? unavailableErrorFor(error instanceof Problem ? error.cause : error) : undefined
    const message = cause?.unavailableCause ?? (error instanceof Error ? error.message : reason)
    const isNew = message !== this.#failure?.message
    this.#failure = { reason, message, cause }
    if (isNew && !(error instanceof Problem)) this.#parts.onTrouble(error)
  }

  /** Whether it is the store's last word shows with the first follow, and until then nothing is answered from it. */
  async #hydrate(): Promise<void> {
    const { store, withdrawals, own } = this.#parts
    await this.#settling
    this.#forgetTold() // it may be another history
    store.forgetWritten()
    await withdrawals?.begin(store)
    const { catalogue, position, until, isFromSnapshot } = await load(this.#parts, this.#applying)
    this.#catalogue = catalogue
    own?.forgetAll()
    this.#isFromSnapshot = isFromSnapshot
    this.#checkpoint = until
    this.#saved = isFromSnapshot ? position : undefined
    this.#digests.clear()
    if (!this.#passes(position)) return this.#lose('history-diverged')
    this.#advance(position)
    this.#position = position
  }

  async #followOnce(from: Position): Promise<void> {
    const followed = await this.#follow(from)
    if (this.#position !== from) return // it was found out meanwhile that this is not the store's history
    if (followed.kind === 'gap') return this.#lose(followed.loss)
    const { changes, positions, caughtUpAtMs } = followed
    if (!positions.every((position) => this.#passes(position))) return this.#lose('history-diverged')
    const last = positions.at(-1)
    if (last === undefined) this.#catalogue.tidy()
    else {
      if (isSoonApplied(changes)) this.#followAhead(last)
      this.#reached = last
      this.#parts.onChanges?.(changes)
      await this.#applying.apply(this.#catalogue, changes, last)
      if (this.#position !== from) return
    }
    if (this.#closed) return // what is not noted now, the next start reads in the stream
    if (caughtUpAtMs !== undefined && this.#checkpoint !== undefined) return this.#lose('history-diverged')
    if (caughtUpAtMs !== undefined) this.#caughtUp(caughtUpAtMs)
    for (const position of positions) this.#advance(position)
    this.#position = last ?? from
    const { revision } = this.#position
    this.#parts.own?.followed(revision)
    this.#applied.tell(revision)
    this.#settle(changes, revision)
    if (this.isReady) this.#endGrace()
    if (changes.length > 0) for (const watcher of this.#watchers) watcher(changes)
  }

  /** @returns whether a history that has this position may still have the checkpoint. */
  #passes({ revision, digest }: Position): boolean {
    if (this.#checkpoint === undefined || revision < this.#checkpoint.revision) return true
    const isOnIt = digest === this.#checkpoint.digest
    if (isOnIt) this.#checkpoint = undefined
    return isOnIt
  }

  #caughtUp(atMs: number): void {
    this.#heardAtMs = atMs
    this.#why = undefined
    this.#isFromSnapshot = false
  }

  #advance(position: Position): void {
    this.#reached = position
    this.#digests.set(position.revision, position.digest)
    const [oldest] = this.#digests.size > MAX_DIGESTS ? this.#digests.keys() : []
    if (oldest !== undefined) this.#digests.delete(oldest)
  }

  /** Everything has to be read again, and not from the snapshot that led here. */
  #lose(loss: Loss): void {
    if (this.#isFromSnapshot) this.#parts.snapshots?.discard()
    this.#position = this.#reached = this.#checkpoint = this.#saved = undefined
    const isRepeated = this.#why === loss
    this.#why = loss
    this.#heardAtMs = Number.NEGATIVE_INFINITY
    this.#forgetTold()
    this.#parts.onLoss?.(loss, isRepeated)
  }

  #follow(from: Position): Promise<Followed> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead?.from === from) return ahead.followed
    return follow(this.#parts.follower, from, this.isReady ? BLOCK_MS : SOON_MS, this.#parts.now)
  }

  /**
   * To apply what came takes a visit to the store, and then what came meanwhile need not be asked for. An answer counts as old as its
   * question, so not where applying takes long.
   */
  #followAhead(from: Position): void {
    const followed = this.#follow(from)
    followed.catch(() => {}) // whoever needs it will see
    this.#ahead = { from, followed }
  }

  #endGrace(): void {
    this.#grace?.end()
    this.#grace = undefined
  }

  #settle(changes: readonly Change[], revision: number): void {
    this.#unsettled ??= { changes: [], revision }
    this.#unsettled.changes.push(...changes)
    this.#unsettled.revision = revision
    this.#settling ??= this.#settleAll()
  }

  async #settleAll(): Promise<void> {
    for (let next = this.#unsettled; next !== undefined; next = this.#unsettled) {
      this.#unsettled = undefined
      await this.#parts.withdrawals?.note(next.changes)
      this.#settled.tell(next.revision)
    }
    this.#settling = undefined
  }

  #forgetTold(): void {
    this.#applied.forget()
    this.#settled.forget()
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

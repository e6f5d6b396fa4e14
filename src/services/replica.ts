// Keeps this process's catalogue equal to the store: reads everything once, then follows the changes.

import type { Redis } from 'ioredis'
import { Problem } from '../domain/problem.js'
import type { RegisteredImage } from '../domain/signal.js'
import type { Standing } from '../domain/trust.js'
import type { ApiKeys } from '../store/api-keys.js'
import type { Banks } from '../store/banks.js'
import { type Change, type Followed, follow, lastRevision } from '../store/changes.js'
import type { ImageReader } from '../store/image-reader.js'
import type { Images } from '../store/images.js'
import type { OwnWrites } from '../store/own-writes.js'
import type { Store } from '../store/store.js'
import type { Trusts } from '../store/trust.js'
import type { WithdrawalLog } from '../store/withdrawal-log.js'
import { Catalogue } from './catalogue.js'
import { Grace } from './grace.js'
import { paceMaker } from './pace.js'
import { revisionWaits } from './revision-waits.js'
import type { Snapshots } from './snapshot.js'

export interface ReplicaParts {
  readonly store: Store
  readonly images: Images
  /** What this process writes: that is not read back. Left out, everything is. */
  readonly own?: Pick<OwnWrites, 'of' | 'followed' | 'forgetAll'>
  readonly reader: ImageReader
  readonly snapshots: Snapshots | undefined
  /** What is taken back is noted there before it is answered; undefined for nowhere. */
  readonly withdrawals: WithdrawalLog | undefined
  readonly trusts: Trusts
  readonly banks: Banks
  readonly apiKeys: ApiKeys
  /** A connection of its own: following blocks it. */
  readonly follower: Redis
  /** Told of changes before the catalogue has them. */
  readonly onChanges?: (changes: readonly Change[]) => void
  readonly hearing?: Hearing
  readonly now: () => number
  /** What cannot be answered to anybody: the operator's to read. Never with hashes. */
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
/** How long filling the indexes may keep the event loop from others in one go. */
const TURN_MS = 5
/** Unsealing and adding so many takes about half a millisecond, and then others of this process get their turn. */
const IMAGES_AT_ONCE = 50
const COLD_RETRY_AFTER_S = 2
const NOTHING_OWN: ReadonlyMap<string, RegisteredImage> = new Map()

export class Replica {
  readonly #parts: ReplicaParts
  readonly #hearing: Hearing
  #catalogue = new Catalogue()
  // Invariant: the catalogue is what the store held at this revision; undefined until it has been read whole.
  #revision: number | undefined
  // Invariant: told of no revision that the catalogue does not have; and the second of none before what it took back is noted.
  readonly #applied = revisionWaits(unreached)
  readonly #settled = revisionWaits(unreached)
  // What the catalogue has and is not noted yet: noted together, in its order, while what comes next is read and applied.
  #unsettled: { readonly changes: Change[]; revision: number } | undefined
  #settling: Promise<void> | undefined
  // What comes behind a revision, asked for while what led to it is being applied.
  #ahead: { readonly from: number; readonly followed: Promise<Followed> } | undefined
  // When the store was last known to hold nothing newer than this catalogue.
  #heardAtMs = Number.NEGATIVE_INFINITY
  // Invariant: of the silence that lasts; a silence has one, and who comes after it was in vain waits for nothing.
  #grace: Grace | undefined
  #savedRevision: number | undefined
  #closed = false
  readonly #watchers = new Set<(changes: readonly Change[]) => void>()

  constructor(parts: ReplicaParts) {
    this.#parts = parts
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
   * @throws {Problem} store-away {Error} when the disk does not take it; the last snapshot stays.
   */
  async saveSnapshot(): Promise<void> {
    const revision = this.#revision
    if (revision === undefined || revision === this.#savedRevision) return
    await this.#parts.snapshots?.save(this.#catalogue, revision)
    this.#savedRevision = revision
  }

  /** The same although nothing is new: what seals has changed. */
  async saveAgain(): Promise<void> {
    this.#savedRevision = undefined
    await this.saveSnapshot()
  }

  /** @throws {Problem} index-cold before the first hydration and after a gap; store-away when withdrawals may be missing. */
  get catalogue(): Catalogue {
    if (this.#revision === undefined) throw new Problem('index-cold', { retryAfterS: COLD_RETRY_AFTER_S })
    if (this.#isStale) throw new Problem('store-away', { retryAfterS: COLD_RETRY_AFTER_S })
    return this.#catalogue
  }

  get revision(): number | undefined {
    return this.#revision
  }

  /** Of an image that this process knows, however old that is. */
  bankOf(id: string): string | undefined {
    return this.#catalogue.bankOf(id)
  }

  get isReady(): boolean {
    return this.#revision !== undefined && !this.#isStale
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
    if (this.#revision === undefined || !this.#isStale) return undefined
    this.#grace ??= new Grace(this.#hearing.graceMs)
    return this.#grace.isOver ? undefined : this.#grace.over
  }

  /** Waits until this process's catalogue has what was written at `revision`, and has noted what that took back. @throws {Problem} store-away */
  async reached(revision: number, timeoutMs = this.#hearing.reachedWithinMs): Promise<void> {
    await this.#settled.until(revision, timeoutMs)
  }

  /** The same where nothing was taken back: it waits for no file, whatever others take back. @throws {Problem} store-away */
  async applied(revision: number): Promise<void> {
    await this.#applied.until(revision, this.#hearing.reachedWithinMs)
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
      if (this.#revision === undefined) await this.#hydrate()
      await this.#followOnce()
    } catch (error) {
      if (this.#closed) return
      if (!(error instanceof Problem)) this.#parts.onTrouble(error)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  /** Whether it is the store's last word shows with the first follow, and until then nothing is answered from it. */
  async #hydrate(): Promise<void> {
    const { snapshots, store, trusts, banks, apiKeys, now } = this.#parts
    await this.#settling
    this.#forgetTold() // it may be another history
    await this.#parts.withdrawals?.begin(store)
    const snapshot = await snapshots?.load()
    // The revision is read first: what changes while the rest is read comes again with the stream, and does no harm twice. Before the
    // first change there is nothing to read, and starting the thread that reads would be most of a start.
    const revision = snapshot?.revision ?? (await lastRevision(store))
    const catalogue = snapshot?.catalogue ?? (revision === 0 ? new Catalogue() : await this.#readAll())
    for await (const standings of trusts.allStandings()) await this.#setStandings(catalogue, standings)
    for (const bank of await banks.all()) catalogue.banks.set(bank.name, bank)
    for (const key of await apiKeys.all()) catalogue.apiKeys.set(key.keyId, key)
    const giveWay = paceMaker(TURN_MS, now)
    while (catalogue.tidy()) await giveWay()
    this.#catalogue = catalogue
    this.#parts.own?.forgetAll()
    this.#revision = revision
    this.#savedRevision = snapshot?.revision
  }

  async #readAll(): Promise<Catalogue> {
    const catalogue = new Catalogue()
    for await (const columns of this.#parts.reader.columns()) catalogue.load(columns)
    return catalogue
  }

  async #followOnce(): Promise<void> {
    const from = this.#revision ?? 0
    const followed = await this.#follow(from)
    if (followed.kind === 'gap') {
      this.#revision = undefined
      this.#forgetTold()
      return
    }
    const last = followed.changes.at(-1)?.revision
    if (last === undefined) this.#catalogue.tidy()
    else if (isSoonApplied(followed.changes)) this.#followAhead(last)
    this.#parts.onChanges?.(followed.changes)
    await this.#applyAll(followed.changes)
    if (this.#closed) return // what is not noted now, the next start reads in the stream
    if (followed.caughtUpAtMs !== undefined) this.#heardAtMs = followed.caughtUpAtMs
    this.#revision = last ?? from
    this.#parts.own?.followed(this.#revision)
    this.#applied.tell(this.#revision)
    this.#settle(followed.changes, this.#revision)
    if (this.isReady) this.#endGrace()
    if (followed.changes.length > 0) for (const watcher of this.#watchers) watcher(followed.changes)
  }

  #follow(from: number): Promise<Followed> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead?.from === from) return ahead.followed
    return follow(this.#parts.follower, from, this.isReady ? BLOCK_MS : SOON_MS, this.#parts.now)
  }

  /**
   * To apply what came takes a visit to the store, and then what came meanwhile need not be asked for. An answer counts as old as its
   * question, so not where applying takes long.
   */
  #followAhead(from: number): void {
    const followed = this.#follow(from)
    followed.catch(() => {}) // whoever needs it will see
    this.#ahead = { from, followed }
  }

  /**
   * Tombstones first: a withdrawal does not wait for the images that came before it. Any order is right, because what is
   * read for a change is the store's state now; if that is newer than the change, the change that made it newer follows.
   */
  async #applyAll(changes: readonly Change[]): Promise<void> {
    const own = this.#parts.own?.of(changes) ?? NOTHING_OWN
    const added: string[] = []
    const judged: string[] = []
    for (const change of changes) {
      if (change.op === 'tombstone') for (const id of change.imageIds) this.#catalogue.remove(id)
      else if (change.op === 'image') added.push(...change.imageIds.filter((id) => !own.has(id)))
      else if (change.op === 'standing') judged.push(...change.imageIds)
    }
    for (const [id, image] of own) this.#catalogue.put(id, image)
    for (let at = 0; at < added.length; at += IMAGES_AT_ONCE) await this.#load(added.slice(at, at + IMAGES_AT_ONCE))
    await this.#judge(judged)
    for (const change of changes) if (change.op === 'bank' || change.op === 'api-key') await this.#applyNamed(change)
  }

  async #load(ids: readonly string[]): Promise<void> {
    const found = await this.#parts.images.get(ids)
    ids.forEach((id, i) => {
      const image = found[i]
      if (image === undefined) this.#catalogue.remove(id)
      else this.#catalogue.put(id, image)
    })
  }

  /** Of images about which nothing is said any more there is a tombstone in the stream. */
  async #judge(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const standings = await this.#parts.trusts.standings(ids)
    await this.#setStandings(
      this.#catalogue,
      ids.flatMap((imageId, i) => {
        const standing = standings[i]
        return standing === undefined ? [] : [{ imageId, standing }]
      }),
    )
  }

  async #setStandings(
    catalogue: Catalogue,
    standings: readonly { readonly imageId: string; readonly standing: Standing }[],
  ): Promise<void> {
    const missing = standings.filter(({ imageId, standing }) => catalogue.setStanding(imageId, standing))
    if (missing.length === 0) return
    const found = await this.#parts.images.get(missing.map(({ imageId }) => imageId))
    missing.forEach(({ imageId, standing }, i) => {
      const image = found[i]
      if (image === undefined) return
      catalogue.put(imageId, image)
      catalogue.setStanding(imageId, standing)
    })
  }

  async #applyNamed(change: Change & { readonly op: 'bank' | 'api-key' }): Promise<void> {
    const catalogue = this.#catalogue
    switch (change.op) {
      case 'bank': {
        const bank = await this.#parts.banks.get(change.name)
        if (bank === undefined) catalogue.banks.delete(change.name)
        else catalogue.banks.set(change.name, bank)
        break
      }
      case 'api-key': {
        const key = await this.#parts.apiKeys.get(change.name)
        if (key === undefined) catalogue.apiKeys.delete(change.name)
        else catalogue.apiKeys.set(change.name, key)
        break
      }
    }
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

function unreached(): Problem {
  return new Problem('store-away', { retryAfterS: COLD_RETRY_AFTER_S })
}

function isSoonApplied(changes: readonly Change[]): boolean {
  let images = 0
  for (const change of changes) if ('imageIds' in change) images += change.imageIds.length
  return images <= IMAGES_AT_ONCE
}

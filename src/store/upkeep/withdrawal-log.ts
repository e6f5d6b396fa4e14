// Records withdrawals in files outside of Redis, so that a restore of an older backup can apply them again.

import { changeAt, changesBetween, lastRevision } from '../images/changes.js'
import type { Store } from '../redis/client.js'
import type { Change } from '../scripts/change-ops.js'
import { createWithdrawalFiles, type WithdrawalFiles } from './withdrawal-files.js'
import {
  type LogFolder,
  type LogStatus,
  markOf,
  NO_MARK,
  readLogFolder,
  recordsOf,
  recordText,
} from './withdrawal-records.js'

export interface WithdrawalLog {
  /**
   * Records what happened while no process with this folder ran, from the store's change stream. From then on it confirms every 10 s that
   * nothing is missing, or retries what is. @throws {Problem} store-unavailable
   */
  begin(store: Store): Promise<void>
  /**
   * Records the withdrawals among these changes. On disk when it returns; a withdrawal is answered after that. A failing disk does not prevent a
   * withdrawal: before this returns, `onError` is called, and `status` in the folder says that records are missing. Once the disk works again, they
   * are read from the change stream and recorded.
   */
  note(changes: readonly Change[]): Promise<void>
  /** Records how far this process came, and closes the file. */
  close(): Promise<void>
}

/** Changes without a withdrawal between two `seen` records: bounds what the next start reads from the stream. */
const SEEN_INTERVAL = 1000
const HEARTBEAT_INTERVAL_MS = 10_000

/** Message for the operator; the error's `cause` has the reason. */
const notRecorded = (error: unknown) =>
  `What is withdrawn cannot be noted on disk (${error instanceof Error && 'code' in error ? error.code : 'see the cause'}). It takes effect, but a restore would bring it back. See TabirWithdrawalsNotNoted in the runbook.`
const NOT_SAID = ' Nor can the log say so: a restore would not know. Make a backup once the disk works.'

/**
 * @param folder of the log; other processes on this machine may use the same.
 * @param now [epoch ms] wall clock, for the names of files and for `status`.
 * @param onError called at once when changes cannot be recorded; not again for a failed retry.
 */
export function createWithdrawalLog(
  folder: string,
  now: () => number,
  onError: (error: unknown) => void,
): WithdrawalLog & { readonly isBehind: boolean } {
  const recorder = new WithdrawalRecorder(folder, now, onError)
  let timer: NodeJS.Timeout | undefined
  let last: Promise<void> = Promise.resolve()
  /** Calls and heartbeats run one after the other. */
  const inOrder = (work: () => Promise<void>) => {
    const done = last.then(work)
    last = done.catch(() => {}) // its own caller gets the error
    return done
  }
  return {
    get isBehind() {
      return recorder.isBehind
    },
    begin(store) {
      timer ??= setInterval(() => void inOrder(() => recorder.heartbeat()), HEARTBEAT_INTERVAL_MS).unref()
      return inOrder(() => recorder.begin(store))
    },
    note: (changes) => inOrder(() => recorder.note(changes)),
    close() {
      clearInterval(timer)
      return inOrder(() => recorder.close())
    },
  }
}

/** The state of the log in this process. Its methods must not overlap. */
class WithdrawalRecorder {
  readonly #folder: string
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #files: WithdrawalFiles
  #store: Store | undefined
  /** The newest change that this process knows of. Invariant: everything up to it is recorded, unless `isBehind`. */
  #newest: KnownChange | undefined
  /** Invariant: the revision of the newest record. The next record continues there. */
  #written = 0
  /** Records that must be written before any other. */
  #owed: readonly string[] = []
  /** True while something could not be recorded. */
  isBehind = false

  constructor(folder: string, now: () => number, onError: (error: unknown) => void) {
    this.#folder = folder
    this.#now = now
    this.#onError = onError
    this.#files = createWithdrawalFiles(folder, now)
  }

  async begin(store: Store): Promise<void> {
    const revision = await lastRevision(store)
    const log = await readLogFolder(this.#folder).catch((error: unknown) => {
      this.#onError(error)
      return { records: [], status: undefined }
    })
    const known = this.#newest ?? newestIn(log)
    if (this.#newest === undefined) this.#written = log.records.at(-1)?.revision ?? 0
    const recorded = this.isBehind ? this.#written : known.revision
    const back = await wentBackTo(store, known, revision, log)
    if (back !== undefined) {
      this.#owed = [recordText({ after: known.revision, revision: back, mark: NO_MARK }, 'back')]
      this.#written = back
    }
    const until = { revision, mark: (await markAt(store, revision)) ?? NO_MARK }
    this.#store = store
    this.#newest = until
    await this.#orBehind(async () => {
      await this.#catchUp(store, back ?? recorded, until)
      await this.#files.writeStatus(this.#statusNow(true))
    })
  }

  async note(changes: readonly Change[]): Promise<void> {
    const known = this.#newest?.revision ?? 0
    const unknown = changes.filter(({ revision }) => revision > known)
    const last = unknown.at(-1)
    if (last === undefined) return
    const until = { revision: last.revision, mark: markOf(last) }
    this.#newest = until
    const store = this.#store
    if (this.isBehind && store !== undefined) return this.#orBehind(() => this.#catchUp(store, this.#written, until))
    if (this.isBehind) this.#written = known // without a store what is missing cannot be read again: a gap remains
    const { texts, revision } = recordsOf(unknown, this.#written)
    if (texts.length > 0) await this.#orBehind(() => this.#add(texts, revision))
    else if (until.revision - this.#written >= SEEN_INTERVAL) await this.#orBehind(() => this.#addSeen(until))
  }

  /** Writes `status` again, so that a broken disk is noticed before somebody withdraws; or retries what is missing. */
  async heartbeat(): Promise<void> {
    const [store, until] = [this.#store, this.#newest]
    if (store === undefined || until === undefined) return
    await this.#orBehind(async () => {
      if (this.isBehind) return this.#catchUp(store, this.#written, until)
      const status = await this.#files.readStatus()
      // Another process that is behind, and knows at least as much as this one, wrote `status`: leave it.
      const isOfAnother = status?.isWhole === false && status.revision >= until.revision
      if (!isOfAnother) await this.#files.writeStatus(this.#statusNow(true))
    }, false)
  }

  async close(): Promise<void> {
    const until = this.#newest
    if (until !== undefined && !this.isBehind)
      await this.#orBehind(async () => {
        if (until.revision > this.#written) await this.#addSeen(until)
        await this.#files.writeStatus(this.#statusNow(true))
      })
    await this.#files.close()
  }

  #statusNow(isWhole: boolean): LogStatus {
    const position = isWhole && this.#newest !== undefined ? this.#newest : { revision: this.#written, mark: NO_MARK }
    return { ...position, isWhole, noted: this.#written, atMs: this.#now() }
  }

  /** @param revision of the last of these records. */
  async #add(texts: readonly string[], revision: number): Promise<void> {
    const all = [...this.#owed, ...texts]
    if (all.length > 0) await this.#files.append(all, { ...this.#statusNow(false), isWhole: true })
    this.#owed = []
    this.#written = revision
  }

  /** Records that there was nothing to record up to a change. */
  async #addSeen(until: KnownChange): Promise<void> {
    await this.#add([recordText({ after: this.#written, ...until }, 'seen')], until.revision)
  }

  /** Records what the change stream still has after a revision. What it no longer has remains a gap. */
  async #catchUp(store: Store, after: number, until: KnownChange): Promise<void> {
    for await (const changes of changesBetween(store, after, until.revision)) {
      if (changes === 'gap') return this.#add([recordText({ after: until.revision, ...until }, 'seen')], until.revision)
      const { texts, revision } = recordsOf(changes, this.#written)
      if (texts.length > 0) await this.#add(texts, revision)
    }
    if (until.revision - this.#written >= SEEN_INTERVAL) await this.#addSeen(until)
    else await this.#add([], this.#written)
  }

  /**
   * Runs `work`. If it fails, `status` says that something is missing and the operator is notified; nothing is thrown.
   * @param isNew false for a retry: then the operator knows already.
   */
  async #orBehind(work: () => Promise<void>, isNew = true): Promise<void> {
    try {
      await work()
      if (this.isBehind) await this.#files.writeStatus(this.#statusNow(true))
      this.isBehind = false
    } catch (error) {
      const isReported = isNew || !this.isBehind
      this.isBehind = true
      await this.#files.close().catch(() => {}) // the next try opens the file again: the disk may be another one then
      const isSaid = await this.#files.writeStatus(this.#statusNow(false)).then(
        () => true,
        () => false,
      )
      if (isReported) this.#onError(new Error(`${notRecorded(error)}${isSaid ? '' : NOT_SAID}`, { cause: error }))
    }
  }
}

/** A change, and the mark that tells it from a change with the same revision in another history. */
interface KnownChange {
  readonly revision: number
  readonly mark: string
}

/** The newest change that the log knows of. */
function newestIn({ records, status }: LogFolder): KnownChange {
  const newest = records.at(-1) ?? { revision: 0, mark: NO_MARK }
  return status?.isWhole === true && status.revision > newest.revision ? status : newest
}

/** Records that are compared with the store's history. */
const MAX_COMPARED = 100

/**
 * Finds out whether the store lost recorded changes, by a restore or a failover. Such a store reuses their revisions.
 * @returns the last revision known to be common to log and store, 0 when none is known; undefined when nothing was lost.
 */
async function wentBackTo(
  store: Store,
  known: KnownChange,
  revision: number,
  { records }: LogFolder,
): Promise<number | undefined> {
  if (known.revision <= revision && (await isOfThisHistory(store, known))) return undefined
  const compared = records.filter((record) => record.revision <= revision && record.mark !== NO_MARK).slice(-MAX_COMPARED)
  for (const record of compared.toReversed())
    if ((await markAt(store, record.revision)) === record.mark) return record.revision
  return 0
}

/** True also when the stream cannot tell: it is trimmed, and has no entry at a revision that a restore raised. */
async function isOfThisHistory(store: Store, { revision, mark }: KnownChange): Promise<boolean> {
  if (mark === NO_MARK) return true
  const found = await markAt(store, revision)
  return found === undefined || found === mark
}

/** @returns the mark of the change at a revision; undefined when the stream was trimmed there, or never had it. */
export async function markAt(store: Store, revision: number): Promise<string | undefined> {
  const change = await changeAt(store, revision)
  return change === undefined ? undefined : markOf(change)
}

// What was taken back, in files beside the store: whoever restores an older state of the store has to take it back again.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeOnce, openRecordFile, overwrite, type RecordFile } from '../../files/record-file.js'
import { changeAt, changesBetween, lastRevision } from '../images/changes.js'
import type { Store } from '../redis/client.js'
import type { Change } from '../scripts/change-ops.js'
import {
  type LogFolder,
  type LogStatus,
  logFileName,
  markOf,
  NO_MARK,
  readLogFolder,
  readLogStatus,
  recordsOf,
  recordText,
  STATUS_FILE,
  statusText,
} from './withdrawal-records.js'

export interface WithdrawalLog {
  /**
   * Adds what happened while no process of this folder was there, from the store's change stream. From then on it says every 10 s that nothing is
   * missing, and when something is, tries to add it. @throws {Problem} store-unavailable
   */
  begin(store: Store): Promise<void>
  /**
   * Adds what there is to add of these changes. On disk when it returns: a withdrawal is answered after that.
   * A disk that does not take it keeps nobody from withdrawing: it is told to `onError`, and `status` in the folder says that something is
   * missing before this returns. What is missing is read from the change stream and added as soon as the disk takes it.
   */
  note(changes: readonly Change[]): Promise<void>
  close(): Promise<void>
}

/** How much of the stream may have to be read at the next start. */
const SEEN_EVERY = 1000
const HEARTBEAT_MS = 10_000

/** What is told to the operator; the cause is beside it. */
const notNoted = (error: unknown) =>
  `What is withdrawn cannot be noted on disk (${error instanceof Error && 'code' in error ? error.code : 'see the cause'}). It takes effect, but a restore would bring it back. See TabirWithdrawalsNotNoted in the runbook.`
const NOT_SAID = ' Nor can the log say so: a restore would not know. Make a backup once the disk works.'

/**
 * @param folder other processes on this machine may use the same.
 * @param now wall clock, for the names of files and for `status`.
 * @param onError told at once when something cannot be noted.
 */
export function createWithdrawalLog(
  folder: string,
  now: () => number,
  onError: (error: unknown) => void,
): WithdrawalLog & { readonly isBehind: boolean } {
  const files = logFiles(folder, now)
  let store: Store | undefined
  // The newest change that this process knows of. Invariant: everything up to it is noted, unless `isBehind`.
  let heard: Heard | undefined
  // Invariant: the revision of the newest record, behind which the next one comes.
  let written = 0
  let isBehind = false
  // A record that has to come before any other.
  let owed: readonly string[] = []
  let timer: NodeJS.Timeout | undefined
  let last: Promise<void> = Promise.resolve()

  /** One at a time: what is noted, and what the clock does. */
  const inOrder = (work: () => Promise<void>) => {
    const done = last.then(work)
    last = done.catch(() => {}) // told to the caller of this one alone
    return done
  }
  const statusNow = (isWhole: boolean): LogStatus => ({
    ...(isWhole && heard !== undefined ? heard : { revision: written, mark: NO_MARK }),
    isWhole,
    noted: written,
    atMs: now(),
  })
  const add = async (texts: readonly string[], revision: number) => {
    const all = [...owed, ...texts]
    if (all.length > 0) await files.append(all, { ...statusNow(false), isWhole: true })
    owed = []
    written = revision
  }
  /** @param isNew or is it only tried again? Then the operator knows. */
  const orBehind = async (work: () => Promise<void>, isNew = true) => {
    try {
      await work()
      if (isBehind) await files.say(statusNow(true))
      isBehind = false
    } catch (error) {
      const isTold = isNew || !isBehind
      isBehind = true
      await files.close().catch(() => {}) // it may be another file, or another disk, the next time
      const isSaid = await files.say(statusNow(false)).then(
        () => true,
        () => false,
      )
      if (isTold) onError(new Error(`${notNoted(error)}${isSaid ? '' : NOT_SAID}`, { cause: error }))
    }
  }
  /** From the stream, for as long as that remembers; what it has forgotten stays a hole. */
  const catchUp = async (from: Store, after: number, until: Heard) => {
    for await (const changes of changesBetween(from, after, until.revision)) {
      if (changes === 'gap') return add([recordText({ after: until.revision, ...until }, 'seen')], until.revision)
      const { texts, revision } = recordsOf(changes, written)
      if (texts.length > 0) await add(texts, revision)
    }
    const isFar = until.revision - written >= SEEN_EVERY
    await add(isFar ? [recordText({ after: written, ...until }, 'seen')] : [], isFar ? until.revision : written)
  }
  const note = async (changes: readonly Change[]) => {
    const known = heard?.revision ?? 0
    const news = changes.filter(({ revision }) => revision > known)
    const newest = news.at(-1)
    if (newest === undefined) return
    const until = { revision: newest.revision, mark: markOf(newest) }
    heard = until
    const from = store
    if (isBehind && from !== undefined) return orBehind(() => catchUp(from, written, until))
    if (isBehind) written = known // it is nowhere to be read again: a hole
    const { texts, revision } = recordsOf(news, written)
    if (texts.length > 0) await orBehind(() => add(texts, revision))
    else if (until.revision - written >= SEEN_EVERY)
      await orBehind(() => add([recordText({ after: written, ...until }, 'seen')], until.revision))
  }
  const begin = async (from: Store) => {
    const revision = await lastRevision(from)
    const there = await readLogFolder(folder).catch((error: unknown) => {
      onError(error)
      return { records: [], status: undefined }
    })
    const known = heard ?? beginningOf(there)
    if (heard === undefined) written = there.records.at(-1)?.revision ?? 0
    const noted = isBehind ? written : known.revision
    const back = await wentBackTo(from, known, revision, there)
    if (back !== undefined) {
      owed = [recordText({ after: known.revision, revision: back, mark: NO_MARK }, 'back')]
      written = back
    }
    const until = { revision, mark: (await markAt(from, revision)) ?? NO_MARK }
    store = from
    heard = until
    await orBehind(async () => {
      await catchUp(from, back ?? noted, until)
      await files.say(statusNow(true))
    })
  }
  /** A disk that is lost is noticed before somebody withdraws. */
  const heartbeat = async () => {
    const [from, until] = [store, heard]
    if (from === undefined || until === undefined) return
    await orBehind(async () => {
      if (isBehind) return catchUp(from, written, until)
      const there = await files.status()
      const isOfAnother = there?.isWhole === false && there.revision >= until.revision // which knows more than this one
      if (!isOfAnother) await files.say(statusNow(true))
    }, false)
  }

  return {
    get isBehind() {
      return isBehind
    },
    begin(from) {
      timer ??= setInterval(() => void inOrder(heartbeat), HEARTBEAT_MS).unref()
      return inOrder(() => begin(from))
    },
    note: (changes) => inOrder(() => note(changes)),
    close() {
      clearInterval(timer)
      return inOrder(async () => {
        const until = heard
        if (until !== undefined && !isBehind)
          await orBehind(async () => {
            const isNew = until.revision > written
            if (isNew) await add([recordText({ after: written, ...until }, 'seen')], until.revision)
            await files.say(statusNow(true))
          })
        await files.close()
      })
    },
  }
}

/** A change that was heard of: which, and what tells it from one of another history. */
interface Heard {
  readonly revision: number
  readonly mark: string
}

function logFiles(folder: string, now: () => number) {
  // Kept open: each call that waits for the file waits for a turn of the event loop, and whoever withdraws waits for all of them.
  let opened: RecordFile | undefined
  const statusPath = join(folder, STATUS_FILE)
  const close = async () => {
    const left = opened
    opened = undefined
    await left?.close()
  }
  const openAt = async (path: string, status: LogStatus) => {
    if (opened?.path === path) return opened
    await close()
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await makeOnce(statusPath, statusText(status))
    opened = await openRecordFile(path)
    return opened
  }
  return {
    /** @param status what is said before there was anything to say. @throws when it is not on disk where it will be looked for. */
    async append(texts: readonly string[], status: LogStatus) {
      const path = join(folder, logFileName(now()))
      for (let tries = 0; tries < 2; tries++) {
        // A record that was cut short ends with the line that it is on.
        if (await (await openAt(path, status)).append(`\n${texts.join('\n')}\n`)) return
        await close()
      }
      throw new Error('the file of withdrawals does not stay where it is')
    },
    async say(status: LogStatus) {
      const text = statusText(status)
      await overwrite(statusPath, text).catch(async (error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await makeOnce(statusPath, text)
      })
    },
    status: () => readLogStatus(folder),
    close,
  }
}

/** What a process knows that has just started. */
function beginningOf({ records, status }: LogFolder): Heard {
  const newest = records.at(-1) ?? { revision: 0, mark: NO_MARK }
  return status?.isWhole === true && status.revision > newest.revision ? status : newest
}

/** So many records at most are looked for in the store's history. */
const MAX_COMPARED = 100

/**
 * Did the store lose something that was noted, by a restore or a failover? Then its revisions are given a second time.
 * @returns the last revision that the log and the store have in common, as far as is known; undefined when nothing was lost.
 */
async function wentBackTo(
  store: Store,
  known: Heard,
  revision: number,
  { records }: LogFolder,
): Promise<number | undefined> {
  if (known.revision <= revision && (await isOfThisHistory(store, known))) return undefined
  const compared = records.filter((record) => record.revision <= revision && record.mark !== NO_MARK).slice(-MAX_COMPARED)
  for (const record of compared.toReversed())
    if ((await markAt(store, record.revision)) === record.mark) return record.revision
  return 0
}

/** In doubt it is: the stream forgets, and has nothing at a revision that a restore raised. */
async function isOfThisHistory(store: Store, { revision, mark }: Heard): Promise<boolean> {
  if (mark === NO_MARK) return true
  const found = await markAt(store, revision)
  return found === undefined || found === mark
}

/** @returns by what the change of a revision is known; undefined when the stream has forgotten it, or never had it. */
export async function markAt(store: Store, revision: number): Promise<string | undefined> {
  const change = await changeAt(store, revision)
  return change === undefined ? undefined : markOf(change)
}

// What the logs of withdrawals know, for a restore.

import {
  historiesOf,
  isCovered,
  type LogFolder,
  type LogRecord,
  NO_MARK,
  newestOf,
  readLogFolder,
} from './withdrawal-records.js'

export interface Withdrawals {
  /** Erased since, by id. */
  readonly images: ReadonlySet<string>
  /** API keys that were made, changed or revoked since, by id. */
  readonly keys: ReadonlySet<string>
  /** Whether it is known that nothing is missing. */
  readonly isWhole: boolean
  /** Up to when that is known: a log whose disk was lost says nothing of later. Undefined when nothing is known. */
  readonly untilMs: number | undefined
  /** Is there a log at all? */
  readonly hasRecords: boolean
  /** The newest revision that any file knows. */
  readonly revision: number
}

/** The mark of the restored store's change at a revision; undefined when its stream has forgotten it, or never had it. */
export type MarkAt = (revision: number) => Promise<string | undefined>

/**
 * What was withdrawn after a revision, by all logs together: each process has its own, and what one missed another may have.
 * @param markAt tells, after an earlier restore, which records the backup has: revisions were then counted a second time, so numbers do not tell.
 *   When it is left out, all of those count.
 * @throws when a folder cannot be read.
 */
export async function withdrawnSince(
  folders: readonly string[],
  revision: number,
  markAt: MarkAt = async () => undefined,
): Promise<Withdrawals> {
  const images = new Set<string>()
  const keys = new Set<string>()
  const logs = await Promise.all(folders.map(async (folder) => compared(await readLogFolder(folder), revision, markAt)))
  for (const { since } of logs) {
    for (const record of since) {
      if (record.kind === 'images') for (const id of record.names) images.add(id)
      if (record.kind === 'key') for (const id of record.names) keys.add(id)
    }
  }
  const newest = Math.max(0, ...logs.map(newestOf))
  const untilMs = wholeUntilMs(logs, Math.max(newest, revision))
  const hasRecords = logs.some(({ records }) => records.length > 0)
  return { images, keys, isWhole: untilMs !== undefined, untilMs, hasRecords, revision: newest }
}

interface ComparedLog extends LogFolder {
  /** Of each history in the log, the revision up to which the backup has all of it. */
  readonly sharedUntil: readonly number[]
  /** The records that the backup does not have, or may not have. */
  readonly since: readonly LogRecord[]
}

async function compared(log: LogFolder, revision: number, markAt: MarkAt): Promise<ComparedLog> {
  const [first = [], ...later] = historiesOf(log.records)
  const marked = []
  for (const records of later) marked.push(await withMarks(records, revision, markAt))
  const since = [first.filter((record) => record.revision > revision)]
  const sharedUntil: number[] = []
  // The newest first: what two histories have in common ends where the later one begins.
  let shared = 0
  for (const records of marked.toReversed()) {
    // Within a history, the backup has all that came before a change that it has.
    const until = records.reduce(
      (most, { record, found }) => (record.mark === found ? Math.max(most, record.revision) : most),
      shared,
    )
    const isSince = ({ record, found }: MarkedRecord) =>
      found === undefined ? record.revision > until : record.mark !== found
    since.push(records.filter(isSince).map(({ record }) => record))
    sharedUntil.unshift(until)
    shared = Math.min(until, records[0]?.record.revision ?? 0)
  }
  return { ...log, sharedUntil: [revision, ...sharedUntil], since: since.flat() }
}

interface MarkedRecord {
  readonly record: LogRecord
  /** The store's mark at its revision; undefined when that is not known. */
  readonly found: string | undefined
}

async function withMarks(records: readonly LogRecord[], revision: number, markAt: MarkAt): Promise<MarkedRecord[]> {
  const marked: MarkedRecord[] = []
  for (const record of records)
    marked.push({ record, found: isComparable(record, revision) ? await markAt(record.revision) : undefined })
  return marked
}

function isComparable({ kind, mark, revision: at }: LogRecord, revision: number): boolean {
  return kind !== 'back' && mark !== NO_MARK && at <= revision
}

/** @returns until when the logs have everything that the backup has not; undefined when something may be missing. */
function wholeUntilMs(logs: readonly ComparedLog[], newest: number): number | undefined {
  // Those that have all that is known of are the ones that may say that there was no more.
  const last = logs.filter((log) => log.status?.isWhole === true && newestOf(log) >= newest)
  const together = logs.flatMap(({ records }) => records)
  const isOneHistory = together.every(({ kind }) => kind !== 'back')
  const whole = last.filter(({ records, sharedUntil, status }) =>
    isCovered(isOneHistory ? together : records, sharedUntil, status?.noted ?? 0),
  )
  return whole.length === 0 ? undefined : Math.max(...whole.map(({ status }) => status?.atMs ?? 0))
}

// For a restore: what was withdrawn after the backup, read from the logs of withdrawals.

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
  /** Ids of images erased since. */
  readonly images: ReadonlySet<string>
  /** Ids of API keys made, changed or revoked since. */
  readonly keys: ReadonlySet<string>
  /** True when the logs prove that nothing is missing. */
  readonly isWhole: boolean
  /** [epoch ms] Until when `isWhole` is proven: a log whose disk was lost does not know of later withdrawals. Undefined unless `isWhole`. */
  readonly untilMs: number | undefined
  /** True when any log has a record. */
  readonly hasRecords: boolean
  /** The newest revision that any log knows to exist. */
  readonly revision: number
}

/** The mark of the restored store's change at a revision; undefined when its stream was trimmed there, or never had it. */
export type MarkAt = (revision: number) => Promise<string | undefined>

/**
 * What was withdrawn after a revision, from all logs together: each machine has its own, and one may have what another missed.
 * @param folders of the logs.
 * @param revision of the backup.
 * @param markAt after an earlier restore revisions are reused, and only marks show which records the backup contains. Left out, all records
 *   after such a restore count as withdrawn since.
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
  /** Per history in the log: the revision up to which the backup contains it. */
  readonly sharedUntil: readonly number[]
  /** Records that the backup lacks, or may lack. */
  readonly since: readonly LogRecord[]
}

async function compared(log: LogFolder, revision: number, markAt: MarkAt): Promise<ComparedLog> {
  const [first = [], ...later] = historiesOf(log.records)
  const marked = []
  for (const records of later) marked.push(await withMarks(records, revision, markAt))
  const since = [first.filter((record) => record.revision > revision)]
  const sharedUntil: number[] = []
  // Newest first: what two histories share ends where the later one begins.
  let shared = 0
  for (const records of marked.toReversed()) {
    // If the backup has a change, it has everything before it in that history.
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
  /** The store's mark at the record's revision; undefined when unknown. */
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

/** @returns [epoch ms] until when the logs have everything that the backup lacks; undefined when something may be missing. */
function wholeUntilMs(logs: readonly ComparedLog[], newest: number): number | undefined {
  // Only a log that knows the newest revision can say that nothing followed.
  const last = logs.filter((log) => log.status?.isWhole === true && newestOf(log) >= newest)
  const together = logs.flatMap(({ records }) => records)
  const isOneHistory = together.every(({ kind }) => kind !== 'back')
  const whole = last.filter(({ records, sharedUntil, status }) =>
    isCovered(isOneHistory ? together : records, sharedUntil, status?.noted ?? 0),
  )
  return whole.length === 0 ? undefined : Math.max(...whole.map(({ status }) => status?.atMs ?? 0))
}

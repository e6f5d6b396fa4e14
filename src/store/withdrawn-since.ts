// What the logs of withdrawals know, for a restore.

import { isCovered, type LogFolder, newestOf, readLogFolder } from './withdrawal-records.js'

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

/**
 * What was taken back after a revision, by all logs together: each process has its own, and what one missed another may have.
 * @throws when a folder cannot be read.
 */
export async function withdrawnSince(folders: readonly string[], revision: number): Promise<Withdrawals> {
  const images = new Set<string>()
  const keys = new Set<string>()
  const logs = await Promise.all(folders.map(readLogFolder))
  for (const { records } of logs) {
    let isAfterBack = false
    for (const record of records) {
      if (record.kind === 'back') isAfterBack = true
      // After the store went back, revisions were counted a second time: then everything counts.
      if (!isAfterBack && record.revision <= revision) continue
      if (record.kind === 'images') for (const id of record.names) images.add(id)
      if (record.kind === 'key') for (const id of record.names) keys.add(id)
    }
  }
  const newest = Math.max(0, ...logs.map(newestOf))
  const untilMs = wholeUntilMs(logs, Math.max(newest, revision), revision)
  const hasRecords = logs.some(({ records }) => records.length > 0)
  return { images, keys, isWhole: untilMs !== undefined, untilMs, hasRecords, revision: newest }
}

/** @returns until when the logs have everything that happened after a revision; undefined when something may be missing. */
function wholeUntilMs(logs: readonly LogFolder[], newest: number, revision: number): number | undefined {
  // Those that have all that is known of are the ones that may say that there was no more.
  const last = logs.filter((log) => log.status?.isWhole === true && newestOf(log) >= newest)
  const together = logs.flatMap(({ records }) => records)
  const isOneHistory = together.every(({ kind }) => kind !== 'back')
  const whole = last.filter(({ records, status }) =>
    isCovered(isOneHistory ? together : records, revision, status?.noted ?? 0),
  )
  return whole.length === 0 ? undefined : Math.max(...whole.map(({ status }) => status?.atMs ?? 0))
}

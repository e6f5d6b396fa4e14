// The format of the log of withdrawals, and how a reader finds out whether something is missing in it.

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseUuid } from '../../../packages/core/src/ids.js'
import type { Change, ChangeOp } from '../scripts/change-ops.js'

/*
 * One file per month, `2026-11.log`: records in order, one per line, with empty lines between:
 *   <after> <revision> <mark> images <id> <id>… .   these images were erased
 *   <after> <revision> <mark> key <id> .            this API key was made, changed or revoked
 *   <after> <revision> <mark> seen .                nothing was withdrawn
 *   <after> <revision> <mark> back .                the store went back to this revision: it was restored, or lost its last changes
 * A record covers everything after `after` up to `revision`, so that a missing record leaves a gap between two others. A record that was cut
 * short has no full stop and is ignored. `mark` is a digest of the change at `revision`: another history has another mark.
 *
 * Records missing at the end leave no gap. The file `status` shows them. It exists before the first record and is overwritten in place, which
 * works on a full disk:
 *   whole  <noted> <revision> <mark> <time>   at this time nothing was missing up to `revision`; `noted` is the revision of the last record
 *   behind <noted> <revision> <mark> <time>   withdrawals after this revision may be missing
 */
export interface LogRecord {
  readonly after: number
  readonly revision: number
  readonly mark: string
  readonly kind: string
  readonly names: readonly string[]
}

export interface LogStatus {
  readonly isWhole: boolean
  /** Revision of the newest record. */
  readonly noted: number
  readonly revision: number
  readonly mark: string
  readonly atMs: number
}

export interface LogFolder {
  readonly records: readonly LogRecord[]
  /** Undefined when it is absent or malformed: then it is unknown whether records are missing. */
  readonly status: LogStatus | undefined
}

export const STATUS_FILE = 'status'
/** The mark of a revision whose change is unknown. */
export const NO_MARK = '0'.repeat(16)

const FILE = /^\d{4}-\d\d\.log$/
const RECORD = /^(\d+) (\d+) ([0-9a-f]{16}) (images|key|seen|back)(?: (.+))? \.$/
const STATUS = /^(whole|behind) +(\d{16}) (\d{16}) ([0-9a-f]{16}) (\S{24})\n$/

export function logFileName(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 7)}.log`
}

/** Always of the same length, since it overwrites the previous text. */
export function statusText({ isWhole, noted, revision, mark, atMs }: LogStatus): string {
  const word = (isWhole ? 'whole' : 'behind').padEnd(6)
  const [first, second] = [noted, revision].map((number) => String(number).padStart(16, '0'))
  return `${word} ${first} ${second} ${mark} ${new Date(atMs).toISOString()}\n`
}

/** What a record covers: the changes after `after` up to `revision`. */
export type RecordPlace = Pick<LogRecord, 'after' | 'revision' | 'mark'>

export function recordText(
  { after, revision, mark }: RecordPlace,
  kind: 'images' | 'key' | 'seen' | 'back',
  names = '',
): string {
  return `${after} ${revision} ${mark} ${kind}${names && ` ${names}`} .`
}

/**
 * Records of consecutive changes after a revision. Changes that withdraw nothing have none.
 * @returns the records, and the revision of the last of them; `after` when there are none.
 */
export function recordsOf(
  changes: readonly Change[],
  after: number,
): { readonly texts: string[]; readonly revision: number } {
  const texts: string[] = []
  let revision = after
  for (const change of changes) {
    const kind = NOTED_AS[change.op]
    if (kind === undefined) continue
    const place = { after: revision, revision: change.revision, mark: markOf(change) }
    texts.push(recordText(place, kind, namesOf(change)))
    revision = change.revision
  }
  return { texts, revision }
}

/** The kind of record per change; `undefined` for changes that withdraw nothing. Revoking a key is a change of that key. */
const NOTED_AS: Readonly<Record<ChangeOp, 'images' | 'key' | undefined>> = {
  image: undefined,
  trustStatus: undefined,
  tombstone: 'images',
  bank: undefined,
  'api-key': 'key',
  restored: undefined,
}

function namesOf(change: Change): string {
  if ('imageIds' in change) return change.imageIds.join(' ')
  return 'name' in change ? change.name : ''
}

/** 16 hex digits that tell a change from another with the same revision, since ids are random. */
export function markOf(change: Change): string {
  return createHash('sha256')
    .update(`${change.op} ${change.revision} ${namesOf(change)}`)
    .digest('hex')
    .slice(0, NO_MARK.length)
}

/** Reads all records and `status`. A folder that does not exist is empty. @throws when it exists and cannot be read. */
export async function readLogFolder(folder: string): Promise<LogFolder> {
  const records: LogRecord[] = []
  for (const name of await logNamesIn(folder)) records.push(...recordsIn(await readFile(join(folder, name), 'utf8')))
  return { records, status: await readLogStatus(folder) }
}

/**
 * Paths of files that may be deleted: those whose month ended before a time, oldest first, never the newest file. A file with a `back` record
 * and all later ones are kept: after it revisions are reused, and only the whole log tells the histories apart.
 * @throws when the folder exists and cannot be read.
 */
export async function oldLogsIn(folder: string, beforeMs: number): Promise<string[]> {
  const old: string[] = []
  for (const name of (await logNamesIn(folder)).slice(0, -1)) {
    const path = join(folder, name)
    const isOld = endOfMonthMs(name) <= beforeMs
    if (!isOld || recordsIn(await readFile(path, 'utf8')).some(({ kind }) => kind === 'back')) break
    old.push(path)
  }
  return old
}

function endOfMonthMs(name: string): number {
  const [year, month] = name.slice(0, 7).split('-').map(Number)
  return Date.UTC(year ?? 0, month ?? 0) // Date.UTC counts months from 0: this is the start of the next month
}

async function logNamesIn(folder: string): Promise<string[]> {
  const names: string[] = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => FILE.test(name)).sort()
}

export async function readLogStatus(folder: string): Promise<LogStatus | undefined> {
  const text = await readFile(join(folder, STATUS_FILE), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  })
  return statusIn(text)
}

function recordsIn(text: string): LogRecord[] {
  return text.split('\n').flatMap(recordIn)
}

function recordIn(text: string): LogRecord[] {
  const [, after, revision, mark, kind, rest] = RECORD.exec(text) ?? []
  if (after === undefined || revision === undefined || mark === undefined || kind === undefined) return []
  const names = rest?.split(' ') ?? []
  if (kind === 'images' && names.some((id) => parseUuid(id) === undefined)) return []
  return [{ after: Number(after), revision: Number(revision), mark, kind, names }]
}

function statusIn(text: string): LogStatus | undefined {
  const [, word, noted, revision, mark = NO_MARK, time = ''] = STATUS.exec(text) ?? []
  const atMs = Date.parse(time)
  if (word === undefined || Number.isNaN(atMs)) return undefined
  return { isWhole: word === 'whole', noted: Number(noted), revision: Number(revision), mark, atMs }
}

/** The newest revision that a log knows to exist. A log that is behind knows of at least one more than it has. */
export function newestOf({ records, status }: LogFolder): number {
  const noted = records.reduce((most, { revision }) => Math.max(most, revision), 0)
  return status === undefined ? noted : Math.max(noted, status.isWhole ? status.revision : status.revision + 1)
}

/**
 * True when the records have no gap between a backup and the revision `until`.
 * @param sharedUntil per history in the log: the revision up to which the backup contains it.
 */
export function isCovered(records: readonly LogRecord[], sharedUntil: readonly number[], until: number): boolean {
  // After the store went back, revisions are reused: each history must be without a gap.
  const reached = historiesOf(records).map((history, i) =>
    i === 0
      ? reachedFrom(sharedUntil[i] ?? 0, history)
      : reachedFrom(Math.max(sharedUntil[i] ?? 0, history[0]?.revision ?? 0), history.slice(1)),
  )
  return reached.every((revision) => revision !== undefined) && (reached.at(-1) ?? 0) >= until
}

/** Splits records where the store went back. Each history but the first begins with its `back` record. */
export function historiesOf(records: readonly LogRecord[]): LogRecord[][] {
  const histories: LogRecord[][] = [[]]
  for (const record of records) {
    if (record.kind === 'back') histories.push([record])
    else histories.at(-1)?.push(record)
  }
  return histories
}

/** @returns the revision that the records reach without a gap; undefined when there is a gap. */
function reachedFrom(revision: number, records: readonly LogRecord[]): number | undefined {
  let reached = revision
  for (const { after, revision: next } of [...records].sort((a, b) => a.after - b.after)) {
    if (after > reached) return undefined
    reached = Math.max(reached, next)
  }
  return reached
}

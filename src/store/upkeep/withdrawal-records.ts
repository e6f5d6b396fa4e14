// How the log of withdrawals is written, and how a reader knows whether something is missing in it.

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseUuid } from '../../domain/ids.js'
import type { Change, ChangeOp } from '../scripts/change-ops.js'

/*
 * A file a month, `2026-11.log`: records, one a line, in the order in which they happened, and empty lines between:
 *   <after> <revision> <mark> images <id> <id>… .   these images were erased
 *   <after> <revision> <mark> key <id> .            this API key was made, changed or revoked
 *   <after> <revision> <mark> seen .                nothing of that kind
 *   <after> <revision> <mark> back .                the store went back to this revision: it was restored, or lost its last changes
 * Each has everything that happened after `after` up to `revision`, so a record that is missing leaves a hole between two others. One that was
 * cut short has no full stop and counts for nothing. `mark` is a digest of the change at that revision: the same in the same history only.
 *
 * A record that is missing at the end leaves no hole. That is what the file `status` is for. It is there before the first record and is written
 * over in place, which a full disk allows:
 *   whole  <noted> <revision> <mark> <time>   nothing is missing up to this revision, and `noted` has the last record; so it was at this time
 *   behind <noted> <revision> <mark> <time>   what came after this revision may be missing
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
  /** Of the newest record. */
  readonly noted: number
  readonly revision: number
  readonly mark: string
  readonly atMs: number
}

export interface LogFolder {
  readonly records: readonly LogRecord[]
  /** Undefined when it is missing or cannot be read: then nobody knows what is missing. */
  readonly status: LogStatus | undefined
}

export const STATUS_FILE = 'status'
/** Of a revision whose change is not known. */
export const NO_MARK = '0'.repeat(16)

const FILE = /^\d{4}-\d\d\.log$/
const RECORD = /^(\d+) (\d+) ([0-9a-f]{16}) (images|key|seen|back)(?: (.+))? \.$/
const STATUS = /^(whole|behind) +(\d{16}) (\d{16}) ([0-9a-f]{16}) (\S{24})\n$/

export function logFileName(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 7)}.log`
}

/** Of one length, whatever it says: it is written over what was there. */
export function statusText({ isWhole, noted, revision, mark, atMs }: LogStatus): string {
  const word = (isWhole ? 'whole' : 'behind').padEnd(6)
  const [first, second] = [noted, revision].map((number) => String(number).padStart(16, '0'))
  return `${word} ${first} ${second} ${mark} ${new Date(atMs).toISOString()}\n`
}

/** Where a record belongs: behind `after`, up to `revision`. */
export type RecordPlace = Pick<LogRecord, 'after' | 'revision' | 'mark'>

export function recordText(
  { after, revision, mark }: RecordPlace,
  kind: 'images' | 'key' | 'seen' | 'back',
  names = '',
): string {
  return `${after} ${revision} ${mark} ${kind}${names && ` ${names}`} .`
}

/** The records of changes that follow each other. @returns none for those of which nothing has to be noted. */
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

/** As what the log notes a change; `undefined` where nothing is taken back. A revoked key is a change of that key. */
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

/** Tells a change from another one of the same revision: ids are random. */
export function markOf(change: Change): string {
  return createHash('sha256')
    .update(`${change.op} ${change.revision} ${namesOf(change)}`)
    .digest('hex')
    .slice(0, NO_MARK.length)
}

/** @throws when the folder is there and cannot be read. */
export async function readLogFolder(folder: string): Promise<LogFolder> {
  const records: LogRecord[] = []
  for (const name of await logNamesIn(folder)) records.push(...recordsIn(await readFile(join(folder, name), 'utf8')))
  return { records, status: await readLogStatus(folder) }
}

/**
 * The files that end before a time, the oldest first, but never the last one. After the store went back, revisions were counted a second time: what
 * came before cannot be told from what came after without all of it, so no file goes from there on.
 * @throws when the folder is there and cannot be read.
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
  return Date.UTC(year ?? 0, month ?? 0) // months are counted from 0: it is the first moment of the next
}

async function logNamesIn(folder: string): Promise<string[]> {
  const names: string[] = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((each) => FILE.test(each)).sort()
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

/** The newest revision that a folder knows of. One that is behind knows that there is at least one more. */
export function newestOf({ records, status }: LogFolder): number {
  const noted = records.reduce((most, { revision }) => Math.max(most, revision), 0)
  return status === undefined ? noted : Math.max(noted, status.isWhole ? status.revision : status.revision + 1)
}

/**
 * Is there a record of everything that happened after a backup, up to a revision that is known to have a record?
 * @param sharedUntil of each history in the log, the revision up to which the backup has all of it.
 */
export function isCovered(records: readonly LogRecord[], sharedUntil: readonly number[], until: number): boolean {
  // After the store went back, revisions were counted a second time: then each history has to be covered.
  const reached = historiesOf(records).map((each, i) =>
    reachedFrom(Math.max(sharedUntil[i] ?? 0, i === 0 ? 0 : (each[0]?.revision ?? 0)), i === 0 ? each : each.slice(1)),
  )
  return reached.every((each) => each !== undefined) && (reached.at(-1) ?? 0) >= until
}

/** Split where the store went back; all but the first begin with the record that says so. */
export function historiesOf(records: readonly LogRecord[]): LogRecord[][] {
  const histories: LogRecord[][] = [[]]
  for (const record of records) {
    if (record.kind === 'back') histories.push([record])
    else histories.at(-1)?.push(record)
  }
  return histories
}

/** @returns undefined when there is a hole. */
function reachedFrom(revision: number, records: readonly LogRecord[]): number | undefined {
  let reached = revision
  for (const { after, revision: next } of [...records].sort((a, b) => a.after - b.after)) {
    if (after > reached) return undefined
    reached = Math.max(reached, next)
  }
  return reached
}

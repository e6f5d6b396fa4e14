// Handing in a file: its formats, why a line is refused, and how far it has come.

import type { ProblemCode } from '../problem.js'
import type { BankChange } from './bank-change.js'

export const FILE_FORMATS = ['ndjson', 'csv', 'lines'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

/** Why a record of somebody else's is not taken. Stable: who hands in files sorts his refusals by them. */
export const RECORD_REJECTIONS = [
  'record-too-long',
  'record-unreadable',
  'columns-missing',
  'signal-type-unknown',
  'hash-malformed',
  /** No picture has it: all zeros, all ones, or too many of one of them. */
  'hash-improbable',
  'quality-too-low',
  'category-unknown',
  'ref-unfit',
  'not-harmful',
  'classification-unlisted',
  'minor-declared',
  /** It was in a bank of this organisation, and a dispute about it was upheld. */
  'signal-invalidated',
] as const
export type RecordRejection = (typeof RECORD_REJECTIONS)[number]

/** What a line or record comes to. `blank` is neither taken nor refused: an empty line, a comment, a header. */
export type ReadRecord =
  | BankChange
  | { readonly kind: 'rejected'; readonly why: RecordRejection }
  | { readonly kind: 'blank' }

/** What is noted of a line: why it was refused; or `not-found`, that it was to remove a signal which the bank does not have. */
export const LINE_NOTES = [...RECORD_REJECTIONS, 'not-found'] as const
export type LineNote = (typeof LINE_NOTES)[number]

/** Lines that follow each other and have the same note. Both ends count from 1 and are in it. */
export interface NotedLines {
  readonly fromLine: number
  readonly toLine: number
  readonly why: LineNote
}

/** running: or it broke off without a word, when `updatedAtMs` is long ago. stopped: by the problem that is named. */
export const IMPORT_STATES = ['running', 'stopped', 'done'] as const

export interface ImportProgress {
  readonly format: FileFormat | undefined
  readonly state: (typeof IMPORT_STATES)[number]
  readonly problem: ProblemCode | undefined
  readonly startedAtMs: number
  readonly updatedAtMs: number
  /** Lines that are done with, from the first: where the next try goes on. */
  readonly lines: number
  readonly accepted: number
  /** Signals that were there and that a tombstone in the file took away. */
  readonly removed: number
  /** Tombstones that removed nothing: the bank does not have their signal. Not among the accepted. */
  readonly notFound: number
  readonly rejected: number
  readonly rejectedFor: Partial<Readonly<Record<RecordRejection, number>>>
  /** Of all lines that are done with, keyed: whether the next try brings the same file. */
  readonly digest: string
}

/** How many stretches of noted lines are listed; all of them are counted. */
export const MAX_NOTED_STRETCHES = 10_000

/** With one more noted line, which comes after all of those. Changes the list that it is given. */
export function withNote(before: NotedLines[], line: number, why: LineNote): NotedLines[] {
  const last = before.at(-1)
  const goesOn = last !== undefined && last.why === why && last.toLine === line - 1
  if (goesOn) before.pop()
  before.push({ fromLine: goesOn ? last.fromLine : line, toLine: line, why })
  return before
}

/** Without the lines behind `line`. */
export function notedUpTo(noted: readonly NotedLines[], line: number): NotedLines[] {
  return noted
    .filter(({ fromLine }) => fromLine <= line)
    .map((stretch) => ({ ...stretch, toLine: Math.min(stretch.toLine, line) }))
}

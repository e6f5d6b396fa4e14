// Importing a file into a bank: formats, reasons for rejecting a line, and progress.

import type { ProblemCode } from '../problem.js'
import type { BankChange } from './bank-change.js'

export const FILE_FORMATS = ['vpdq', 'ndjson', 'csv', 'lines'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

/** Why a record of a file or feed is rejected. Stable codes: importers sort their rejections by them. */
export const RECORD_REJECTIONS = [
  'record-too-long',
  'record-unreadable',
  /** A record of several lines lacks some of them. */
  'record-incomplete',
  'columns-missing',
  'signal-type-unknown',
  'hash-malformed',
  /** No picture has such a hash (`isProbable`). */
  'hash-improbable',
  'quality-too-low',
  'category-unknown',
  'ref-malformed',
  'not-harmful',
  'classification-unlisted',
  'minor-declared',
  /** This organisation had it in a bank, and a dispute about it was upheld. */
  'signal-invalidated',
] as const
export type RecordRejection = (typeof RECORD_REJECTIONS)[number]

/** What to do after `record-too-long`. Most such files are a list in JSON without line ends. */
export const SHORTER_LINES =
  "A line is too long. Write one picture or video a line. For a list in one line of JSON: jq -rc '.[]' list.json > list.ndjson"

/**
 * The result of reading a line or record. `blank` is neither accepted nor rejected: an empty line, a comment or a header. `isCategoryIgnored`: it
 * names a category that Tabir does not know.
 */
export type ReadRecord =
  | (BankChange & { readonly isCategoryIgnored?: true })
  | { readonly kind: 'rejected'; readonly why: RecordRejection }
  | { readonly kind: 'blank' }

/**
 * What is noted about a line: why it was rejected; `not-found`, if it removes a signal that the bank does not have; `category-ignored`, if its signal was
 * added without the category that it names.
 */
export const LINE_NOTES = [...RECORD_REJECTIONS, 'not-found', 'category-ignored'] as const
export type LineNote = (typeof LINE_NOTES)[number]

/** Consecutive lines with the same note. Both ends are inclusive and count from 1. */
export interface NotedLines {
  readonly fromLine: number
  readonly toLine: number
  readonly why: LineNote
}

/** An interrupted import stays `running`, and its `updatedAtMs` is long ago. `stopped`: by the problem in `problem`. */
export const IMPORT_STATES = ['running', 'stopped', 'done'] as const

export interface ImportProgress {
  readonly format: FileFormat | undefined
  readonly state: (typeof IMPORT_STATES)[number]
  readonly problem: ProblemCode | undefined
  readonly startedAtMs: number
  readonly updatedAtMs: number
  /** Processed lines, from the first. The next attempt continues after them. */
  readonly lines: number
  readonly accepted: number
  /** Signals that a tombstone in the file removed. */
  readonly removed: number
  /** Tombstones whose signal the bank does not have. Not counted in `accepted`. */
  readonly notFound: number
  /** Accepted signals without the category that their line names. */
  readonly categoriesIgnored: number
  readonly rejected: number
  readonly rejectedFor: Partial<Readonly<Record<RecordRejection, number>>>
  /** Keyed digest of all processed lines. It shows whether the next attempt sends the same file. */
  readonly digest: string
}

/** Maximum number of ranges that are listed. Further lines are only counted. */
export const MAX_NOTED_RANGES = 10_000

/** Adds a note for a line after all others. Modifies and returns the given list. */
export function withNote(before: NotedLines[], line: number, why: LineNote): NotedLines[] {
  const last = before.at(-1)
  const isNext = last !== undefined && last.why === why && last.toLine === line - 1
  if (isNext) before.pop()
  before.push({ fromLine: isNext ? last.fromLine : line, toLine: line, why })
  return before
}

/** @returns the notes without those of lines after `line`. */
export function notedUpTo(noted: readonly NotedLines[], line: number): NotedLines[] {
  return noted
    .filter(({ fromLine }) => fromLine <= line)
    .map((range) => ({ ...range, toLine: Math.min(range.toLine, line) }))
}

// Handing in a file: its formats, why a line is refused, and how far it has come.

import type { BankChange } from './bank-change.js'
import type { ProblemCode } from './problem.js'

export const FILE_FORMATS = ['ndjson', 'csv', 'lines'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

/** Why a record of somebody else's is not taken. Stable: who hands in files sorts his refusals by them. */
export const RECORD_REFUSALS = [
  'record-too-long',
  'record-unreadable',
  'columns-missing',
  'signal-type-unknown',
  'hash-malformed',
  'quality-too-low',
  'category-unknown',
  'ref-unfit',
  'not-harmful',
  'classification-unlisted',
  'minor-declared',
  /** It was in a bank of this organisation, and a dispute about it was upheld. */
  'signal-struck',
] as const
export type RecordRefusal = (typeof RECORD_REFUSALS)[number]

/** What a line or record comes to. `blank` is neither taken nor refused: an empty line, a comment, a header. */
export type ReadRecord = BankChange | { readonly kind: 'refused'; readonly why: RecordRefusal } | { readonly kind: 'blank' }

/** Lines that follow each other and were refused for the same reason. Both ends count from 1 and are in it. */
export interface RefusedLines {
  readonly fromLine: number
  readonly toLine: number
  readonly why: RecordRefusal
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
  readonly refused: number
  readonly refusedFor: Partial<Readonly<Record<RecordRefusal, number>>>
  /** Of all lines that are done with, keyed: whether the next try brings the same file. */
  readonly digest: string
}

/** How many stretches of refused lines are listed; all of them are counted. */
export const MOST_REFUSED_STRETCHES = 10_000

/** With one more refused line, which comes after all of those. Changes the list that it is given. */
export function withRefusal(before: RefusedLines[], line: number, why: RecordRefusal): RefusedLines[] {
  const last = before.at(-1)
  if (last !== undefined && last.why === why && last.toLine === line - 1) before.pop()
  const fromLine = last !== undefined && last.why === why && last.toLine === line - 1 ? last.fromLine : line
  before.push({ fromLine, toLine: line, why })
  return before
}

/** Without the lines behind `line`. */
export function refusedUpTo(refused: readonly RefusedLines[], line: number): RefusedLines[] {
  return refused
    .filter(({ fromLine }) => fromLine <= line)
    .map((stretch) => ({ ...stretch, toLine: Math.min(stretch.toLine, line) }))
}

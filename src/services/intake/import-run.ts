// One attempt to import a file into a bank: reads lines, applies them in batches, and saves the progress.

import type { Hash } from 'node:crypto'
import type { BankChange } from '../../domain/organisations/bank-change.js'
import {
  type FileFormat,
  type ImportProgress,
  type NotedLines,
  notedUpTo,
  RECORD_REJECTIONS,
  type ReadRecord,
  type RecordRejection,
  withNote,
} from '../../domain/organisations/bank-import.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import type { LinedRecord, RecordReader } from '../../exchange/record-reader.js'
import { isSeparatorLine, readerFor } from '../../exchange/signal-lines.js'
import type { TextLine } from '../../exchange/text-lines.js'
import type { BankOutcome } from './registration.js'

export interface RunParts {
  /** Applies changes to the bank. */
  readonly take: (changes: readonly BankChange[]) => Promise<BankOutcome>
  /** Resolves when this process has applied the revision. */
  readonly settled: (revision: number) => Promise<void>
  /** Saves progress and notes. @returns false when another attempt has taken over. */
  readonly checkpoint: (progress: ImportProgress, noted: readonly NotedLines[]) => Promise<boolean>
  readonly now: () => number
}

/** Changes per write: enough that it rarely waits for the disk, few enough that the index keeps up. */
const BATCH = 1000
/** A write starts once this many signals wait. Bounds the memory of waiting videos. */
const BATCH_SIGNALS = 10_000
const CHECKPOINT_INTERVAL_MS = 1000

/**
 * Invariant: every line that `#done` counts is on disk or rejected; later accepted lines wait in `#changes`. `#done` ends between two records, so
 * that the next attempt can continue there.
 */
export class ImportRun {
  readonly #before: ImportProgress
  readonly #digest: Hash
  readonly #parts: RunParts
  readonly #records = new Records()
  /** Digest of the lines before the record that is open. */
  #beforeOpen: Hash | undefined
  /** Lines of the open record that were rejected. They count once it is complete. */
  #rejectedInOpen: { readonly line: number; readonly why: RecordRejection }[] = []
  #done: ImportProgress
  #seen = 0
  #changes: { readonly line: number; readonly change: Exclude<ReadRecord, { kind: 'rejected' | 'blank' }> }[] = []
  #waitingSignals = 0
  #rejectedFor: Partial<Record<RecordRejection, number>> = {}
  #notes: NotedLines[] = [] // since the last checkpoint
  #rejectedCount = 0
  #indexed: Promise<void> = Promise.resolve()
  #savedAtMs: number

  /** @param before progress of the previous attempt. @param digest a digest that has seen no line yet. */
  constructor(before: ImportProgress, digest: Hash, parts: RunParts) {
    this.#before = before
    this.#digest = digest
    this.#parts = parts
    this.#done = { ...before, state: 'running', problem: undefined }
    this.#savedAtMs = before.updatedAtMs
  }

  /** Reads one line. Skips lines that the previous attempt finished. @throws {Problem} idempotency-key-reused if those lines differ. */
  see({ line, text }: TextLine): void {
    this.#seen = line
    if (line <= this.#before.lines) this.#records.skip(text)
    else this.#take(this.#records.read(text, line))
    this.#digest.update(`${text?.length ?? 'long'}:`).update(text ?? '')
    if (line === this.#before.lines && digestOf(this.#digest) !== this.#before.digest)
      throw new Problem('idempotency-key-reused')
  }

  /** Call it before the digest has the last line. */
  #take(records: readonly LinedRecord[]): void {
    const { openFrom } = this.#records
    if (openFrom === undefined || openFrom === this.#seen) {
      for (const { line, why } of this.#rejectedInOpen) this.#reject(line, why)
      this.#rejectedInOpen = []
      this.#beforeOpen = openFrom === undefined ? undefined : this.#digest.copy()
    }
    for (const { line, record } of records) {
      if (record.kind === 'blank') continue
      if (record.kind !== 'rejected') {
        this.#changes.push({ line, change: record })
        this.#waitingSignals += signalsOf(record)
      } else if (openFrom !== undefined && line >= openFrom) this.#rejectedInOpen.push({ line, why: record.why })
      else this.#reject(line, record.why)
    }
  }

  async applyIfDue(): Promise<void> {
    const isDue = Math.max(this.#changes.length, this.#rejectedCount) >= BATCH || this.#waitingSignals >= BATCH_SIGNALS
    if (!isDue) return
    await this.#apply()
    if (this.#parts.now() - this.#savedAtMs >= CHECKPOINT_INTERVAL_MS || this.#notes.length >= BATCH)
      await this.#save(this.#done)
  }

  async end(): Promise<ImportProgress> {
    if (this.#seen < this.#before.lines) throw new Problem('idempotency-key-reused')
    this.#take(this.#records.end(this.#seen))
    await this.#apply()
    await this.#indexed
    this.#done = { ...this.#done, state: 'done' }
    await this.#save(this.#done)
    return this.#done
  }

  /** Saves why the attempt stopped. If saving fails, nothing is lost: all counted lines are on disk or rejected. */
  async stop(problem: ProblemCode): Promise<void> {
    if (problem === 'idempotency-key-reused' || problem === 'idempotency-key-busy') return // the other import's state is kept
    this.#notes = notedUpTo(this.#notes, this.#done.lines)
    await this.#save({ ...this.#done, state: 'stopped', problem, updatedAtMs: this.#parts.now() }).catch(() => {})
  }

  async #save(progress: ImportProgress): Promise<void> {
    const kept = await this.#parts.checkpoint(progress, this.#notes)
    if (!kept) throw new Problem('idempotency-key-busy')
    this.#notes = []
    this.#savedAtMs = progress.updatedAtMs
  }

  /** Applies the waiting changes. First waits until the index has the previous batch: an import faster than the index would make it stale. */
  async #apply(): Promise<void> {
    const taken = this.#changes
    this.#changes = []
    this.#waitingSignals = 0
    await this.#indexed
    const { removed, revision, invalidatedAt, absentAt } =
      taken.length === 0 ? NOTHING_TAKEN : await this.#parts.take(taken.map(({ change }) => change))
    let ignored = 0
    for (const [at, { line, change }] of taken.entries()) {
      if (invalidatedAt.has(at)) this.#reject(line, 'signal-invalidated')
      else if (absentAt.has(at)) this.#notes = withNote(this.#notes, line, 'not-found')
      else if (change.isCategoryIgnored === true) {
        this.#notes = withNote(this.#notes, line, 'category-ignored')
        ignored++
      }
    }
    if (invalidatedAt.size + absentAt.size + ignored > 0) this.#notes.sort((a, b) => a.fromLine - b.fromLine)
    this.#indexed = this.#parts.settled(revision)
    this.#indexed.catch(() => {}) // the next await of it throws
    const done = this.#done
    const { openFrom } = this.#records
    this.#done = {
      ...done,
      format: this.#records.format,
      updatedAtMs: this.#parts.now(),
      lines: openFrom === undefined ? this.#seen : openFrom - 1,
      accepted: done.accepted + taken.length - invalidatedAt.size - absentAt.size,
      removed: done.removed + removed,
      notFound: done.notFound + absentAt.size,
      categoriesIgnored: done.categoriesIgnored + ignored,
      rejected: done.rejected + this.#rejectedCount,
      rejectedFor: sumOf(done.rejectedFor, this.#rejectedFor),
      digest: digestOf(this.#beforeOpen ?? this.#digest),
    }
    this.#rejectedFor = {}
    this.#rejectedCount = 0
  }

  #reject(line: number, why: RecordRejection): void {
    this.#notes = withNote(this.#notes, line, why)
    this.#rejectedFor[why] = (this.#rejectedFor[why] ?? 0) + 1
    this.#rejectedCount++
  }
}

/** Reads lines. The first line that is not blank determines the format, even if the line itself is skipped. */
class Records {
  #reader: RecordReader | undefined
  format: FileFormat | undefined

  get openFrom(): number | undefined {
    return this.#reader?.openFrom
  }

  read(text: string | undefined, line: number): readonly LinedRecord[] {
    if (this.#reader !== undefined) return this.#reader.read(this.#trimmed(text), line)
    if (text === undefined) return [{ line, record: TOO_LONG }]
    if (text === '' || isSeparatorLine(text)) return []
    const { reader, isHeader } = this.#recognise(text)
    return isHeader ? [] : reader.read(this.#trimmed(text), line)
  }

  skip(text: string | undefined): void {
    const isFirst = this.#reader === undefined && text !== undefined && text !== '' && !isSeparatorLine(text)
    if (isFirst) this.#recognise(text)
  }

  end(line: number): readonly LinedRecord[] {
    return this.#reader?.end(line) ?? []
  }

  /** Only in tables tabs before the text are columns. */
  #trimmed(text: string | undefined): string | undefined {
    return this.format === 'csv' ? text : text?.trim()
  }

  #recognise(text: string): ReturnType<typeof readerFor> {
    const found = readerFor(text)
    this.#reader = found.reader
    this.format = found.format
    return found
  }
}

function digestOf(lines: Hash): string {
  return lines.copy().digest('base64url')
}

function signalsOf(change: BankChange): number {
  return change.kind === 'remove-id' ? 1 : (change.signal.picture?.length ?? 1)
}

const NOTHING_TAKEN: BankOutcome = { removed: 0, revision: 0, invalidatedAt: new Set(), absentAt: new Set() }
const TOO_LONG: ReadRecord = { kind: 'rejected', why: 'record-too-long' }

type Counts = Partial<Readonly<Record<RecordRejection, number>>>

function sumOf(a: Counts, b: Counts): Counts {
  const sums = RECORD_REJECTIONS.map((why) => [why, (a[why] ?? 0) + (b[why] ?? 0)] as const)
  return Object.fromEntries(sums.filter(([, count]) => count > 0))
}

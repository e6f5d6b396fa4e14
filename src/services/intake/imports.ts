// Files that are handed in to a bank: read as they arrive, taken a batch at a time, gone on with where they broke off.

import { createHash, createHmac, type Hash, randomBytes } from 'node:crypto'
import { uuidV7, uuidV8 } from '../../domain/ids.js'
import type { Bank } from '../../domain/organisations/bank.js'
import type { BankChange } from '../../domain/organisations/bank-change.js'
import {
  type FileFormat,
  type ImportProgress,
  type NotedLines,
  notedUpTo,
  RECORD_REFUSALS,
  type ReadRecord,
  type RecordRefusal,
  withNote,
} from '../../domain/organisations/bank-import.js'
import type { PagePlace } from '../../domain/page-place.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import { type LineReader, readerFor } from '../../exchange/signal-lines.js'
import { readLines, type TextLine } from '../../exchange/text-lines.js'
import { unpacked } from '../../exchange/unpack.js'
import type { ImportName, ImportPage, Imports as ImportStore } from '../../store/organisations/imports.js'
import type { TurnsOfLoop } from '../load/event-loop-scheduler.js'
import type { BankOutcome, Registration } from './registration.js'

export interface ImportReport {
  readonly importId: string
  readonly progress: ImportProgress
  readonly notes: readonly NotedLines[]
}

export interface Imports {
  /**
   * Takes a file of any length. With a key, the same file again goes on behind the last line that is done with; without, it begins
   * anew, which does no harm. Matchable here when it returns.
   *
   * @param mayStill asked again and again while the file arrives, which may take an hour: once it throws, nothing more is taken.
   * @throws {Problem} what stopped it, which its report names too: body-too-large, body-unreadable, upload-incomplete,
   *   quota-exceeded, account-suspended, store-unavailable, bank-unknown; idempotency-key-reused when the key belongs to another file,
   *   idempotency-key-busy when the same one was begun elsewhere meanwhile: from then on this one writes nothing.
   * Memory: some thousand lines, however long the file is.
   */
  take(
    bank: Bank,
    key: string | undefined,
    body: AsyncIterable<unknown>,
    mayStill: () => Promise<void>,
  ): Promise<ImportReport>
  /** A page without their notes, the newest first. */
  list(bank: Bank, after: PagePlace | undefined, limit: number): Promise<ImportPage>
  /** @throws {Problem} import-unknown */
  report(bank: Bank, importId: string): Promise<ImportReport>
}

export interface ImportParts {
  readonly imports: ImportStore
  readonly registration: Pick<Registration, 'changeBank' | 'settled'>
  readonly turns: Pick<TurnsOfLoop, 'pace'>
  /** Keys ids and digests, so that neither says anything of a file. */
  readonly secret: Buffer
  readonly now: () => number
}

/** What is taken in one write: long enough for the disk to be waited for seldom, short enough for the index to keep up. */
const BATCH = 1000
const CHECKPOINT_EVERY_MS = 1000

export function importsOver({ imports, registration, turns, secret, now }: ImportParts): Imports {
  return {
    async take(bank, key, body, mayStill) {
      const importId = key === undefined ? uuidV7(now(), randomBytes(10)) : idFor(secret, bank, key)
      const name: ImportName = [bank, importId]
      const run = await begin(name, bank)
      const pace = turns.pace()
      try {
        for await (const lines of readLines(unpacked(body))) {
          await mayStill()
          for (const line of lines) {
            const turn = pace() // of lines that are skipped, blank or refused none waits for the store
            if (turn !== undefined) await turn
            run.see(line)
            await run.applyIfDue()
          }
        }
        const progress = await run.end()
        return { importId, progress, notes: await imports.notes(name) }
      } catch (error) {
        await run.stop(error instanceof Problem ? error.code : 'unexpected')
        throw error
      }
    },
    list: (bank, after, limit) => imports.list(bank, after, limit),
    async report(bank, importId) {
      const name: ImportName = [bank, importId]
      const progress = await imports.get(name)
      if (progress === undefined) throw new Problem('import-unknown')
      return { importId, progress, notes: await imports.notes(name) }
    },
  }

  async function begin(name: ImportName, bank: Bank) {
    const writer = randomBytes(16).toString('hex')
    const startedAtMs = now()
    const digest = createHash('sha256').update(createHmac('sha256', secret).update('lines of a file').digest())
    const before = await imports.claim(name, writer, startedAtMs)
    return runFrom(before ?? { ...NOTHING, startedAtMs, updatedAtMs: startedAtMs }, digest, {
      take: (changes) => registration.changeBank(bank, changes, imports.runOf(name, writer)),
      settled: registration.settled,
      checkpoint: (progress, noted) => imports.checkpoint(name, writer, progress, noted),
      now,
    })
  }
}

const NOTHING: Omit<ImportProgress, 'startedAtMs' | 'updatedAtMs'> = {
  format: undefined,
  state: 'running',
  problem: undefined,
  lines: 0,
  accepted: 0,
  removed: 0,
  notFound: 0,
  refused: 0,
  refusedFor: {},
  digest: '',
}

interface RunParts {
  readonly take: (changes: readonly BankChange[]) => Promise<BankOutcome>
  readonly settled: (revision: number) => Promise<void>
  readonly checkpoint: (progress: ImportProgress, noted: readonly NotedLines[]) => Promise<boolean>
  readonly now: () => number
}

/** One try. What `done` says is done is on disk, or refused and counted; what was seen since waits in `changes`. */
function runFrom(before: ImportProgress, digest: Hash, parts: RunParts) {
  let done: ImportProgress = { ...before, state: 'running', problem: undefined }
  let seen = 0
  let read: LineReader | undefined
  let format: FileFormat | undefined
  let changes: { readonly line: number; readonly change: BankChange }[] = []
  let refusedFor: Partial<Record<RecordRefusal, number>> = {}
  let notes: NotedLines[] = [] // since the last checkpoint
  let refusedCount = 0
  let indexed: Promise<void> = Promise.resolve()
  let savedAtMs = before.updatedAtMs

  /** The first line with something in it shows what the file is, also for a try that skips it. */
  const recordOf = (text: string): ReadRecord => {
    if (read !== undefined) return read(text)
    if (text === '') return { kind: 'blank' }
    const found = readerFor(text)
    read = found.read
    format = found.format
    return found.first
  }
  const isSameFile = () => digest.copy().digest('base64url') === before.digest
  const save = async (progress: ImportProgress) => {
    const kept = await parts.checkpoint(progress, notes)
    if (!kept) throw new Problem('idempotency-key-busy')
    notes = []
    savedAtMs = progress.updatedAtMs
  }
  /** The index may be one batch behind, and no more: an import that outruns it makes it answer from an older state. */
  const apply = async () => {
    const taken = changes
    changes = []
    await indexed
    const { removed, revision, invalidatedAt, absentAt } =
      taken.length === 0 ? NOTHING_TAKEN : await parts.take(taken.map(({ change }) => change))
    for (const [at, { line }] of taken.entries()) {
      if (invalidatedAt.has(at)) refuse(line, 'signal-invalidated')
      if (absentAt.has(at)) notes = withNote(notes, line, 'not-found')
    }
    if (invalidatedAt.size + absentAt.size > 0) notes.sort((a, b) => a.fromLine - b.fromLine)
    indexed = parts.settled(revision)
    indexed.catch(() => {}) // whoever waits for it next is told
    done = {
      ...done,
      format,
      updatedAtMs: parts.now(),
      lines: seen,
      accepted: done.accepted + taken.length - invalidatedAt.size - absentAt.size,
      removed: done.removed + removed,
      notFound: done.notFound + absentAt.size,
      refused: done.refused + refusedCount,
      refusedFor: sumOf(done.refusedFor, refusedFor),
      digest: digest.copy().digest('base64url'),
    }
    refusedFor = {}
    refusedCount = 0
  }

  function refuse(line: number, why: RecordRefusal): void {
    notes = withNote(notes, line, why)
    refusedFor[why] = (refusedFor[why] ?? 0) + 1
    refusedCount++
  }

  return {
    see({ line, text }: TextLine): void {
      seen = line
      digest.update(`${text?.length ?? 'long'}:`).update(text ?? '')
      if (line === before.lines && !isSameFile()) throw new Problem('idempotency-key-reused')
      const isSkipped = line <= before.lines
      if (isSkipped && read !== undefined) return
      const record = text === undefined ? TOO_LONG : recordOf(text)
      if (isSkipped || record.kind === 'blank') return
      if (record.kind === 'refused') refuse(line, record.why)
      else changes.push({ line, change: record })
    },
    async applyIfDue(): Promise<void> {
      if (changes.length < BATCH && refusedCount < BATCH) return
      await apply()
      if (parts.now() - savedAtMs >= CHECKPOINT_EVERY_MS || notes.length >= BATCH) await save(done)
    },
    async end(): Promise<ImportProgress> {
      if (seen < before.lines) throw new Problem('idempotency-key-reused')
      await apply()
      await indexed
      done = { ...done, state: 'done' }
      await save(done)
      return done
    },
    /** What it says is on disk already, or was refused, so nothing is lost when this cannot be written. */
    async stop(problem: ProblemCode): Promise<void> {
      if (problem === 'idempotency-key-reused' || problem === 'idempotency-key-busy') return // the other one's is the one to keep
      notes = notedUpTo(notes, done.lines)
      await save({ ...done, state: 'stopped', problem, updatedAtMs: parts.now() }).catch(() => {})
    },
  }
}

const NOTHING_TAKEN: BankOutcome = { removed: 0, revision: 0, invalidatedAt: new Set(), absentAt: new Set() }
const TOO_LONG: ReadRecord = { kind: 'refused', why: 'record-too-long' }

type Counts = Partial<Readonly<Record<RecordRefusal, number>>>

function sumOf(a: Counts, b: Counts): Counts {
  const sums = RECORD_REFUSALS.map((why) => [why, (a[why] ?? 0) + (b[why] ?? 0)] as const)
  return Object.fromEntries(sums.filter(([, count]) => count > 0))
}

function idFor(secret: Buffer, bank: Bank, key: string): string {
  const bytes = createHmac('sha256', secret).update(`import\0${bank.name}\0`).update(key).digest()
  return uuidV8(bytes)
}

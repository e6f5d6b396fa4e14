// The progress of imports into banks: counts, reasons for rejected lines, times. No content of the files.

import { z } from 'zod'
import type { BankRef } from '../../../packages/core/src/matching/bank.js'
import {
  FILE_FORMATS,
  IMPORT_STATES,
  type ImportProgress,
  LINE_NOTES,
  MAX_NOTED_RANGES,
  type NotedLines,
  RECORD_REJECTIONS,
} from '../../domain/organisations/bank-import.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { PROBLEM_CODES } from '../../domain/problem.js'
import type { Store } from '../redis/client.js'
import type { ImportRun } from '../redis/guarded-writes.js'
import { keys } from '../redis/keys.js'
import { cursorOf, lastPageOfSorted } from '../redis/paging.js'
import { checkpointImport, claimImport } from '../scripts/organisations/imports.js'

const RETENTION_MS = 30 * 86_400_000

const ProgressJson = z.object({
  format: z.enum(FILE_FORMATS).optional(),
  state: z.enum(IMPORT_STATES),
  problem: z.enum(PROBLEM_CODES).optional().catch(undefined),
  startedAtMs: z.int(),
  updatedAtMs: z.int(),
  lines: z.int(),
  accepted: z.int(),
  removed: z.int(),
  notFound: z.int().default(0),
  categoriesIgnored: z.int().default(0),
  rejected: z.int(),
  rejectedFor: z.partialRecord(z.enum(RECORD_REJECTIONS), z.int()),
  digest: z.string(),
})
const NotedLinesJson = z.tuple([z.int(), z.int(), z.enum(LINE_NOTES)])

/** Import ids are unique within a bank. */
export type ImportRef = readonly [bank: BankRef, importId: string]

/** The bank in the Redis keys of its imports: its id. With its name, a late write of an import into a removed bank would appear in a new bank of that name. */
export function importsKeyPart({ name, id = name }: Pick<BankRef, 'name' | 'id'>): string {
  return id
}

export interface ImportPage {
  readonly imports: readonly { readonly importId: string; readonly progress: ImportProgress }[]
  /** The cursor of the next page; `undefined` at the end. */
  readonly next: PageCursor | undefined
}

export interface Imports {
  /** Takes the import over: from now on only `writer` may save its progress. @returns the progress so far, `undefined` for a new import. */
  claim(name: ImportRef, writer: string, nowMs: number): Promise<ImportProgress | undefined>
  /** Saves progress; durable when it returns. @returns false if another writer has claimed the import: then the caller must stop. */
  checkpoint(name: ImportRef, writer: string, progress: ImportProgress, noted: readonly NotedLines[]): Promise<boolean>
  get(name: ImportRef): Promise<ImportProgress | undefined>
  /** Fencing token for writes to the bank: they fail once another writer has claimed the import. */
  runOf(name: ImportRef, writer: string): ImportRun
  /** The first 10,000 ranges of lines with a note, in order. */
  notes(name: ImportRef): Promise<NotedLines[]>
  /** A page of the imports of the last 30 days, the newest first. */
  list(bank: BankRef, after: PageCursor | undefined, limit: number): Promise<ImportPage>
}

export function createImportStore(store: Store): Imports {
  const keysOf = ([bank, importId]: ImportRef) => [
    keys.import(importsKeyPart(bank), importId),
    keys.importRejections(importsKeyPart(bank), importId),
    keys.imports(importsKeyPart(bank)),
  ]
  const get = async ([bank, importId]: ImportRef) =>
    parse(await store.ask((redis) => redis.hget(keys.import(importsKeyPart(bank), importId), 'progress')))
  return {
    async claim(name, writer, nowMs) {
      const reply = await store.write(claimImport, keysOf(name), [writer, name[1], nowMs, RETENTION_MS])
      return Buffer.isBuffer(reply) ? parse(reply.toString()) : undefined
    },
    async checkpoint(name, writer, progress, noted) {
      const ranges = noted.map(({ fromLine, toLine, why }) => JSON.stringify([fromLine, toLine, why]))
      const args = [writer, JSON.stringify(progress), MAX_NOTED_RANGES, RETENTION_MS, ...ranges]
      return (await store.write(checkpointImport, keysOf(name), args)) === 1
    },
    get,
    runOf: ([bank, importId], writer) => ({ key: keys.import(importsKeyPart(bank), importId), writer }),
    async notes([bank, importId]) {
      const rows = await store.ask((redis) => redis.lrange(keys.importRejections(importsKeyPart(bank), importId), 0, -1))
      return rows.map((row) => {
        const [fromLine, toLine, why] = NotedLinesJson.parse(JSON.parse(row))
        return { fromLine, toLine, why }
      })
    },
    async list(bank, after, limit) {
      const page = await lastPageOfSorted(store, keys.imports(importsKeyPart(bank)), { after, limit })
      const found = await Promise.all(
        page.map(async ({ member }) => {
          const importId = member.toString('utf8')
          const progress = await get([bank, importId])
          return progress === undefined ? [] : [{ importId, progress }]
        }),
      )
      const last = page.at(-1)
      return { imports: found.flat(), next: last === undefined || page.length < limit ? undefined : cursorOf(last) }
    },
  }
}

function parse(json: string | null): ImportProgress | undefined {
  if (json === null) return undefined
  const { format, problem, ...rest } = ProgressJson.parse(JSON.parse(json))
  return { ...rest, format, problem }
}

// The progress of imports into banks: numbers, reasons and times. Nothing of what the files contain.

import { z } from 'zod'
import type { BankRef } from '../../domain/organisations/bank.js'
import {
  FILE_FORMATS,
  IMPORT_STATES,
  type ImportProgress,
  LINE_NOTES,
  MAX_NOTED_STRETCHES,
  type NotedLines,
  RECORD_REJECTIONS,
} from '../../domain/organisations/bank-import.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { PROBLEM_CODES } from '../../domain/problem.js'
import type { Store } from '../redis/client.js'
import type { ImportRun } from '../redis/guarded-writes.js'
import { keys } from '../redis/keys.js'
import { lastPageOfSorted, placeOf } from '../redis/paging.js'
import { checkpointImport, claimImport } from '../scripts/organisations/imports.js'

const KEPT_MS = 30 * 86_400_000

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
  rejected: z.int(),
  rejectedFor: z.partialRecord(z.enum(RECORD_REJECTIONS), z.int()),
  digest: z.string(),
})
const StretchJson = z.tuple([z.int(), z.int(), z.enum(LINE_NOTES)])

/** Names one import: its bank, and its id in that bank. */
export type ImportName = readonly [bank: BankRef, importId: string]

/** The name of a bank in the keys of its imports. It is the id: a late import into a removed bank leaves no trace in a later bank of that name. */
export function placeOfImports({ name, id = name }: Pick<BankRef, 'name' | 'id'>): string {
  return id
}

export interface ImportPage {
  readonly imports: readonly { readonly importId: string; readonly progress: ImportProgress }[]
  /** The cursor of the next page; `undefined` at the end. */
  readonly next: PageCursor | undefined
}

export interface Imports {
  /** From now on only `writer` may save progress of this import. @returns the progress so far. */
  claim(name: ImportName, writer: string, nowMs: number): Promise<ImportProgress | undefined>
  /** Durable when it returns. @returns false when another writer has taken over: then the caller has to stop. */
  checkpoint(name: ImportName, writer: string, progress: ImportProgress, noted: readonly NotedLines[]): Promise<boolean>
  get(name: ImportName): Promise<ImportProgress | undefined>
  /** The guard of the import's writes: a writer that was overtaken can write no more. */
  runOf(name: ImportName, writer: string): ImportRun
  /** The first 10,000 notes, in order. */
  notes(name: ImportName): Promise<NotedLines[]>
  /** A page of the imports of the last 30 days, the newest first. */
  list(bank: BankRef, after: PageCursor | undefined, limit: number): Promise<ImportPage>
}

export function createImportStore(store: Store): Imports {
  const keysOf = ([bank, importId]: ImportName) => [
    keys.import(placeOfImports(bank), importId),
    keys.importRejections(placeOfImports(bank), importId),
    keys.imports(placeOfImports(bank)),
  ]
  const get = async ([bank, importId]: ImportName) =>
    parse(await store.ask((redis) => redis.hget(keys.import(placeOfImports(bank), importId), 'progress')))
  return {
    async claim(name, writer, nowMs) {
      const reply = await store.write(claimImport, keysOf(name), [writer, name[1], nowMs, KEPT_MS])
      return Buffer.isBuffer(reply) ? parse(reply.toString()) : undefined
    },
    async checkpoint(name, writer, progress, noted) {
      const stretches = noted.map(({ fromLine, toLine, why }) => JSON.stringify([fromLine, toLine, why]))
      const args = [writer, JSON.stringify(progress), MAX_NOTED_STRETCHES, KEPT_MS, ...stretches]
      return (await store.write(checkpointImport, keysOf(name), args)) === 1
    },
    get,
    runOf: ([bank, importId], writer) => ({ key: keys.import(placeOfImports(bank), importId), writer }),
    async notes([bank, importId]) {
      const rows = await store.ask((redis) => redis.lrange(keys.importRejections(placeOfImports(bank), importId), 0, -1))
      return rows.map((row) => {
        const [fromLine, toLine, why] = StretchJson.parse(JSON.parse(row))
        return { fromLine, toLine, why }
      })
    },
    async list(bank, after, limit) {
      const page = await lastPageOfSorted(store, keys.imports(placeOfImports(bank)), { after, limit })
      const found = await Promise.all(
        page.map(async ({ member }) => {
          const importId = member.toString('utf8')
          const progress = await get([bank, importId])
          return progress === undefined ? [] : [{ importId, progress }]
        }),
      )
      const last = page.at(-1)
      return { imports: found.flat(), next: last === undefined || page.length < limit ? undefined : placeOf(last) }
    },
  }
}

function parse(json: string | null): ImportProgress | undefined {
  if (json === null) return undefined
  const { format, problem, ...rest } = ProgressJson.parse(JSON.parse(json))
  return { ...rest, format, problem }
}

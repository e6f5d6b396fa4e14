// How far the files that are handed in to a bank have come. Numbers, reasons and times: nothing of what is in them.

import { z } from 'zod'
import {
  FILE_FORMATS,
  IMPORT_STATES,
  type ImportProgress,
  MOST_REFUSED_STRETCHES,
  RECORD_REFUSALS,
  type RefusedLines,
} from '../domain/bank-import.js'
import type { PagePlace } from '../domain/page-place.js'
import { PROBLEM_CODES } from '../domain/problem.js'
import { keys } from './keys.js'
import { lastPageOfSorted, placeOf } from './paging.js'
import { checkpointImport, claimImport, forgetImports } from './scripts/imports.js'
import type { Store } from './store.js'

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
  refused: z.int(),
  refusedFor: z.partialRecord(z.enum(RECORD_REFUSALS), z.int()),
  digest: z.string(),
})
const StretchJson = z.tuple([z.int(), z.int(), z.enum(RECORD_REFUSALS)])

/** Of one import: its bank and its id there. */
export type ImportName = readonly [bank: string, importId: string]

export interface ImportPage {
  readonly imports: readonly { readonly importId: string; readonly progress: ImportProgress }[]
  /** Where the next page begins; `undefined` at the end. */
  readonly next: PagePlace | undefined
}

export interface Imports {
  /** From here on `writer` alone may say how far it has come. @returns how far it had come. */
  claim(name: ImportName, writer: string, nowMs: number): Promise<ImportProgress | undefined>
  /** Durable when it returns. @returns false when another one is at it now: whoever is told so stops. */
  checkpoint(name: ImportName, writer: string, progress: ImportProgress, refused: readonly RefusedLines[]): Promise<boolean>
  get(name: ImportName): Promise<ImportProgress | undefined>
  /** The first 10,000 stretches, in order. */
  refusals(name: ImportName): Promise<RefusedLines[]>
  /** A page of those of the last 30 days, the newest first. */
  list(bank: string, after: PagePlace | undefined, limit: number): Promise<ImportPage>
  /** All of a bank that is gone: another one of its name begins anew. Running it twice changes nothing. */
  forget(bank: string): Promise<void>
}

export function importsIn(store: Store): Imports {
  const keysOf = ([bank, importId]: ImportName) => [
    keys.import(bank, importId),
    keys.importRefusals(bank, importId),
    keys.imports(bank),
  ]
  const get = async ([bank, importId]: ImportName) =>
    parse(await store.ask((redis) => redis.hget(keys.import(bank, importId), 'progress')))
  return {
    async claim(name, writer, nowMs) {
      const reply = await store.write(claimImport, keysOf(name), [writer, name[1], nowMs, KEPT_MS])
      return Buffer.isBuffer(reply) ? parse(reply.toString()) : undefined
    },
    async checkpoint(name, writer, progress, refused) {
      const stretches = refused.map(({ fromLine, toLine, why }) => JSON.stringify([fromLine, toLine, why]))
      const args = [writer, JSON.stringify(progress), MOST_REFUSED_STRETCHES, KEPT_MS, ...stretches]
      return (await store.write(checkpointImport, keysOf(name), args)) === 1
    },
    get,
    async refusals([bank, importId]) {
      const rows = await store.ask((redis) => redis.lrange(keys.importRefusals(bank, importId), 0, -1))
      return rows.map((row) => {
        const [fromLine, toLine, why] = StretchJson.parse(JSON.parse(row))
        return { fromLine, toLine, why }
      })
    },
    async list(bank, after, limit) {
      const page = await lastPageOfSorted(store, keys.imports(bank), { after, limit })
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
    async forget(bank) {
      await store.write(forgetImports, [keys.imports(bank)], [keys.import(bank, '')])
    },
  }
}

function parse(json: string | null): ImportProgress | undefined {
  if (json === null) return undefined
  const { format, problem, ...rest } = ProgressJson.parse(JSON.parse(json))
  return { ...rest, format, problem }
}

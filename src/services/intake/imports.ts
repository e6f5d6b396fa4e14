// Imports files into a bank while they arrive, in batches. With an idempotency key, an interrupted import continues where it stopped.

import { createHash, createHmac, randomBytes } from 'node:crypto'
import { uuidV7, uuidV8 } from '../../../packages/core/src/ids.js'
import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { ImportProgress, NotedLines } from '../../domain/organisations/bank-import.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { Problem } from '../../domain/problem.js'
import { MAX_LINE_CHARS, readLines } from '../../exchange/text-lines.js'
import { unpacked } from '../../exchange/unpack.js'
import type { ImportPage, ImportRef, Imports as ImportStore } from '../../store/organisations/imports.js'
import type { EventLoopScheduler } from '../load/event-loop-scheduler.js'
import { ImportRun } from './import-run.js'
import type { Registration } from './registration.js'

export interface ImportReport {
  readonly importId: string
  readonly progress: ImportProgress
  readonly notes: readonly NotedLines[]
}

export interface Imports {
  /**
   * Imports a file of any length. Its signals are matchable in this process when it returns. With a key, sending the same file again continues after
   * the last finished line. Without a key, it starts again at the beginning, which changes nothing that is already imported.
   *
   * @param mayStill called repeatedly while the file arrives, which may take an hour. Once it throws, the import stops.
   * @throws {Problem} what stopped the import, also named in its report: body-too-large, body-unreadable, upload-incomplete, quota-exceeded,
   *   account-suspended, store-unavailable, bank-unknown; idempotency-key-reused if the key belongs to another file; idempotency-key-busy if another
   *   request has taken over this import: this one then writes nothing more.
   * Memory: a few thousand lines, whatever the length of the file.
   */
  take(
    bank: Bank,
    key: string | undefined,
    body: AsyncIterable<unknown>,
    mayStill: () => Promise<void>,
  ): Promise<ImportReport>
  /** A page of imports, newest first, without notes. */
  list(bank: Bank, after: PageCursor | undefined, limit: number): Promise<ImportPage>
  /** @throws {Problem} import-unknown */
  report(bank: Bank, importId: string): Promise<ImportReport>
}

export interface ImportParts {
  readonly imports: ImportStore
  readonly registration: Pick<Registration, 'changeBank' | 'settled'>
  readonly scheduler: Pick<EventLoopScheduler, 'yielder'>
  /** Keys ids and digests, so that neither reveals anything about a file. */
  readonly secret: Buffer
  readonly now: () => number
}

export function createImports({ imports, registration, scheduler, secret, now }: ImportParts): Imports {
  return {
    async take(bank, key, body, mayStill) {
      const importId = key === undefined ? uuidV7(now(), randomBytes(10)) : idFor(secret, bank, key)
      const name: ImportRef = [bank, importId]
      const run = await begin(name, bank)
      const yielder = scheduler.yielder()
      try {
        for await (const lines of readLines(unpacked(body), MAX_LINE_CHARS, true)) {
          await mayStill()
          for (const line of lines) {
            const pause = yielder() // lines that are skipped, blank or rejected never wait for the store
            if (pause !== undefined) await pause
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
      const name: ImportRef = [bank, importId]
      const progress = await imports.get(name)
      if (progress === undefined) throw new Problem('import-unknown')
      return { importId, progress, notes: await imports.notes(name) }
    },
  }

  async function begin(name: ImportRef, bank: Bank) {
    const writer = randomBytes(16).toString('hex')
    const startedAtMs = now()
    const digest = createHash('sha256').update(createHmac('sha256', secret).update('lines of a file').digest())
    const before = await imports.claim(name, writer, startedAtMs)
    return new ImportRun(before ?? { ...NOTHING, startedAtMs, updatedAtMs: startedAtMs }, digest, {
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
  categoriesIgnored: 0,
  rejected: 0,
  rejectedFor: {},
  digest: '',
}

function idFor(secret: Buffer, bank: Bank, key: string): string {
  const bytes = createHmac('sha256', secret).update(`import\0${bank.name}\0`).update(key).digest()
  return uuidV8(bytes)
}

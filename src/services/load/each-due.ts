// Works through due entries. An entry that fails stays due and is reported; the entries after it are still handled.

import { inChunks } from '../../domain/in-chunks.js'
import { Problem } from '../../domain/problem.js'

export interface DueWork<Entry> {
  /** Names the entries for the operator: `signals to release`. */
  readonly what: string
  /**
   * Either returns the page of entries after the given one, or the first page; an empty page ends the run. Each page begins after the last entry, not
   * at the first remaining one, so a run ends although failed entries remain due. Or, for entries in memory, the list of all.
   */
  readonly take: ((after: Entry | undefined) => Promise<readonly Entry[]>) | readonly Entry[]
  /** Handles an entry, and removes it from the due ones. */
  readonly handle: (entry: Entry) => Promise<unknown>
  /** Called at most once per run. */
  readonly onError: (error: DueError) => void
  /** Entries handled concurrently; default 1. */
  readonly atOnce?: number
  /**
   * Whether the error concerns all entries. Then it ends the run at once. An unavailable store ends the run, too, after `MAX_TRANSIENT_IN_A_ROW` failures.
   */
  readonly isNotAboutTheEntry?: (error: unknown) => boolean
}

export interface DueDone {
  readonly done: number
  /** Entries that failed. They stay due; the next run tries them again. */
  readonly failed: number
}

/** Some entries failed. The message omits their errors, which may contain what must not be logged. `cause` is the first of them. */
export class DueError extends Error {
  override readonly name = 'DueError'
}

/** After so many transient errors in a row, the fault lies with the store or the index, not with the entries. */
const MAX_TRANSIENT_IN_A_ROW = 20

/**
 * Handles each due entry once.
 * @throws what `take` throws; {Problem} store-unavailable, index-loading and similar errors that concern more than a few entries. Then the next run
 *   starts from the first entry.
 */
export async function forEachDue<Entry>(work: DueWork<Entry>): Promise<DueDone> {
  const { what, handle, onError, atOnce = 1, isNotAboutTheEntry = () => false } = work
  let done = 0
  let transientInARow = 0
  let fatal: { readonly error: unknown } | undefined
  const errors: unknown[] = []
  const take = async (after: Entry | undefined): Promise<readonly Entry[]> => {
    if (typeof work.take === 'function') return await work.take(after)
    return after === undefined ? work.take : []
  }
  const attempt = async (entry: Entry) => {
    try {
      await handle(entry)
      done++
      transientInARow = 0
    } catch (error) {
      if (isNotAboutTheEntry(error)) fatal = { error }
      else errors.push(error)
      transientInARow = isTransient(error) ? transientInARow + 1 : 0
    }
  }
  try {
    for (let page = await take(undefined); page.length > 0; page = await take(page.at(-1))) {
      for (const some of inChunks(page, atOnce)) {
        await Promise.all(some.map(attempt))
        if (fatal !== undefined) throw fatal.error
        if (transientInARow >= MAX_TRANSIENT_IN_A_ROW) throw errors.at(-1)
        // One entry may be too large for the store to handle in time. If the store itself is unavailable, reading the next page throws.
        if (transientInARow > 0) await take(page.at(-1))
      }
    }
  } finally {
    if (errors.length > 0) onError(errorOf(what, errors, done))
  }
  return { done, failed: errors.length }
}

/** Whether the error is temporary. Then a retry may succeed, and the fault is not the entry's. */
export function isTransient(error: unknown): boolean {
  return error instanceof Problem && error.retryAfterS !== undefined
}

function errorOf(what: string, errors: readonly unknown[], done: number): DueError {
  const all = errors.length + done
  const [cause] = errors
  const reason = cause instanceof Problem ? cause.code : cause instanceof Error ? cause.name : 'unknown'
  return new DueError(`${errors.length} of ${all} ${what} failed (${reason}) and are tried again; the others are done.`, {
    cause,
  })
}

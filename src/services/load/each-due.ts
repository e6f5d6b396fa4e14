// The one way to work through what is due. An entry that fails stays due, is reported, and keeps nothing behind it waiting.

import { Problem } from '../../domain/problem.js'

export interface DueWork<Entry> {
  /** What the entries are, for the operator: `signals to release`. */
  readonly what: string
  /**
   * The entries behind one, or the first ones; none at the end. A page begins behind the last entry and not at the first that is left: so a
   * run ends although entries that failed stay. Or all of them, where they are in memory.
   */
  readonly take: ((after: Entry | undefined) => Promise<readonly Entry[]>) | readonly Entry[]
  /** Takes the entry out when it is done. */
  readonly handle: (entry: Entry) => Promise<unknown>
  /** Called at most once a run. */
  readonly onError: (error: DueError) => void
  /** Entries that are handled together; one when left out. */
  readonly atOnce?: number
  /** Errors that no entry is to blame for: the run ends with them at once. Those of a store that is unavailable end it anyhow, after some. */
  readonly isNotTheEntrys?: (error: unknown) => boolean
}

export interface DueDone {
  readonly done: number
  /** They stay, and come again with the next run. */
  readonly failed: number
}

/** Some entries failed. Their errors are not shown, which may name what no log is to have; the first is the cause. */
export class DueError extends Error {
  override readonly name = 'DueError'
}

/** So many in a row for which the store, or the index, was not there: it is not the entries. */
const MAX_AWAY_IN_A_ROW = 20

/**
 * Works through all that is due, once.
 * @throws what `take` throws; {Problem} store-unavailable, index-loading and the like when that holds not only for some entries. The next run begins again.
 */
export async function forEachDue<Entry>(work: DueWork<Entry>): Promise<DueDone> {
  const { what, handle, onError, atOnce = 1, isNotTheEntrys = () => false } = work
  let done = 0
  let awayInARow = 0
  let ends: { readonly with: unknown } | undefined
  const errors: unknown[] = []
  const take = async (after: Entry | undefined): Promise<readonly Entry[]> => {
    if (typeof work.take === 'function') return await work.take(after)
    return after === undefined ? work.take : []
  }
  const attempt = async (entry: Entry) => {
    try {
      await handle(entry)
      done++
      awayInARow = 0
    } catch (error) {
      if (isNotTheEntrys(error)) ends = { with: error }
      else errors.push(error)
      awayInARow = isTransient(error) ? awayInARow + 1 : 0
    }
  }
  try {
    for (let page = await take(undefined); page.length > 0; page = await take(page.at(-1))) {
      for (let at = 0; at < page.length; at += atOnce) {
        await Promise.all(page.slice(at, at + atOnce).map(attempt))
        if (ends !== undefined) throw ends.with
        if (awayInARow >= MAX_AWAY_IN_A_ROW) throw errors.at(-1)
        // An entry may be too large for the store to be done with in time: is it the store, then the next page is not had either.
        if (awayInARow > 0) await take(page.at(-1))
      }
    }
  } finally {
    if (errors.length > 0) onError(errorOf(what, errors, done))
  }
  return { done, failed: errors.length }
}

/** It goes by with time: then it is worth trying again, and says nothing about the entry. */
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

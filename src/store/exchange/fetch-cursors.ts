// Where a fetcher that remembers nothing but a time had come to: for each time that an API key was given, its place in the feed.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { keepFetchCursor } from '../scripts/organisations/fetch-places.js'

export interface FetchCursor {
  readonly revision: number
  readonly removed: number
  readonly batch: { readonly end: number; readonly told: number } | undefined
  /** What the process knew that told it, with a mark [8 bytes] of the history there. */
  readonly seen: { readonly revision: number; readonly mark: Buffer }
  /** Of a snapshot that is under way. */
  readonly part: number | undefined
  /** The place up to which it was told of withdrawals, in their own order. */
  readonly withdrawn: number
}

export interface FetchCursors {
  /** The place that belongs to a time that was given to this key. @returns `undefined` for any other time. */
  at(keyId: string, timeS: number): Promise<FetchCursor | undefined>
  /**
   * Keeps the place of a time. Where the time has one already, another page or another fetcher with this key was given it too: then a
   * place is kept from which neither is left without anything.
   * @returns the time that was given for it: `timeS`, or a later one that was given before.
   */
  keep(keyId: string, timeS: number, place: FetchCursor): Promise<number>
}

/** One that comes later reads everything. */
const KEPT_MS = 90 * 86_400_000

export function createFetchCursorStore(store: Store): FetchCursors {
  return {
    async at(keyId, timeS) {
      const [found] = await store.ask((redis) => redis.zrangebyscore(keys.fetchCursors(keyId), timeS, timeS))
      const [, revision, seen, mark = '', part, removed, end, told, withdrawn] = found?.split(':') ?? []
      if (revision === undefined || removed === undefined) return undefined
      return {
        revision: Number(revision),
        removed: Number(removed),
        batch: end === '' ? undefined : { end: Number(end), told: Number(told) },
        seen: { revision: Number(seen), mark: Buffer.from(mark, 'hex') },
        part: part === '' ? undefined : Number(part),
        withdrawn: Number(withdrawn),
      }
    },
    async keep(keyId, timeS, { revision, removed, batch, seen, part = '', withdrawn }) {
      const { end = '', told = '' } = batch ?? {}
      const args = [timeS, revision, seen.revision, seen.mark.toString('hex'), part, KEPT_MS, removed, end, told, withdrawn]
      return Number(await store.write(keepFetchCursor, [keys.fetchCursors(keyId)], args))
    },
  }
}

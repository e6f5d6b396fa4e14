// Positions of fetchers that remember only a time: for each time that was given to an API key, its position in the feed.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { keepFetchCursor } from '../scripts/organisations/fetch-cursors.js'

export interface FetchCursor {
  readonly revision: number
  readonly removed: number
  readonly batch: { readonly end: number; readonly sent: number } | undefined
  /** What the process that answered knew: its last revision, and a digest [8 bytes] of the change stream there. */
  readonly seen: { readonly revision: number; readonly mark: Buffer }
  /** The next part of a snapshot that is being sent; `undefined` when none is. */
  readonly part: number | undefined
  /** The position up to which withdrawals were sent. Withdrawals have an order of their own. */
  readonly withdrawn: number
}

export interface FetchCursors {
  /** The position for a time that was given to this key. @returns `undefined` for any other time. */
  at(keyId: string, timeS: number): Promise<FetchCursor | undefined>
  /**
   * Stores the position for a time. The time may have a position already, of another page or of another fetcher with this key. Then the two are
   * merged, and neither fetcher misses anything.
   * @returns the time that stands for the position: `timeS`, or a later one that was given before.
   */
  keep(keyId: string, timeS: number, place: FetchCursor): Promise<number>
}

/** A fetcher that comes later reads everything again. */
const KEPT_MS = 90 * 86_400_000

export function createFetchCursorStore(store: Store): FetchCursors {
  return {
    async at(keyId, timeS) {
      const [found] = await store.ask((redis) => redis.zrangebyscore(keys.fetchCursors(keyId), timeS, timeS))
      const [, revision, seen, mark = '', part, removed, end, sent, withdrawn] = found?.split(':') ?? []
      if (revision === undefined || removed === undefined) return undefined
      return {
        revision: Number(revision),
        removed: Number(removed),
        batch: end === '' ? undefined : { end: Number(end), sent: Number(sent) },
        seen: { revision: Number(seen), mark: Buffer.from(mark, 'hex') },
        part: part === '' ? undefined : Number(part),
        withdrawn: Number(withdrawn),
      }
    },
    async keep(keyId, timeS, { revision, removed, batch, seen, part = '', withdrawn }) {
      const { end = '', sent = '' } = batch ?? {}
      const args = [timeS, revision, seen.revision, seen.mark.toString('hex'), part, KEPT_MS, removed, end, sent, withdrawn]
      return Number(await store.write(keepFetchCursor, [keys.fetchCursors(keyId)], args))
    },
  }
}

// Cursors of the feed: a reader's position as sealed text. The reader learns nothing from it, and no other organisation can use it.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { FeedFilter } from '../../domain/organisations/feed.js'

export interface FeedReader {
  readonly orgId: string
  readonly keyId: string
  readonly filter: FeedFilter
  /** Whether it gets all views of an image; else those of `feedSignalsOf`. */
  readonly allViews: boolean
  /**
   * The only interface that accepts the cursor. With StopNCII's, a cursor is valid for one API key, and snapshots have tombstones for the registered
   * images that they leave out.
   */
  readonly use?: 'stopncii'
}

export interface FeedPosition {
  /** The end of the last batch that was sent whole. While a snapshot is sent: the end of the batch after which the next pages continue. */
  readonly revision: number
  /** The last change whose removals were sent. Removals do not wait for a batch. */
  readonly removed: number
  /** The batch that was sent in part: its end, and how many of its images were sent. */
  readonly batch: { readonly end: number; readonly sent: number } | undefined
  /**
   * The position of the replica that the page was read from. The page may leave out an image because a change up to this revision is sent later. If a
   * restore removed this revision from the store's history, the reader gets a new snapshot.
   */
  readonly seen: { readonly revision: number; readonly mark: Buffer }
  /** The next part (`ID_PARTS`) of a snapshot that is under way. */
  readonly part: number | undefined
  /** StopNCII's interface only: up to where withdrawals were sent, as `FetchCursor.withdrawn`. */
  readonly withdrawn?: number
}

export interface FeedCursors {
  write(reader: FeedReader, place: FeedPosition): string
  /** @returns `undefined` for an invalid cursor: invented, altered, of another organisation or of other filters. */
  read(reader: FeedReader, cursor: string): FeedPosition | undefined
}

/** The first bytes of the digest at a revision. */
const MARK_BYTES = 8
export const CURSOR_PATTERN = /^[A-Za-z0-9_-]{91}$/

const NONCE_BYTES = 12
const TAG_BYTES = 16
const REVISION_BYTES = 6
const REMOVED_AT = 2 * REVISION_BYTES
const END_AT = REMOVED_AT + REVISION_BYTES
const SENT_AT = END_AT + REVISION_BYTES
const MARK_AT = SENT_AT + 4
const PART_AT = MARK_AT + MARK_BYTES
/** Layout: revision, seen revision, removed, end of the batch or 0, images of it that were sent, mark, part plus one or 0. */
const PLACE_BYTES = PART_AT + 4
/** The same, and up to where withdrawals were sent. */
const FETCH_PLACE_BYTES = PLACE_BYTES + REVISION_BYTES
const FETCH_CURSOR_PATTERN = /^[A-Za-z0-9_-]{99}$/

export function markOf(digest: string): Buffer {
  return Buffer.from(digest, 'hex').subarray(0, MARK_BYTES)
}

/**
 * Cursors are sealed with AES-256-GCM: readable revisions would show which pictures were registered together, and so belong to one person.
 * Organisation, filters and which views are sent are authenticated but not written, so the cursor is invalid with others. A key that gets fewer views
 * than the last one starts a snapshot, in which its follower drops the others.
 * @param secret the key is derived from it with HKDF.
 */
export function createFeedCursors(secret: Buffer): FeedCursors {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'tabir feed cursor 2', 32))
  return {
    write(reader, { revision, removed, batch, seen, part, withdrawn = 0 }) {
      const place = Buffer.alloc(reader.use === undefined ? PLACE_BYTES : FETCH_PLACE_BYTES)
      place.writeUIntBE(revision, 0, REVISION_BYTES)
      place.writeUIntBE(seen.revision, REVISION_BYTES, REVISION_BYTES)
      place.writeUIntBE(removed, REMOVED_AT, REVISION_BYTES)
      place.writeUIntBE(batch?.end ?? 0, END_AT, REVISION_BYTES)
      place.writeUInt32BE(batch?.sent ?? 0, SENT_AT)
      seen.mark.copy(place, MARK_AT, 0, MARK_BYTES)
      place.writeUInt32BE(part === undefined ? 0 : part + 1, PART_AT)
      if (reader.use !== undefined) place.writeUIntBE(withdrawn, PLACE_BYTES, REVISION_BYTES)
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(contextOf(reader))
      return Buffer.concat([nonce, cipher.update(place), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    read(reader, cursor) {
      if (!(reader.use === undefined ? CURSOR_PATTERN : FETCH_CURSOR_PATTERN).test(cursor)) return undefined
      const placeEnd = NONCE_BYTES + (reader.use === undefined ? PLACE_BYTES : FETCH_PLACE_BYTES)
      const bytes = Buffer.from(cursor, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAAD(contextOf(reader)).setAuthTag(bytes.subarray(placeEnd))
      const place = decipher.update(bytes.subarray(NONCE_BYTES, placeEnd))
      try {
        decipher.final()
      } catch {
        return undefined
      }
      const part = place.readUInt32BE(PART_AT)
      const end = place.readUIntBE(END_AT, REVISION_BYTES)
      return {
        revision: place.readUIntBE(0, REVISION_BYTES),
        removed: place.readUIntBE(REMOVED_AT, REVISION_BYTES),
        batch: end === 0 ? undefined : { end, sent: place.readUInt32BE(SENT_AT) },
        seen: {
          revision: place.readUIntBE(REVISION_BYTES, REVISION_BYTES),
          mark: place.subarray(MARK_AT, PART_AT),
        },
        part: part === 0 ? undefined : part - 1,
        ...(reader.use !== undefined && { withdrawn: place.readUIntBE(PLACE_BYTES, REVISION_BYTES) }),
      }
    },
  }
}

function contextOf({ orgId, keyId, filter, allViews, use }: FeedReader): Buffer {
  const sorted = (names: readonly string[] | undefined) => (names === undefined ? null : [...new Set(names)].sort())
  return Buffer.from(
    JSON.stringify([
      orgId,
      sorted(filter.banks),
      sorted(filter.categories),
      sorted(filter.tiers),
      use === undefined ? { allViews } : [use, keyId],
    ]),
  )
}

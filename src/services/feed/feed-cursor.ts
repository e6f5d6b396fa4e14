// Where a follower of the feed stopped, as a text that tells him nothing and that nobody else can use.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { FeedFilter } from '../../domain/organisations/feed.js'

export interface FeedReader {
  readonly orgId: string
  readonly keyId: string
  readonly filter: FeedFilter
  /**
   * Which interface it reads by; a cursor of one is none of another. By StopNCII's, a cursor is its key's alone, and in a snapshot there are
   * tombstones of what is registered and not named.
   */
  readonly use?: 'stopncii'
}

export interface FeedPosition {
  /** The end of the last batch of additions that was told whole; of a snapshot, the one from which they are told after it. */
  readonly revision: number
  /** Of the last change whose removals were told. They do not wait for a batch. */
  readonly removed: number
  /** The batch that is being told: its end, and how many of its images were told. */
  readonly batch: { readonly end: number; readonly told: number } | undefined
  /**
   * What the process knew that told it: what will come up to there was perhaps left out, since it is told later. So a store that has lost it is
   * told from the beginning.
   */
  readonly seen: { readonly revision: number; readonly mark: Buffer }
  /** The next part (`ID_PARTS`) of a snapshot that is under way. */
  readonly part: number | undefined
  /** By StopNCII's interface, up to where it was told of withdrawals: `FetchCursor.withdrawn`. */
  readonly withdrawn?: number
}

export interface FeedCursors {
  write(reader: FeedReader, place: FeedPosition): string
  /** @returns `undefined` for whatever is none: made up, changed, of another organisation or of other filters. */
  read(reader: FeedReader, cursor: string): FeedPosition | undefined
}

/** Of the digest at a position. */
const MARK_BYTES = 8
export const CURSOR_PATTERN = /^[A-Za-z0-9_-]{91}$/

const NONCE_BYTES = 12
const TAG_BYTES = 16
const REVISION_BYTES = 6
const REMOVED_AT = 2 * REVISION_BYTES
const END_AT = REMOVED_AT + REVISION_BYTES
const TOLD_AT = END_AT + REVISION_BYTES
const MARK_AT = TOLD_AT + 4
const PART_AT = MARK_AT + MARK_BYTES
/** revision, seen revision, removed, end of the batch or 0 and what was told of it, mark, part plus one or 0 */
const PLACE_BYTES = PART_AT + 4
/** The same, and up to where withdrawals were told. */
const FETCH_PLACE_BYTES = PLACE_BYTES + REVISION_BYTES
const FETCH_CURSOR_PATTERN = /^[A-Za-z0-9_-]{99}$/

export function markOf(digest: string): Buffer {
  return Buffer.from(digest, 'hex').subarray(0, MARK_BYTES)
}

/**
 * Sealed with AES-256-GCM: a revision in clear would tell which pictures were registered in one step, and so that they are of
 * one person. Organisation and filters are authenticated with it and not written: under others the cursor does not open.
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
      place.writeUInt32BE(batch?.told ?? 0, TOLD_AT)
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
        batch: end === 0 ? undefined : { end, told: place.readUInt32BE(TOLD_AT) },
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

function contextOf({ orgId, keyId, filter, use }: FeedReader): Buffer {
  const sorted = (names: readonly string[] | undefined) => (names === undefined ? null : [...new Set(names)].sort())
  return Buffer.from(
    JSON.stringify([
      orgId,
      sorted(filter.banks),
      sorted(filter.categories),
      sorted(filter.tiers),
      use === undefined ? null : [use, keyId],
    ]),
  )
}

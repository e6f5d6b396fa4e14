// Where a follower of the feed stopped, as a text that tells him nothing and that nobody else can use.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { FeedFilter } from '../domain/feed.js'

export interface FeedReader {
  readonly orgId: string
  readonly keyId: string
  readonly filter: FeedFilter
  /** Which interface it reads by; a cursor of one is none of another. By StopNCII's, a cursor is its key's alone. */
  readonly use?: 'stopncii'
}

export interface FeedPlace {
  /** Of the last change that was told; of a snapshot, the revision from which changes are told after it. */
  readonly revision: number
  /** [8 bytes] what changed there, so that another history is not taken for this one. */
  readonly mark: Buffer
  /** The next part (`ID_PARTS`) of a snapshot that is under way. */
  readonly part: number | undefined
}

export interface FeedCursors {
  write(reader: FeedReader, place: FeedPlace): string
  /** @returns `undefined` for whatever is none: made up, changed, of another organisation or of other filters. */
  read(reader: FeedReader, cursor: string): FeedPlace | undefined
}

export const MARK_BYTES = 8
export const CURSOR_PATTERN = /^[A-Za-z0-9_-]{64}$/

const NONCE_BYTES = 12
const TAG_BYTES = 16
/** revision, mark, part plus one or 0 */
const PLACE_BYTES = 8 + MARK_BYTES + 4

/**
 * Sealed with AES-256-GCM: a revision in clear would tell which pictures were registered in one step, and so that they are of
 * one person. Organisation and filters are authenticated with it and not written: under others the cursor does not open.
 */
export function feedCursorsWith(secret: Buffer): FeedCursors {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'tabir feed cursor 1', 32))
  return {
    write(reader, { revision, mark, part }) {
      const place = Buffer.alloc(PLACE_BYTES)
      place.writeBigUInt64BE(BigInt(revision))
      mark.copy(place, 8, 0, MARK_BYTES)
      place.writeUInt32BE(part === undefined ? 0 : part + 1, 8 + MARK_BYTES)
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(contextOf(reader))
      return Buffer.concat([nonce, cipher.update(place), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    read(reader, cursor) {
      if (!CURSOR_PATTERN.test(cursor)) return undefined
      const bytes = Buffer.from(cursor, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAAD(contextOf(reader)).setAuthTag(bytes.subarray(NONCE_BYTES + PLACE_BYTES))
      const place = decipher.update(bytes.subarray(NONCE_BYTES, NONCE_BYTES + PLACE_BYTES))
      try {
        decipher.final()
      } catch {
        return undefined
      }
      const part = place.readUInt32BE(8 + MARK_BYTES)
      return {
        revision: Number(place.readBigUInt64BE()),
        mark: place.subarray(8, 8 + MARK_BYTES),
        part: part === 0 ? undefined : part - 1,
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

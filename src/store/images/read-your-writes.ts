// Remembers the images that this process wrote until they arrive in the change stream. Then it need not read them back from Redis.

import { randomBytes } from 'node:crypto'
import type { RegisteredImage } from '../../../packages/core/src/matching/signal.js'
import { type Change, type ImageOp, imageIdsOf } from '../scripts/change-ops.js'
import { decodeImage } from './image-record.js'

export interface OwnWrites {
  /**
   * Call before a write. @param records image id → record before sealing.
   * @returns [8 bytes] the mark to append to the change in the stream; empty when the write is too large to be remembered.
   */
  mark(records: ReadonlyMap<string, Buffer>): Buffer
  /** Call after the write. @param revision an upper bound of its revision; `undefined` when it failed or its outcome is unknown. */
  wrote(mark: Buffer, revision: number | undefined): void
  /**
   * Call once with each change, in order.
   * @returns image id → image, for images written by this process, as many as may be applied in one step. Leaves out an image that two of the changes
   *   concern: only the store knows which change came last.
   */
  of(changes: readonly Change[]): ReadonlyMap<string, RegisteredImage>
  /** The stream was followed up to this revision: forget writes that should have arrived by now. */
  followed(revision: number): void
  /** All images were reloaded from Redis: remembered writes may be older. */
  forgetAll(): void
}

/** Larger writes are read back: that costs little per image. */
const MAX_IMAGES = 50
/** Bound while the stream is not followed: 16 MB at most. */
const MAX_WRITES = 256
/**
 * What exceeds this, in one write or in all that are applied together, is read back, with pauses: to decode and apply it in one step would keep other
 * requests waiting, for about 10 ms at this size. A photograph has 1 to 7 KB, a long video 700.
 */
const MAX_BYTES_AT_ONCE = 1 << 16
const MARK_BYTES = 8
const NO_MARK = Buffer.alloc(0)

interface Written {
  readonly records: ReadonlyMap<string, Buffer>
  revision: number | undefined
}

export function createOwnWrites(): OwnWrites {
  // By mark, oldest first.
  const writes = new Map<string, Written>()
  const take = (mark: string): ReadonlyMap<string, Buffer> | undefined => {
    const written = writes.get(mark)
    writes.delete(mark)
    return written?.records
  }
  return {
    mark(records) {
      let bytes = 0
      for (const { length } of records.values()) bytes += length
      if (records.size > MAX_IMAGES || bytes > MAX_BYTES_AT_ONCE) return NO_MARK
      for (const oldest of writes.keys()) {
        if (writes.size < MAX_WRITES) break
        take(oldest)
      }
      const mark = randomBytes(MARK_BYTES)
      writes.set(nameOf(mark), { records, revision: undefined })
      return mark
    },
    wrote(mark, revision) {
      const written = writes.get(nameOf(mark))
      if (written === undefined) return
      if (revision === undefined) take(nameOf(mark))
      else written.revision = revision
    },
    of(changes) {
      const own = new Map<string, RegisteredImage>()
      if (writes.size === 0) return own
      let bytes = 0
      for (const change of changes) {
        if (!('imageIds' in change) || change.by === undefined) continue
        const records = take(change.by)
        for (const { length } of records?.values() ?? []) bytes += length
        if (records === undefined || bytes > MAX_BYTES_AT_ONCE) continue
        for (const id of change.imageIds) {
          const record = records.get(id)
          if (record !== undefined) own.set(id, decodeImage(record))
        }
      }
      if (own.size > 0) for (const id of namedTwice(changes, own)) own.delete(id)
      return own
    },
    followed(revision) {
      for (const [name, written] of writes) if (written.revision !== undefined && written.revision <= revision) take(name)
    },
    forgetAll() {
      writes.clear()
    },
  }
}

/** A mark as text, as the change stream decodes it. */
function nameOf(mark: Buffer): string {
  return mark.toString('latin1')
}

/** Changes after which the record that this process wrote may no longer be the stored one. */
const STORES_OR_ERASES: Readonly<Record<ImageOp, boolean>> = { image: true, trustStatus: false, tombstone: true }

function namedTwice(changes: readonly Change[], among: ReadonlyMap<string, unknown>): string[] {
  const once = new Set<string>()
  const twice: string[] = []
  for (const id of imageIdsOf(changes, STORES_OR_ERASES)) {
    if (once.has(id)) twice.push(id)
    else if (among.has(id)) once.add(id)
  }
  return twice
}

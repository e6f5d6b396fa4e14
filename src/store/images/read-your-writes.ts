// Remembers the images that this process wrote until they arrive in the change stream. Then it need not read them back from Redis.

import { randomBytes } from 'node:crypto'
import type { RegisteredImage } from '../../domain/matching/signal.js'
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
   * @returns image id → image, for images written by this process. Without images that two of the changes are about: only the store knows
   *   which came last.
   */
  of(changes: readonly Change[]): ReadonlyMap<string, RegisteredImage>
  /** The stream was followed up to this revision: forget writes that should have arrived by now. */
  followed(revision: number): void
  /** All images were reloaded from Redis: remembered writes may be older. */
  forgetAll(): void
}

/** Larger writes are read back: that costs little per image. */
const MAX_IMAGES = 50
/** Bound while the stream is not followed. */
const MAX_WRITES = 256
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
    const records = writes.get(mark)?.records
    writes.delete(mark)
    return records
  }
  return {
    mark(records) {
      if (records.size > MAX_IMAGES) return NO_MARK
      const [oldest] = writes.size < MAX_WRITES ? [] : writes.keys()
      if (oldest !== undefined) writes.delete(oldest)
      const mark = randomBytes(MARK_BYTES)
      writes.set(nameOf(mark), { records, revision: undefined })
      return mark
    },
    wrote(mark, revision) {
      const written = writes.get(nameOf(mark))
      if (written === undefined) return
      if (revision === undefined) writes.delete(nameOf(mark))
      else written.revision = revision
    },
    of(changes) {
      const own = new Map<string, RegisteredImage>()
      if (writes.size === 0) return own
      for (const change of changes) {
        if (!('imageIds' in change) || change.by === undefined) continue
        const records = take(change.by)
        if (records === undefined) continue
        for (const id of change.imageIds) {
          const record = records.get(id)
          if (record !== undefined) own.set(id, decodeImage(record))
        }
      }
      if (own.size > 0) for (const id of namedTwice(changes, own)) own.delete(id)
      return own
    },
    followed(revision) {
      for (const [name, written] of writes)
        if (written.revision !== undefined && written.revision <= revision) writes.delete(name)
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

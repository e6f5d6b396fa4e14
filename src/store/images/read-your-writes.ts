// What this process has written, until it hears of it in the stream: then it need not ask the store what it was.

import { randomBytes } from 'node:crypto'
import type { RegisteredImage } from '../../domain/matching/signal.js'
import { type Change, type ImageOp, imageIdsOf } from '../scripts/change-ops.js'
import { decodeImage } from './image-record.js'

export interface OwnWrites {
  /**
   * To be called before a write. @param records of its images by their ids, each once, as they are before they are sealed.
   * @returns [8 bytes] what is to stand in the stream beside the change; empty where it will have to be asked for.
   */
  mark(records: ReadonlyMap<string, Buffer>): Buffer
  /** To be called after it. @param revision the newest that may be its change; `undefined` when it did not happen, or nobody knows. */
  wrote(mark: Buffer, revision: number | undefined): void
  /**
   * Once for each change, in their order.
   * @returns the images that are known to be as these changes made them, by their ids. Not one that two of them are about: which of both is
   * the last word, the store knows.
   */
  of(changes: readonly Change[]): ReadonlyMap<string, RegisteredImage>
  /** Up to here the stream was followed: what it did not speak of will not come. */
  followed(revision: number): void
  /** Everything was read anew, and may be newer than all that was written before. */
  forgetAll(): void
}

/** To read back more at once costs little for each, and an index takes no more in one go. */
const MAX_IMAGES = 50
/** While the stream is not followed. */
const MAX_WRITES = 256
const MARK_BYTES = 8
const NO_MARK = Buffer.alloc(0)

interface Written {
  readonly records: ReadonlyMap<string, Buffer>
  revision: number | undefined
}

export function createOwnWrites(): OwnWrites {
  // By their marks, the oldest first.
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

/** As the stream is read. */
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

// Writes a file that an earlier run may have begun: equal bytes are kept, and writing starts at the first difference.

import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder, writeFully } from '../../packages/core/src/node/write-file.js'

export interface ContinuedFile {
  /** Writes the next bytes, unless the file already has the same bytes there. */
  write(bytes: Uint8Array): Promise<void>
  /** Number of bytes so far that the file already had. */
  readonly keptBytes: number
  /** Cuts off everything after the last written byte, and waits until all is on disk. */
  end(): Promise<void>
  /** Closes the file, after `end` or to give up. Written bytes stay for the next run. */
  close(): Promise<void>
}

/** Opens the file, or creates it, for its owner only. Safe after a crash at any moment: old bytes are compared, never trusted. */
export async function continueFile(path: string): Promise<ContinuedFile> {
  const file = await open(path, 'r+').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return open(path, 'wx+', 0o600)
    throw error
  })
  const { size } = await file.stat()
  // Invariant: before `at` the file has exactly the bytes that were written. `isSame` until the first difference.
  let at = 0
  let isSame = size > 0
  let keptBytes = 0
  return {
    get keptBytes() {
      return keptBytes
    },
    async write(bytes) {
      const same = isSame ? await sameBytes(file, at, bytes) : 0
      isSame = same === bytes.length && isSame
      keptBytes += same
      await writeFully(file, bytes.subarray(same), at + same)
      at += bytes.length
    },
    async end() {
      await file.truncate(at)
      await file.sync()
      await syncFolder(dirname(path))
    },
    close: () => file.close(),
  }
}

/** @returns `bytes.length` when the file has exactly these bytes at this offset; otherwise 0. */
async function sameBytes(file: FileHandle, at: number, bytes: Uint8Array): Promise<number> {
  const there = Buffer.allocUnsafe(bytes.length)
  for (let have = 0; have < bytes.length; ) {
    const { bytesRead } = await file.read(there, have, bytes.length - have, at + have)
    if (bytesRead === 0) return 0
    have += bytesRead
  }
  return there.equals(bytes) ? bytes.length : 0
}

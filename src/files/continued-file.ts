// A file that goes on where it broke off: what is there already of the same bytes is kept, and the rest is written.

import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder, writeFully } from './write-file.js'

export interface ContinuedFile {
  /** The next bytes of the whole. What the file has in their place is compared with them, and kept where it is the same. */
  write(bytes: Uint8Array): Promise<void>
  /** How many bytes did not have to be written, so far. */
  readonly keptBytes: number
  /** Cuts off whatever is behind, and waits until all of it is on disk. */
  end(): Promise<void>
  /** For one that is given up, or has ended: what was written stays, for the next time. */
  close(): Promise<void>
}

/** Interrupted at any moment, by whatever: the next time its beginning is compared, so nothing of it is believed. */
export async function continueFile(path: string): Promise<ContinuedFile> {
  const file = await open(path, 'r+').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return open(path, 'wx+', 0o600)
    throw error
  })
  const { size } = await file.stat()
  // Invariant: before `at` the file has what was given; while it differs nowhere, what is behind may be compared.
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

/** @returns `bytes.length` when the file has exactly these at the place, and otherwise 0. */
async function sameBytes(file: FileHandle, at: number, bytes: Uint8Array): Promise<number> {
  const there = Buffer.allocUnsafe(bytes.length)
  for (let have = 0; have < bytes.length; ) {
    const { bytesRead } = await file.read(there, have, bytes.length - have, at + have)
    if (bytesRead === 0) return 0
    have += bytesRead
  }
  return there.equals(bytes) ? bytes.length : 0
}

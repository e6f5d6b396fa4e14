// Append-only files, and small files that are overwritten in place. Both are synchronous: when a call returns, the bytes are on disk.

import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { writeFully, writeWholeFile } from '../../packages/core/src/node/write-file.js'

export interface RecordFile {
  readonly path: string
  /**
   * Appends text. Other processes may append to the same file.
   *
   * On a full disk, only the beginning of the text may be written. It stays, because another process may have appended after it. So the format
   * has to mark the end of each record, and start each text on a new line, for readers to recognise incomplete records.
   *
   * @returns false when the file was moved or removed. Then open it again.
   */
  append(text: string): Promise<boolean>
  close(): Promise<void>
}

/** Opens a file for appending, or creates it, for its owner only. The file name itself is on disk after the first append. */
export async function openRecordFile(path: string): Promise<RecordFile> {
  const file = await open(path, 'as', 0o600)
  try {
    const { dev, ino } = await file.stat()
    return {
      path,
      async append(text) {
        const [there] = await Promise.all([stat(path).catch(() => undefined), writeFully(file, Buffer.from(text))])
        return there?.dev === dev && there.ino === ino
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * Overwrites the beginning of a file. Needs no free space, so it works on a full disk, except with copy-on-write file systems (Btrfs, ZFS).
 * @param text as long as the old text, and less than a sector (512 bytes), so that a crash leaves either the old or the new text.
 * @throws {Error} also when the file is missing.
 */
export async function overwrite(path: string, text: string): Promise<void> {
  const file: FileHandle = await open(path, constants.O_WRONLY | constants.O_SYNC)
  try {
    await writeFully(file, Buffer.from(text), 0)
  } finally {
    await file.close()
  }
}

/** Creates a file for `overwrite`, unless it exists. */
export async function makeOnce(path: string, text: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return
  await writeWholeFile(path, [text], { isNew: true }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
}

// Files that stay open and grow, and small ones that are written over. Both write through to the disk: when a call returns, it is there.

import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { writeFully, writeWholeFile } from './write-file.js'

export interface RecordFile {
  readonly path: string
  /**
   * Adds records at the end, behind whatever other processes have added.
   *
   * A full disk may take the beginning of a text. It is not cut off again: another process may have added records behind it. So a format needs an end
   * of each record, by which readers know those that were cut short, and begins each text on a new line.
   *
   * @returns false when the file is no longer under its name: it was moved or removed. Then open it again.
   */
  append(text: string): Promise<boolean>
  close(): Promise<void>
}

/** Opens a file to add to, and makes it where it is missing. Owner only. Its name is on disk once something was added. */
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
 * Writes over the beginning of a file, which needs no room on the disk: it works on a full one, except where the file system writes
 * a copy of every change (Btrfs, ZFS).
 * @param text as long as what is there, and less than a sector (512 bytes), so that a crash leaves one of the two.
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

/** Makes a file that is there to be overwritten, unless there is one. */
export async function makeOnce(path: string, text: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return
  await writeWholeFile(path, [text], { isNew: true }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
}

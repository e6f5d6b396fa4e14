// How far a restore has come, for the one that goes on with it.

import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWholeFile } from '../files/write-file.js'

const Noted = z.object({
  /** Of the backup: another one begins anew. */
  fileId: z.string(),
  /** Is the log whole, as Redis reads it? From then on Redis writes to it. */
  logIsWhole: z.boolean(),
  /** Of the backup, once it is known. */
  revision: z.int().optional(),
})
type Noted = z.infer<typeof Noted>

export interface RestoreProgress {
  readonly now: Noted
  /** On disk when it returns: what is noted has happened before. */
  note(more: Partial<Noted>): Promise<void>
}

/** Begins anew, in an empty folder, unless what is there is of the same backup. */
export async function progressIn(folder: string, fileId: string): Promise<RestoreProgress> {
  const path = join(folder, 'progress.json')
  let now = await readNoted(path)
  if (now?.fileId !== fileId) {
    await rm(folder, { recursive: true, force: true })
    now = { fileId, logIsWhole: false }
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await write(path, now)
  }
  let noted = now
  return {
    get now() {
      return noted
    },
    async note(more) {
      noted = { ...noted, ...more }
      await write(path, noted)
    },
  }
}

async function readNoted(path: string): Promise<Noted | undefined> {
  try {
    return Noted.safeParse(JSON.parse(await readFile(path, 'utf8'))).data
  } catch {
    return undefined
  }
}

async function write(path: string, noted: Noted): Promise<void> {
  await writeWholeFile(path, [JSON.stringify(noted)])
}

// How far a restore has come, for the next one that continues it.

import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWholeFile } from '../../files/write-file.js'

const Noted = z.object({
  /** Of the backup: the random number that its file was sealed with, so no other file has it. */
  fileId: z.string(),
  /** The folder that the data is for. */
  target: z.string(),
  /** Is the log whole, as Redis reads it? From then on Redis writes to it. */
  logIsWhole: z.boolean(),
  /** What the backup says of itself, once it was read. */
  backup: z.object({ revision: z.int(), counts: z.object({ keys: z.int(), expiring: z.int() }).optional() }).optional(),
  /** Of the backup, once what came up was compared with the backup. */
  revision: z.int().optional(),
})
type Noted = z.infer<typeof Noted>

export interface RestoreProgress {
  readonly now: Noted
  /** On disk when it returns: what is noted has happened before. */
  note(more: Partial<Noted>): Promise<void>
}

export interface RestoreAims {
  readonly fileId: string
  readonly target: string
  /** A file that is there once the log is whole, and goes with the data into its place. */
  readonly lastOfLog: string
}

/**
 * Continues what was interrupted, or begins in an empty folder. What is there of another backup, for another target, or without its data (a
 * restore that was killed after it had put the data in place) is removed.
 * @param onDiscarded told why.
 */
export async function progressIn(
  folder: string,
  { fileId, target, lastOfLog }: RestoreAims,
  onDiscarded: (why: string) => void,
): Promise<RestoreProgress> {
  const path = join(folder, 'progress.json')
  const found = await readNoted(path)
  const why = whyNot(found, { fileId, target, lastOfLog })
  if (why !== undefined && existsSync(folder)) onDiscarded(why)
  let noted = found !== undefined && why === undefined ? found : { fileId, target, logIsWhole: false }
  if (why !== undefined) {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await write(path, noted)
  }
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

/** Why what was noted cannot be continued. */
function whyNot(found: Noted | undefined, { fileId, target, lastOfLog }: RestoreAims): string | undefined {
  if (found === undefined) return 'it does not say how far it came'
  if (found.fileId !== fileId) return 'it is of another backup'
  if (found.target !== target) return 'it is for another data folder'
  if (found.logIsWhole && !existsSync(lastOfLog)) return 'its data is no longer there'
  return undefined
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

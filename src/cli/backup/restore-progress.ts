// Records how far a restore came, so that the next run can continue it.

import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWholeFile } from '../../../packages/core/src/node/write-file.js'
import { makeFolder } from '../../files/make-folder.js'

const Noted = z.object({
  /** The random number that the backup file was sealed with; it identifies the file. */
  fileId: z.string(),
  /** The folder that the data will be moved to. */
  target: z.string(),
  /** Whether the log is complete, as Redis reads it. Redis writes to it from then on. */
  logIsWhole: z.boolean(),
  /** Figures from the backup's head, once it was read. */
  backup: z.object({ revision: z.int(), counts: z.object({ keys: z.int(), expiring: z.int() }).optional() }).optional(),
  /** Revision of the backup, recorded after the loaded data was compared with it. */
  revision: z.int().optional(),
})
type Noted = z.infer<typeof Noted>

export interface RestoreProgress {
  readonly now: Noted
  /** Resolves when it is on disk. Call it after what it records has happened. */
  note(more: Partial<Noted>): Promise<void>
}

export interface RestoreAims {
  readonly fileId: string
  readonly target: string
  /** A file that exists once the log is complete, and moves into place with the data. */
  readonly lastOfLog: string
}

/**
 * Continues an interrupted restore, or begins in an empty folder. Removes what another restore left: of another backup, to another folder, or one
 * whose data is gone because it was killed after it moved the data into place.
 * @param onDiscarded receives the reason
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
    await makeFolder(folder)
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

/** @returns why the recorded restore cannot be continued; `undefined` if it can. */
function whyNot(found: Noted | undefined, { fileId, target, lastOfLog }: RestoreAims): string | undefined {
  if (found === undefined) return 'its progress file cannot be read'
  if (found.fileId !== fileId) return 'it restored another backup'
  if (found.target !== target) return 'it was for another data folder'
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

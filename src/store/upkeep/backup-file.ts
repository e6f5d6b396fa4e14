// A backup: all that Redis holds, sealed once more as a whole. It opens with the seal keys alone, on any machine.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { continueFile } from '../../files/continued-file.js'
import { moveIntoPlace } from '../../files/write-file.js'
import { lastRevision } from '../images/changes.js'
import type { RedisTarget, Store } from '../redis/client.js'
import { type Keyring, SealError } from '../sealing/seal.js'
import { readSealedFile, writeSealedFile } from '../sealing/sealed-file.js'
import { copyRdb } from './rdb-copy.js'

/** What stands at its beginning. */
const Head = z.object({
  version: z.literal(1),
  madeAtMs: z.int(),
  /** The backup has this and perhaps a little more. */
  revision: z.int(),
})
export type BackupHead = z.infer<typeof Head>

const CONTEXT = Buffer.from('backup of tabir')
const PIECE_BYTES = 1 << 20
/** What is behind the name of a backup that is on its way. */
const UNDER_WAY = '.under-way'
const GOES_ON_FOR_MS = 86_400_000

export interface BackupParts {
  readonly store: Store
  readonly target: RedisTarget
  readonly keyring: Keyring
  readonly now: () => number
}

/** Where a copy of the data waits until its backup is in place; by the place that it is for. */
export interface BackupPlace {
  readonly path: string
  /** On a disk that is as fast as Redis: it does not wait for a slow one. */
  readonly folder: string
}

export interface WrittenBackup<T> {
  /** What `check` gave. */
  readonly checked: T
  /** Does it go on with one that was interrupted, and was made then? */
  readonly goesOn: boolean
  /** Bytes of it that were in their place already. */
  readonly keptBytes: number
}

/**
 * Two steps. First a copy of one moment, which cannot be had in parts: interrupted, it begins again. Then that is brought to its place, checked
 * there, and has its name: interrupted, this goes on, with the same moment, for a day.
 *
 * @param check reads what was brought. It has its name only when that returns.
 * @throws {Error} when Redis does not allow it, or a disk does not take it. @throws what `check` throws.
 */
export async function writeBackup<T>(
  place: BackupPlace,
  parts: BackupParts,
  check: (path: string) => Promise<T>,
): Promise<WrittenBackup<T>> {
  const name = createHash('sha256').update(place.path).digest('hex').slice(0, 32)
  const copy = join(place.folder, name)
  await removeOld(place.folder, parts.now())
  const goesOn = await isWhole(copy, parts.keyring)
  if (!goesOn) await takeCopy(copy, parts)
  const beside = `${place.path}${UNDER_WAY}`
  const keptBytes = await bring(copy, beside)
  const checked = await check(beside)
  await moveIntoPlace(beside, place.path)
  await rm(copy, { force: true })
  return { checked, goesOn, keptBytes }
}

async function takeCopy(copy: string, { store, target, keyring, now }: BackupParts): Promise<void> {
  const head: BackupHead = { version: 1, madeAtMs: now(), revision: await lastRevision(store) }
  await writeSealedFile(copy, keyring, CONTEXT, pieces(head, target))
}

/** One that is not will be made anew. */
async function isWhole(copy: string, keyring: Keyring): Promise<boolean> {
  try {
    await readBackup(copy, keyring, async () => {})
    return true
  } catch (error) {
    if (error instanceof SealError) return false
    throw error
  }
}

async function bring(copy: string, beside: string): Promise<number> {
  const file = await continueFile(beside)
  try {
    for await (const piece of createReadStream(copy, { highWaterMark: PIECE_BYTES })) await file.write(piece)
    await file.end()
    return file.keptBytes
  } finally {
    await file.close()
  }
}

/** Nobody went on with these. What was withdrawn meanwhile is in them. */
async function removeOld(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && nowMs - found.mtimeMs > GOES_ON_FOR_MS) await rm(path, { force: true })
  }
}

/**
 * Reads a backup to its end.
 * @param onPiece is given the RDB file, piece after piece. What it was given counts only when this returns.
 * @throws {SealError} when it is no backup, damaged, cut short, or of other seal keys; {Error} when there is no such file.
 */
export async function readBackup(
  path: string,
  keyring: Keyring,
  onPiece: (piece: Buffer) => Promise<void>,
): Promise<BackupHead> {
  let head: BackupHead | undefined
  for await (const piece of readSealedFile(path, keyring, CONTEXT)) {
    if (head === undefined) head = Head.parse(JSON.parse(piece.toString('utf8')))
    else await onPiece(piece)
  }
  if (head === undefined) throw new SealError('There is no such file.')
  return head
}

async function* pieces(head: BackupHead, target: RedisTarget): AsyncGenerator<Buffer> {
  yield Buffer.from(JSON.stringify(head))
  let gathered: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of copyRdb(target)) {
    gathered.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes < PIECE_BYTES) continue
    yield Buffer.concat(gathered)
    gathered = []
    sizeBytes = 0
  }
  yield Buffer.concat(gathered)
}

// A backup: all data of Redis as one sealed file. The seal keys are all that is needed to open it, on any machine.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { moveIntoPlace } from '../../../packages/core/src/node/write-file.js'
import { continueFile } from '../../files/continued-file.js'
import { lastRevision } from '../images/changes.js'
import type { RedisTarget, Store } from '../redis/client.js'
import { type Keyring, SealError } from '../sealing/seal.js'
import { readSealedFile, writeSealedFile } from '../sealing/sealed-file.js'
import { copyRdb } from './rdb-copy.js'

/** The first piece of the file, as JSON. */
const Head = z.object({
  version: z.literal(1),
  madeAtMs: z.int(),
  /** The store's revision just before the copy: the backup contains it, and perhaps a few later changes. */
  revision: z.int(),
})
export type BackupHead = z.infer<typeof Head>

const CONTEXT = Buffer.from('backup of tabir')
const PIECE_BYTES = 1 << 20
/** Suffix of the name while a backup is being written. */
const UNDER_WAY = '.under-way'
/** An interrupted backup can be continued for this long. */
const RESUMABLE_MS = 86_400_000

export interface BackupParts {
  readonly store: Store
  readonly target: RedisTarget
  readonly keyring: Keyring
  readonly now: () => number
}

export interface BackupLocation {
  /** Where the backup will be. */
  readonly path: string
  /** Where the copy is kept until the backup is complete. On a fast disk: Redis does not wait for a slow reader. */
  readonly folder: string
}

export interface WrittenBackup<T> {
  /** The result of `check`. */
  readonly checked: T
  /** True when it continued an interrupted backup: then its data is of that earlier time. */
  readonly goesOn: boolean
  /** Bytes that an interrupted backup had written already. */
  readonly keptBytes: number
}

/**
 * Writes a backup in two steps. First Redis's data is copied into `place.folder`; an interrupted copy starts again. Then the copy is written
 * beside `place.path`, checked and renamed; when interrupted, the next call continues with the same data, for a day.
 *
 * @param check reads the written file. The file gets its final name only after it returns.
 * @throws {Error} when Redis does not permit a copy, or a disk fails. @throws what `check` throws.
 */
export async function writeBackup<T>(
  place: BackupLocation,
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

/** True when an earlier copy is complete and opens; otherwise a new one is made. */
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

/** Removes abandoned copies: they contain data that may have been withdrawn since. */
async function removeOld(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && nowMs - found.mtimeMs > RESUMABLE_MS) await rm(path, { force: true })
  }
}

/**
 * Reads a backup to its end.
 * @param onPiece gets the RDB file piece by piece. Use the pieces only after this returns: until then the file may turn out damaged.
 * @throws {SealError} when there is no such file, or it is not a backup, damaged, cut short or sealed under other keys.
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

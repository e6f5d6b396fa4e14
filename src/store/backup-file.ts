// A backup: all that Redis holds, sealed once more as a whole. It opens with the seal keys alone, on any machine.

import { z } from 'zod'
import { lastRevision } from './changes.js'
import { copyRdb } from './rdb-copy.js'
import { type Keyring, SealError } from './seal.js'
import { readSealedFile, writeSealedFile } from './sealed-file.js'
import type { RedisTarget, Store } from './store.js'

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

export interface BackupParts {
  readonly store: Store
  readonly target: RedisTarget
  readonly keyring: Keyring
  readonly now: () => number
}

/**
 * Written beside the path and moved there when it is whole and on disk: one that was interrupted leaves nothing in its place.
 * @throws {Error} when Redis does not allow it, or the disk does not take it.
 */
export async function writeBackup(path: string, { store, target, keyring, now }: BackupParts): Promise<BackupHead> {
  const head: BackupHead = { version: 1, madeAtMs: now(), revision: await lastRevision(store) }
  await writeSealedFile(path, keyring, CONTEXT, pieces(head, target))
  return head
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

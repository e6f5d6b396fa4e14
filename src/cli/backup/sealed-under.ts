// Finds backups and snapshots sealed under a key. They are outside the store and are never re-encrypted.

import { readdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { Store } from '../../store/redis/client.js'
import type { NamedKey } from '../../store/sealing/seal.js'
import { hintsOf } from '../../store/sealing/sealed-file.js'
import { backupsMade, type MadeBackup } from '../../store/upkeep/backups.js'

export interface SealedUnder {
  readonly kind: 'backup' | 'snapshot'
  /** Description for the operator. */
  readonly what: string
}

/** @param backups folders with backups, including copies from other hosts @throws {Error} if one cannot be read */
export async function sealedUnder(
  { fingerprint, hint }: NamedKey,
  { store, dataDir, backups }: { readonly store: Store; readonly dataDir: string; readonly backups: readonly string[] },
): Promise<SealedUnder[]> {
  const isUnder = async (path: string) => (await hintsOf(path).catch(() => new Set<number>())).has(hint)
  const filesIn = async (folder: string) =>
    (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => join(folder, name))
  const noneWhereMissing = (folder: string) => filesIn(folder).catch(() => [])
  const found: SealedUnder[] = []
  for (const path of await noneWhereMissing(resolve(dataDir, 'snapshots')))
    if (await isUnder(path))
      found.push({ kind: 'snapshot', what: `${path} (without it, a start reads everything from Redis)` })
  const named = (await Promise.all(backups.map((folder) => filesIn(resolve(folder))))).flat()
  const paths = new Set([...named, ...(await noneWhereMissing(resolve(dataDir, 'backing-up')))])
  for (const made of await backupsMade(store)) {
    if (!made.fingerprints.includes(fingerprint)) continue
    if (made.host === hostname()) paths.add(made.path)
    else found.push({ kind: 'backup', what: elsewhere(made) })
  }
  for (const path of paths) if (await isUnder(path)) found.push({ kind: 'backup', what: path })
  return found
}

function elsewhere({ host, path, madeAtMs }: MadeBackup): string {
  return `${path} on ${host}, made ${new Date(madeAtMs).toISOString()}, unless it was removed there`
}

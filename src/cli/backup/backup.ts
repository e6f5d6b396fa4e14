// tabir backup FILE | tabir backup verify FILE

import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { readConfig } from '../../boot/config.js'
import { messageOf } from '../../domain/message-of.js'
import { noteInAudit } from '../../store/audit/audit.js'
import { lastRevision } from '../../store/images/changes.js'
import { keyringOf } from '../../store/sealing/seal-keys.js'
import { hintsOf } from '../../store/sealing/sealed-file.js'
import { type BackupHead, readBackup, writeBackup } from '../../store/upkeep/backup-file.js'
import { recordBackup } from '../../store/upkeep/backups.js'
import { failed, printJson } from '../output.js'
import { withSealedStore } from '../sealed-store.js'

const USAGE = 'tabir backup FILE | tabir backup verify FILE'

/** @returns the exit status: 0; 1 on failure; 2 for wrong arguments */
export async function backup(args: readonly string[]): Promise<number> {
  const [first, second, ...more] = args
  const isUsable = first !== undefined && more.length === 0 && (first === 'verify') === (second !== undefined)
  // A word that begins with `-` is an unknown option, not a file name; `./-name` is a file name.
  if (!isUsable || args.some((arg) => arg.startsWith('-'))) return failed(USAGE, 2)
  try {
    const made = second === undefined ? await make(resolve(first)) : await verify(resolve(second))
    printJson(made)
    return 0
  } catch (error) {
    return failed(messageOf(error), 1)
  }
}

/** Reads the backup back, so that a broken one is found now and not when it is needed. */
async function make(path: string) {
  return withSealedStore(async ({ config, store, target, keyring }) => {
    const place = { path, folder: resolve(config.dataDir, 'backing-up') }
    const parts = { store, target, keyring, now: Date.now }
    const about = { revision: String(await lastRevision(store)) }
    await noteInAudit(store, { act: 'store.backed-up', by: 'operator', about, atMs: Date.now() })
    const { checked, goesOn, keptBytes } = await writeBackup(place, parts, (written) => check(written, keyring))
    const hints = await hintsOf(path)
    const fingerprints = keyring.named.filter(({ hint }) => hints.has(hint)).map(({ fingerprint }) => fingerprint)
    await recordBackup(store, { path, host: hostname(), madeAtMs: Date.parse(checked.madeAt), fingerprints })
    return { ...checked, ...(goesOn && { goesOn, keptBytes }) }
  })
}

function verify(path: string) {
  return check(path, keyringOf(readConfig(process.env), false))
}

async function check(path: string, keyring: Parameters<typeof readBackup>[1]) {
  let sizeBytes = 0
  let start = ''
  const head: BackupHead = await readBackup(path, keyring, async (piece) => {
    if (sizeBytes === 0) start = piece.toString('latin1', 0, 5)
    sizeBytes += piece.length
  })
  if (start !== 'REDIS') throw new Error('The backup contains no Redis data.')
  return { revision: head.revision, madeAt: new Date(head.madeAtMs).toISOString(), sizeBytes }
}

// Where seal keys come from: a setting, or a file that only its owner may read.

import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { writeWholeFileSync } from '../../../packages/core/src/node/write-file.js'
import { messageOf } from '../../domain/message-of.js'
import { makeFolderSync } from '../../files/make-folder.js'
import { KEY_BYTES, type Keyring, keyringFrom, makeKeyring, type NamedKey, type NamedSecret, SealError } from './seal.js'

export interface SealSettings {
  readonly dataDir: string
  /** The ring itself (TABIR_SEAL_KEYS), when it is not kept in a file. */
  readonly sealKeys: string | undefined
  /** Path of the key file; default: `seal-keys` in the data folder. */
  readonly sealKeyFile: string | undefined
}

export function sealKeyPath({ dataDir, sealKeyFile }: SealSettings): string {
  return sealKeyFile ?? join(dataDir, 'seal-keys')
}

/** Whether the keys are in a file in the data folder, so that a copy of the folder can be read. */
export function areKeysBesideData(settings: SealSettings): boolean {
  const path = resolve(sealKeyPath(settings))
  return settings.sealKeys === undefined && path.startsWith(resolve(settings.dataDir) + sep)
}

/**
 * The ring of this installation. A key file is read again when a record is under an unknown key.
 * @param isFirstUse true when nothing was ever sealed in this store. Only then is a missing file made.
 * @throws {SealError} when the keys are malformed or the file is missing.
 */
export function keyringOf(settings: SealSettings, isFirstUse: boolean): Keyring {
  const { sealKeys } = settings
  if (sealKeys !== undefined) {
    const secrets = parseSealKeys(sealKeys)
    return keyringFrom(() => secrets)
  }
  const path = sealKeyPath(settings)
  sealKeysFromFile(path, isFirstUse)
  return keyringFrom(() => readKeys(path))
}

/** Reads `id:base64,id:base64`, the form of `TABIR_SEAL_KEYS` and of the key file. The ids are for people. */
export function parseSealKeys(text: string): NamedSecret[] {
  const keys = text
    .trim()
    .split(',')
    .map((part) => {
      const colon = part.indexOf(':')
      const secret = Buffer.from(part.slice(colon + 1), 'base64')
      if (colon < 1 || secret.length !== KEY_BYTES)
        throw new SealError('Seal keys are id:base64 of 32 bytes, separated by commas.')
      return { label: part.slice(0, colon).trim(), secret }
    })
  if (new Set(keys.map(({ label }) => label)).size < keys.length) throw new SealError('Two seal keys have the same id.')
  return keys
}

/**
 * The keys in a file that only its owner may read, made on first use.
 * @throws {SealError} when the file is there but cannot be used; it is never overwritten. Also when it is missing and
 *   `isFirstUse` is false: keys made now would open nothing.
 */
export function sealKeysFromFile(path: string, isFirstUse: boolean): NamedSecret[] {
  if (!isFirstUse && !existsSync(path)) {
    throw new SealError(
      `The file with the seal keys is missing: ${path}. Without it nothing that was sealed can be opened. Put it back. Nothing was changed.`,
    )
  }
  try {
    makeFolderSync(dirname(path))
    if (!existsSync(path)) {
      const first = textOf([{ label: 'k1', secret: randomBytes(KEY_BYTES) }])
      writeWholeFileSync(path, [first], { isNew: true })
    }
  } catch (error) {
    if (!isTaken(error)) throw unusable(error) // if another process made the file first, its keys are used
  }
  try {
    return readKeys(path)
  } catch (error) {
    throw error instanceof SealError ? error : unusable(error)
  }
}

function unusable(error: unknown): SealError {
  return new SealError(
    `The file with the seal keys cannot be used (TABIR_SEAL_KEY_FILE, or TABIR_DATA_DIR): ${messageOf(error)}`,
  )
}

/**
 * Adds a new key at the front of a file: it becomes the active key of processes that read the file.
 * @throws {SealError} when a key has this label, or another process is changing the file.
 */
export function addSealKey(path: string, label: string): NamedKey {
  let added: NamedKey | undefined
  rewrite(path, (before) => {
    const taken = makeKeyring(before.map(({ secret }) => secret)).named.map(({ hint }) => hint)
    for (;;) {
      const secret = randomBytes(KEY_BYTES)
      const { active } = keyringFrom(() => [{ label, secret }])
      added = active
      // Records name their key by this byte, so two keys of a ring should not share it.
      if (!taken.includes(active.hint)) return [{ label, secret }, ...before]
    }
  })
  if (added === undefined) throw new Error('a key was added')
  return added
}

/** Removes a key from a file. Older backups still need it: keep the key with them. */
export function dropSealKey(path: string, fingerprint: string): void {
  rewrite(path, (before) => before.filter((key) => keyringFrom(() => [key]).active.fingerprint !== fingerprint))
}

/** Rewrites the file atomically; on disk when it returns. A lost key would lose everything sealed under it. */
function rewrite(path: string, change: (keys: readonly NamedSecret[]) => readonly NamedSecret[]): void {
  function* changed() {
    const text = textOf(change(readKeys(path)))
    parseSealKeys(text)
    yield text
  }
  try {
    writeWholeFileSync(path, changed(), { beside: `${path}.new` }) // a fixed name: only one process at a time
  } catch (error) {
    if (!isTaken(error)) throw error
    throw new SealError(
      'Another process is changing the file of the seal keys. If none is, remove the file beside it that ends in .new.',
    )
  }
}

function readKeys(path: string): NamedSecret[] {
  return parseSealKeys(readFileSync(path, 'utf8'))
}

function textOf(keys: readonly NamedSecret[]): string {
  return `${keys.map(({ label, secret }) => `${label}:${Buffer.from(secret).toString('base64')}`).join(',')}\n`
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

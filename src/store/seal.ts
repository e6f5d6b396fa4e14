// Sealing: what may be read from a stolen disk must say nothing, so hash bits and secrets lie in Redis only encrypted.

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Keyring {
  /**
   * AES-256-GCM (NIST SP 800-38D) under the first key, with a random nonce. `context` names the record and its kind: sealed
   * bytes moved to another place do not open there. Adds 30 bytes, laid out as `SEALED` says.
   *
   * Not for more than 2^32 records under one key: from there on it is no longer beyond belief that a nonce comes twice.
   */
  seal(plain: Uint8Array, context: Uint8Array): Buffer
  /** @throws {SealError} when no key of the ring opens it: another deployment's data, a wrong key or damage. */
  unseal(sealed: Uint8Array, context: Uint8Array): Buffer
  /** What opens, first the one that seals: for a thread of this process that opens many at once, and for nobody else. */
  readonly keys: readonly SealKey[]
}

export interface SealKey {
  /** [byte] says which key to try, and of the key nothing: both are derived from the secret, separately. */
  readonly hint: number
  /** [32 bytes] */
  readonly key: Uint8Array
}

export class SealError extends Error {
  override readonly name = 'SealError'
}

/** version 2:  [1] version  [1] hint of the key  [12] nonce  ciphertext  [16] tag */
export const SEALED = { version: 2, hintAt: 1, nonceAt: 2, ciphertextAt: 14, tagBytes: 16, minBytes: 30 } as const

const KEY_BYTES = 32
const NONCE_BYTES = SEALED.ciphertextAt - SEALED.nonceAt
const CIPHER = 'aes-256-gcm'
const OPTIONS = { authTagLength: SEALED.tagBytes } as const

/** @param secrets keys of 32 bytes; the first seals, all open. */
export function makeKeyring(secrets: readonly Uint8Array[]): Keyring {
  const ring = secrets.map(derive)
  const [current] = ring
  if (current === undefined) throw new SealError(WRONG_KEYS)

  return {
    keys: ring.map(({ hint, key }) => ({ hint, key })),
    seal(plain, context) {
      const sealed = Buffer.allocUnsafeSlow(SEALED.minBytes + plain.length)
      sealed[0] = SEALED.version
      sealed[SEALED.hintAt] = current.hint
      const nonce = randomBytes(NONCE_BYTES)
      sealed.set(nonce, SEALED.nonceAt)
      const cipher = createCipheriv(CIPHER, current.prepared, nonce, OPTIONS).setAAD(context)
      sealed.set(cipher.update(plain), SEALED.ciphertextAt)
      cipher.final()
      sealed.set(cipher.getAuthTag(), SEALED.ciphertextAt + plain.length)
      return sealed
    },
    unseal(sealed, context) {
      if (sealed.length < SEALED.minBytes || sealed[0] !== SEALED.version) throw new SealError(NOT_SEALED)
      const candidates = ring.filter(({ hint }) => hint === sealed[SEALED.hintAt])
      if (candidates.length === 0) throw new SealError(KEY_MISSING)
      for (const { prepared } of candidates) {
        const plain = open(prepared, sealed, context)
        if (plain !== undefined) return plain
      }
      throw new SealError(DOES_NOT_OPEN)
    },
  }
}

export const NOT_SEALED = 'not a sealed record, or one of another version'
export const KEY_MISSING = 'sealed under a key that is not in the ring'
export const DOES_NOT_OPEN = 'a sealed record does not open: it was changed, or moved from elsewhere'
const WRONG_KEYS = 'seal keys are 32 bytes each, and there has to be one'

function open(key: KeyObject, sealed: Uint8Array, context: Uint8Array): Buffer | undefined {
  const tagAt = sealed.length - SEALED.tagBytes
  const nonce = sealed.subarray(SEALED.nonceAt, SEALED.ciphertextAt)
  const decipher = createDecipheriv(CIPHER, key, nonce, OPTIONS).setAAD(context).setAuthTag(sealed.subarray(tagAt))
  const plain = decipher.update(sealed.subarray(SEALED.ciphertextAt, tagAt))
  try {
    decipher.final()
    return plain
  } catch {
    plain.fill(0)
    return undefined
  }
}

interface RingKey extends SealKey {
  /** The same key, taken over by node:crypto once and not for each record. */
  readonly prepared: KeyObject
}

// Derived, so that a secret is never used by itself and a hint gives nothing of it away.
function derive(secret: Uint8Array): RingKey {
  if (secret.length !== KEY_BYTES) throw new SealError(WRONG_KEYS)
  const derived = new Uint8Array(hkdfSync('sha256', secret, '', 'tabir seal 2 aes-256-gcm', KEY_BYTES + 1))
  const key = derived.slice(0, KEY_BYTES)
  return { hint: derived[KEY_BYTES] ?? 0, key, prepared: createSecretKey(key) }
}

/** Reads `id:base64,id:base64`, the form of `TABIR_SEAL_KEYS` and of the key file. The ids are for people. */
export function parseSealKeys(text: string): Buffer[] {
  return text
    .trim()
    .split(',')
    .map((part) => {
      const secret = Buffer.from(part.slice(part.indexOf(':') + 1), 'base64')
      if (!part.includes(':') || secret.length !== KEY_BYTES)
        throw new SealError('seal keys are id:base64 of 32 bytes, separated by commas')
      return secret
    })
}

/**
 * The keys in a file that only its owner may read, made on first use.
 * @throws {SealError} when the file is there but cannot be used; it is never overwritten. Also when it is missing and
 *   `isFirstUse` is false: keys made now would open nothing.
 */
export function sealKeysFromFile(path: string, isFirstUse: boolean): Buffer[] {
  if (!isFirstUse && !existsSync(path)) {
    throw new SealError(
      'The file with the seal keys is missing, and this Redis holds data that was sealed. Put the file back. Nothing was changed.',
    )
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, `k1:${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return parseSealKeys(readFileSync(path, 'utf8'))
}

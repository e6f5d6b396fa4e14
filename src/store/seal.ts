// Sealing: what may be read from a stolen disk must say nothing, so hash bits and secrets lie in Redis only encrypted.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Keyring {
  /**
   * AES-256-GCM under the first key. `context` names the record and its kind: sealed bytes moved to another place do not
   * open there. Adds 33 bytes: version, 4 of the key's fingerprint, 12 of nonce, 16 of tag.
   */
  seal(plain: Uint8Array, context: Uint8Array): Buffer
  /** @throws {SealError} when no key of the ring opens it: another deployment's data, a wrong key or damage. */
  unseal(sealed: Uint8Array, context: Uint8Array): Buffer
}

export class SealError extends Error {
  override readonly name = 'SealError'
}

const VERSION = 1
const KEY_BYTES = 32
const KEY_AT = 1
const NONCE_AT = KEY_AT + 4
const CIPHERTEXT_AT = NONCE_AT + 12
const TAG_BYTES = 16

/** @param secrets keys of 32 bytes; the first seals, all open. */
export function makeKeyring(secrets: readonly Uint8Array[]): Keyring {
  const [current] = secrets
  if (current === undefined || secrets.some((secret) => secret.length !== KEY_BYTES)) {
    throw new SealError('seal keys are 32 bytes each, and there has to be one')
  }
  const ring = new Map(secrets.map((secret) => [fingerprint(secret), secret]))
  const currentId = fingerprint(current)

  return {
    seal(plain, context) {
      const head = Buffer.alloc(CIPHERTEXT_AT)
      head[0] = VERSION
      head.writeUInt32BE(currentId, KEY_AT)
      randomBytes(CIPHERTEXT_AT - NONCE_AT).copy(head, NONCE_AT)
      const cipher = createCipheriv('aes-256-gcm', current, head.subarray(NONCE_AT)).setAAD(context)
      return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    unseal(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length)
      if (bytes.length < CIPHERTEXT_AT + TAG_BYTES || bytes[0] !== VERSION) throw new SealError('not a sealed record')
      const secret = ring.get(bytes.readUInt32BE(KEY_AT))
      if (secret === undefined) throw new SealError('sealed under a key that is not in the ring')
      const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(NONCE_AT, CIPHERTEXT_AT))
        .setAAD(context)
        .setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(CIPHERTEXT_AT, -TAG_BYTES)), decipher.final()])
      } catch {
        throw new SealError('a sealed record does not open: it was changed, or moved from elsewhere')
      }
    },
  }
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

function fingerprint(secret: Uint8Array): number {
  return createHash('sha256').update(secret).digest().readUInt32BE(0)
}

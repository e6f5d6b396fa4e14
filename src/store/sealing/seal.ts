// Sealing: what may be read from a stolen disk must say nothing, so hash bits and secrets lie in Redis only encrypted.

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomFillSync } from 'node:crypto'

export interface Keyring {
  /** The key that seals. */
  readonly active: NamedKey
  /** All that open, the active one first. */
  readonly named: readonly NamedKey[]
  /**
   * AES-256-GCM (NIST SP 800-38D) under the first key, with a random nonce. `context` names the record and its kind: sealed
   * bytes moved to another place do not open there. Adds 30 bytes, laid out as `SEALED` says.
   *
   * Not for more than 2^32 records under one key: from there on it is no longer beyond belief that a nonce comes twice.
   */
  seal(plain: Uint8Array, context: Uint8Array): Buffer
  /**
   * A key that is not in the ring is looked for where the ring came from, since another process may have begun to use it.
   * @throws {SealError} when no key of the ring opens it: another deployment's data, a wrong key or damage.
   */
  unseal(sealed: Uint8Array, context: Uint8Array): Buffer
  /** What opens, first the one that seals: for a thread of this process that opens many at once, and for nobody else. */
  readonly keys: readonly SealKey[]
  /**
   * Reads the ring again from where it came. What cannot be read, or is no ring, leaves it as it is.
   * @returns whether it has changed.
   */
  refresh(): boolean
}

/** What may be said of a key. */
export interface NamedKey {
  /** The operator's own name for it. */
  readonly label: string
  /** 16 hex digits, derived from the secret: the same everywhere, and of the secret they tell nothing. */
  readonly fingerprint: string
  /** As in `SealKey`. */
  readonly hint: number
}

export interface NamedSecret {
  readonly label: string
  /** [32 bytes] */
  readonly secret: Uint8Array
}

export interface SealKey {
  /** [byte] says which key to try, and of the key nothing: both are derived from the secret, separately. */
  readonly hint: number
  /** [32 bytes] */
  readonly key: Uint8Array
}

export class SealError extends Error {
  override readonly name = 'SealError'
  /** [byte] Of a record whose key is not in the ring: the hint of that key. The record may open later, so nothing is to be dropped for it. */
  readonly missingHint: number | undefined
  constructor(message: string, missingHint?: number) {
    super(message)
    this.missingHint = missingHint
  }
}

/** version 2:  [1] version  [1] hint of the key  [12] nonce  ciphertext  [16] tag */
export const SEALED = { version: 2, hintAt: 1, nonceAt: 2, ciphertextAt: 14, tagBytes: 16, minBytes: 30 } as const

export const KEY_BYTES = 32
const CIPHER = 'aes-256-gcm'
const OPTIONS = { authTagLength: SEALED.tagBytes } as const

/** @param secrets keys of 32 bytes; the first seals, all open. */
export function makeKeyring(secrets: readonly Uint8Array[]): Keyring {
  const named = secrets.map((secret, i) => ({ label: `k${i + 1}`, secret }))
  return keyringFrom(() => named)
}

/** @param load where the ring comes from: called at once, and again when it may have changed. @throws {SealError} what it throws at first. */
export function keyringFrom(load: () => readonly NamedSecret[], clock = () => performance.now()): Keyring {
  let ring = ringOf(load())
  let askedAtMs = Number.NEGATIVE_INFINITY

  function refresh(): boolean {
    try {
      const now = ringOf(load())
      const isSame = now.keys.map(nameOf).join() === ring.keys.map(nameOf).join()
      if (!isSame) ring = now
      return !isSame
    } catch {
      return false // a file that is being written, or is gone: what we know still opens what there is
    }
  }

  return {
    get active() {
      return ring.active
    },
    get named() {
      return ring.keys
    },
    get keys() {
      return ring.keys.map(({ hint, key }) => ({ hint, key }))
    },
    refresh,
    seal(plain, context) {
      const { active } = ring
      // Of Node's pool where it is short: memory of its own for each record is a third of what sealing a million takes.
      const sealed = Buffer.allocUnsafe(SEALED.minBytes + plain.length)
      sealed[0] = SEALED.version
      sealed[SEALED.hintAt] = active.hint
      const nonce = randomFillSync(sealed.subarray(SEALED.nonceAt, SEALED.ciphertextAt))
      const cipher = createCipheriv(CIPHER, active.prepared, nonce, OPTIONS).setAAD(context)
      sealed.set(cipher.update(plain), SEALED.ciphertextAt)
      cipher.final()
      sealed.set(cipher.getAuthTag(), SEALED.ciphertextAt + plain.length)
      return sealed
    },
    unseal(sealed, context) {
      if (sealed.length < SEALED.minBytes || sealed[0] !== SEALED.version) throw new SealError(NOT_SEALED)
      const hint = sealed[SEALED.hintAt] ?? 0
      // Damaged records must not make each reader read a file over and over.
      if (!ring.keys.some((key) => key.hint === hint) && clock() - askedAtMs >= ASK_AGAIN_AFTER_MS) {
        askedAtMs = clock()
        refresh()
      }
      const candidates = ring.keys.filter((key) => key.hint === hint)
      if (candidates.length === 0) throw new SealError(KEY_MISSING, hint)
      for (const { prepared } of candidates) {
        const plain = open(prepared, sealed, context)
        if (plain !== undefined) return plain
      }
      throw new SealError(DOES_NOT_OPEN)
    },
  }
}

const ASK_AGAIN_AFTER_MS = 1000

function ringOf(secrets: readonly NamedSecret[]) {
  const keys = secrets.map(derive)
  const [active] = keys
  if (active === undefined) throw new SealError(WRONG_KEYS)
  return { keys, active }
}

function nameOf({ label, fingerprint }: NamedKey): string {
  return `${label}:${fingerprint}`
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

interface RingKey extends SealKey, NamedKey {
  /** The same key, taken over by node:crypto once and not for each record. */
  readonly prepared: KeyObject
}

// Derived, so that a secret is never used by itself, and neither a hint nor a fingerprint gives anything of it away.
function derive({ label, secret }: NamedSecret): RingKey {
  if (secret.length !== KEY_BYTES) throw new SealError(WRONG_KEYS)
  const derived = new Uint8Array(hkdfSync('sha256', secret, '', 'tabir seal 2 aes-256-gcm', KEY_BYTES + 1))
  const key = derived.slice(0, KEY_BYTES)
  const name = new Uint8Array(hkdfSync('sha256', secret, '', 'tabir seal 2 fingerprint', 8))
  return {
    label,
    fingerprint: Buffer.from(name).toString('hex'),
    hint: derived[KEY_BYTES] ?? 0,
    key,
    prepared: createSecretKey(key),
  }
}

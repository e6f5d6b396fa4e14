// Sealing: hash bits and secrets are encrypted before they are written to Redis, so that a stolen disk reveals nothing.

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomFillSync } from 'node:crypto'

export interface Keyring {
  /** The key that encrypts. */
  readonly active: NamedKey
  /** All keys that decrypt, the active one first. */
  readonly named: readonly NamedKey[]
  /**
   * Encrypts with AES-256-GCM (NIST SP 800-38D) under the active key, with a random nonce. `context` names the record and its kind: sealed
   * bytes that are moved to another place do not open there. Adds 30 bytes in the layout of `SEALED`.
   *
   * Limit: 2^32 records per key. Beyond it a repeated nonce becomes too likely.
   */
  seal(plain: Uint8Array, context: Uint8Array): Buffer
  /**
   * Decrypts. If the record's key is not in the ring, the ring is loaded again (at most once a second): another process may have added a key.
   * @throws {SealError} when no key of the ring opens it: another deployment's data, a wrong key or context, or damage.
   */
  unseal(sealed: Uint8Array, context: Uint8Array): Buffer
  /** The active one first. For a worker thread of this process that opens many records, with `unsealWith`. */
  readonly keys: readonly SealKey[]
  /**
   * Loads the ring again. It stays unchanged when loading fails.
   * @returns whether it changed.
   */
  refresh(): boolean
}

/** What may be shown of a key. */
export interface NamedKey {
  /** The operator's own name for it. */
  readonly label: string
  /** 16 hex digits derived from the secret, the same on every machine. They reveal nothing of the secret. */
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
  /** [byte] in each record: which key to try. Derived from the secret separately, so that it reveals nothing of the key. */
  readonly hint: number
  readonly key: KeyObject
}

export class SealError extends Error {
  override readonly name = 'SealError'
  /** [byte] hint of a key that is not in the ring. The record may open later, so do not delete it. `undefined` for other failures. */
  readonly missingHint: number | undefined
  constructor(message: string, missingHint?: number) {
    super(message)
    this.missingHint = missingHint
  }
}

/** Whether a record is damaged for good, and not only sealed under a key that this process lacks. Readers of many records leave such a one out. */
export function isDamage(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof SealError && error.missingHint === undefined)
}

/** Opens a record. @returns `undefined` when it is damaged for good. @throws what `open` throws otherwise */
export function unlessDamaged<T>(open: () => T, onDamaged: (error: unknown) => void = () => {}): T | undefined {
  try {
    return open()
  } catch (error) {
    if (!isDamage(error)) throw error
    onDamaged(error)
    return undefined
  }
}

/** version 2:  [1] version  [1] hint of the key  [12] nonce  ciphertext  [16] tag */
export const SEALED = { version: 2, hintAt: 1, nonceAt: 2, ciphertextAt: 14, tagBytes: 16, minBytes: 30 } as const

export const KEY_BYTES = 32
const CIPHER = 'aes-256-gcm'
const OPTIONS = { authTagLength: SEALED.tagBytes } as const

/** @param secrets keys of 32 bytes: the first encrypts, all decrypt. @throws {SealError} when a key has another length or there is none. */
export function makeKeyring(secrets: readonly Uint8Array[]): Keyring {
  const named = secrets.map((secret, i) => ({ label: `k${i + 1}`, secret }))
  return keyringFrom(() => named)
}

/** @param load reads the ring: called now, and again when it may have changed. @throws what the first call throws; {SealError} for bad keys. */
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
      return false // the file is being written, or gone: keep the known keys
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
      // From Node's pool: separate allocations would be a third of the cost of sealing a million records.
      const sealed = Buffer.allocUnsafe(SEALED.minBytes + plain.length)
      sealed[0] = SEALED.version
      sealed[SEALED.hintAt] = active.hint
      const nonce = randomFillSync(sealed.subarray(SEALED.nonceAt, SEALED.ciphertextAt))
      const cipher = createCipheriv(CIPHER, active.key, nonce, OPTIONS).setAAD(context)
      sealed.set(cipher.update(plain), SEALED.ciphertextAt)
      cipher.final()
      sealed.set(cipher.getAuthTag(), SEALED.ciphertextAt + plain.length)
      return sealed
    },
    unseal(sealed, context) {
      const isKnown = sealed[0] !== SEALED.version || ring.keys.some(({ hint }) => hint === sealed[SEALED.hintAt])
      // Damaged records must not cause a file read each.
      if (!isKnown && clock() - askedAtMs >= ASK_AGAIN_AFTER_MS) {
        askedAtMs = clock()
        refresh()
      }
      return unsealWith(ring.keys, sealed, context)
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

/** `Keyring.unseal` with these keys only. @throws {SealError} as it does. Cost: 5 to 8 µs, most of it for the cipher object. */
export function unsealWith(keys: readonly SealKey[], sealed: Uint8Array, context: Uint8Array): Buffer {
  if (sealed.length < SEALED.minBytes || sealed[0] !== SEALED.version) throw new SealError(NOT_SEALED)
  const hint = sealed[SEALED.hintAt] ?? 0
  const candidates = keys.filter((key) => key.hint === hint)
  if (candidates.length === 0) throw new SealError(KEY_MISSING, hint)
  for (const { key } of candidates) {
    const plain = open(key, sealed, context)
    if (plain !== undefined) return plain
  }
  throw new SealError(DOES_NOT_OPEN)
}

const NOT_SEALED = 'not a sealed record, or one of another version'
export const KEY_MISSING = 'sealed under a key that is not in the ring'
const DOES_NOT_OPEN = 'a sealed record does not open: it was changed, or moved from elsewhere'
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

type RingKey = SealKey & NamedKey

// Key, hint and fingerprint are derived from the secret separately: none reveals another.
function derive({ label, secret }: NamedSecret): RingKey {
  if (secret.length !== KEY_BYTES) throw new SealError(WRONG_KEYS)
  const derived = new Uint8Array(hkdfSync('sha256', secret, '', 'tabir seal 2 aes-256-gcm', KEY_BYTES + 1))
  const name = new Uint8Array(hkdfSync('sha256', secret, '', 'tabir seal 2 fingerprint', 8))
  return {
    label,
    fingerprint: Buffer.from(name).toString('hex'),
    hint: derived[KEY_BYTES] ?? 0,
    key: createSecretKey(derived.subarray(0, KEY_BYTES)),
  }
}

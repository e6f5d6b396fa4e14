// Opens many AES-256-GCM messages at once: the block cipher is node:crypto's, the rest a WebAssembly kernel. Decision 0011 says why.
//
// It only opens, and only what this deployment sealed. Sealing and opening single records use node:crypto (`seal.ts`).

import { createCipheriv } from 'node:crypto'
import { method } from '../../../../packages/hash/src/wasm.js'
import { wasmBase64 } from '../../gcm.generated.js'
import { SEALED } from '../../sealing/seal.js'

/** The cipher operations that GCM needs, under one key, with blocks of 16 bytes. */
export interface BlockCipher {
  /** 16 zero bytes, encrypted. */
  readonly hashKey: Uint8Array
  /** @returns each block encrypted separately (ECB), in new memory. */
  encrypt(blocks: Uint8Array): Uint8Array
}

/**
 * AES-256 from node:crypto. One cipher object is reused, since making one takes as long as encrypting a hundred blocks. ECB is applied to
 * counter blocks only, never to messages.
 *
 * @param key [32 bytes]
 * Cost: 0.011 µs a block when there are hundreds.
 */
export function aes256(key: Uint8Array): BlockCipher {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return { hashKey: cipher.update(new Uint8Array(BLOCK_BYTES)), encrypt: (blocks) => cipher.update(blocks) }
}

/**
 * A batch of messages that are opened together, in place. All 16 bytes of a message's tag are checked before a byte of it is decrypted (NIST
 * SP 800-38D, nonces of 12 bytes).
 */
export class GcmBatch {
  /** The caller puts messages and their contexts here; they are opened here. Never moves. */
  readonly bytes: Uint8Array
  readonly #kernel = loadKernel()
  /** Five numbers a message: see kernel/layout.ts. */
  readonly #rows: Uint32Array
  readonly #stream: Uint8Array
  readonly #hashKey: Uint8Array
  // Invariant: #count rows are filled in, and their counter blocks need #streamBytes bytes of #stream.
  #count = 0
  #streamBytes = 0

  constructor() {
    const { memory, at } = this.#kernel
    this.bytes = new Uint8Array(memory.buffer, at.input, at.inputBytes)
    this.#rows = new Uint32Array(memory.buffer, at.rows, ROW_NUMBERS * at.maxRows)
    this.#stream = new Uint8Array(memory.buffer, at.stream, at.streamBytes)
    this.#hashKey = new Uint8Array(memory.buffer, at.hashKey, BLOCK_BYTES)
  }

  get count(): number {
    return this.#count
  }

  /** Maximum number of messages. */
  get capacity(): number {
    return this.#kernel.at.maxRows
  }

  /**
   * Adds a message: at `nonceAt` 12 bytes of nonce, then the ciphertext, then 16 bytes of tag. Messages must not overlap.
   *
   * @param key [byte] number of the key: `open` is called with it.
   * @throws {RangeError} when the batch is full, the message is outside of `bytes`, or the key is not a byte: a caller's bug.
   */
  add(key: number, nonceAt: number, ciphertextBytes: number, contextAt: number, contextBytes: number): void {
    const { at } = this.#kernel
    const end = nonceAt + NONCE_BYTES + ciphertextBytes + SEALED.tagBytes
    const contextEnd = contextAt + contextBytes
    const streamBytes = this.#streamBytes + BLOCK_BYTES * (1 + Math.ceil(ciphertextBytes / BLOCK_BYTES))
    const isPlace = (nonceAt | ciphertextBytes | contextAt | contextBytes) >= 0 && Math.max(end, contextEnd) <= at.inputBytes
    const isRoom = this.#count < at.maxRows && streamBytes <= at.streamBytes
    // `at.opened` (256) marks an opened message, so it is not a valid key.
    if (!isPlace || !isRoom || key < 0 || key >= at.opened) throw new RangeError('a message has no place in the batch')
    const row = ROW_NUMBERS * this.#count++
    this.#streamBytes = streamBytes
    this.#rows[row] = key
    this.#rows[row + 1] = nonceAt
    this.#rows[row + 2] = ciphertextBytes
    this.#rows[row + 3] = contextAt
    this.#rows[row + 4] = contextBytes
  }

  /**
   * Opens the messages that were added for `key` and are still sealed. A message whose tag does not match is left unchanged, so that another
   * cipher can be tried.
   *
   * Cost: 0.2 µs for a message of 60 bytes with 22 of context, in batches of hundreds; a few µs a call.
   */
  open(key: number, cipher: BlockCipher): void {
    const { run } = this.#kernel
    const counterBytes = run.writeCounters(this.#count, key)
    if (counterBytes === 0) return
    const stream = this.#stream.subarray(0, counterBytes)
    const encrypted = cipher.encrypt(stream)
    try {
      if (encrypted.length !== counterBytes) throw new Error('a cipher gave more or less than it was given')
      stream.set(encrypted)
      this.#hashKey.set(cipher.hashKey)
      run.takeHashKey()
      run.openRows(this.#count, key)
    } finally {
      // An attacker who reads this memory later could decrypt the messages in Redis with these bytes.
      stream.fill(0)
      encrypted.fill(0)
    }
  }

  /** The key number of the first message that is still sealed; `undefined` when all are opened. */
  get waitsFor(): number | undefined {
    const { run, at } = this.#kernel
    const key = run.firstWaiting(this.#count)
    return key === at.opened ? undefined : key
  }

  /** Empties the batch. The bytes of messages stay. */
  clear(): void {
    this.#count = 0
    this.#streamBytes = 0
  }
}

const BLOCK_BYTES = 16
const NONCE_BYTES = SEALED.ciphertextAt - SEALED.nonceAt
const ROW_NUMBERS = 5

function loadKernel() {
  const bytes = Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
  const { memory } = exports
  if (!(memory instanceof WebAssembly.Memory)) throw new Error('the kernel has no memory')
  return {
    memory,
    run: {
      takeHashKey: method(exports['takeHashKey']),
      writeCounters: method(exports['writeCounters']),
      openRows: method(exports['openRows']),
      firstWaiting: method(exports['firstWaiting']),
    },
    at: {
      input: constant(exports['INPUT']),
      inputBytes: constant(exports['INPUT_BYTES']),
      hashKey: constant(exports['HASH_KEY']),
      stream: constant(exports['STREAM']),
      streamBytes: constant(exports['STREAM_BYTES']),
      rows: constant(exports['ROWS']),
      maxRows: constant(exports['MAX_ROWS']),
      opened: constant(exports['OPENED']),
    },
  }
}

function constant(value: WebAssembly.ExportValue | undefined): number {
  if (!(value instanceof WebAssembly.Global)) throw new Error('the kernel lacks a constant')
  return value.value
}

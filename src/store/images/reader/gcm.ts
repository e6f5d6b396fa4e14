// AES-256-GCM for reading many messages at once: the cipher is node:crypto's, the rest a kernel. Decision 0011 says why.
//
// Only opens, and only what this deployment sealed itself. Sealing, and opening one by one, is node:crypto's (`seal.ts`).

import { createCipheriv } from 'node:crypto'
import { wasmBase64 } from '../../gcm.generated.js'
import { SEALED } from '../../sealing/seal.js'

/** What GCM asks of a cipher with blocks of 16 bytes, under one key. */
export interface BlockCipher {
  /** What 16 zero bytes become. */
  readonly hashKey: Uint8Array
  /** @returns each block encrypted by itself, in a memory of its own. */
  encrypt(blocks: Uint8Array): Uint8Array
}

/**
 * One cipher object for all that is encrypted with it: to make one takes as long as to encrypt a hundred blocks. Encrypting
 * block by block is never done to a message here, only to counters.
 *
 * @param key [32 bytes]
 * Cost: 0.011 µs a block when there are hundreds.
 */
export function aes256(key: Uint8Array): BlockCipher {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return { hashKey: cipher.update(new Uint8Array(BLOCK_BYTES)), encrypt: (blocks) => cipher.update(blocks) }
}

/**
 * Messages that are opened together, where they lie. For each the tag is checked before a byte of it is decrypted; all 16 bytes
 * of it, as NIST SP 800-38D has it for nonces of 12.
 */
export class GcmBatch {
  /** Messages and what they were sealed for are put here, and opened here. Never moves. */
  readonly bytes: Uint8Array
  readonly #kernel = loadKernel()
  /** Five numbers a message: see kernel/layout.ts. */
  readonly #rows: Uint32Array
  readonly #stream: Uint8Array
  readonly #hashKey: Uint8Array
  // Invariant: as many rows are filled in, and as many bytes of #stream would all their counters take.
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

  /** Most messages at once. */
  get capacity(): number {
    return this.#kernel.at.maxRows
  }

  /**
   * Adds a message: 12 bytes of nonce at `nonceAt`, the ciphertext and 16 bytes of tag behind. It must not share bytes with
   * another.
   *
   * @param key [byte] what `open` is to be called with for it.
   * @throws {RangeError} when there are too many, it does not lie in `bytes`, or the key is no byte: a caller's bug.
   */
  add(key: number, nonceAt: number, ciphertextBytes: number, contextAt: number, contextBytes: number): void {
    const { at } = this.#kernel
    const end = nonceAt + NONCE_BYTES + ciphertextBytes + SEALED.tagBytes
    const contextEnd = contextAt + contextBytes
    const streamBytes = this.#streamBytes + BLOCK_BYTES * (1 + Math.ceil(ciphertextBytes / BLOCK_BYTES))
    const isPlace = (nonceAt | ciphertextBytes | contextAt | contextBytes) >= 0 && Math.max(end, contextEnd) <= at.inputBytes
    const isRoom = this.#count < at.maxRows && streamBytes <= at.streamBytes
    // The number after the last byte means that a message was opened.
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
   * Opens the messages that were added for `key` and are not opened. Those whose tag is not right stay as they are, so that
   * another cipher may be tried.
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
      // With these and what lies in Redis, messages could be read by whoever reads this memory later.
      stream.fill(0)
      encrypted.fill(0)
    }
  }

  /** @returns the key of the first message that is not opened. */
  get waitsFor(): number | undefined {
    const { run, at } = this.#kernel
    const key = run.firstWaiting(this.#count)
    return key === at.opened ? undefined : key
  }

  /** Forgets which messages were added. Their bytes stay. */
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

function method(value: WebAssembly.ExportValue | undefined): (...numbers: number[]) => number {
  if (typeof value !== 'function') throw new Error('the kernel lacks a function')
  return (...numbers) => value(...numbers)
}

function constant(value: WebAssembly.ExportValue | undefined): number {
  if (!(value instanceof WebAssembly.Global)) throw new Error('the kernel lacks a constant')
  return value.value
}

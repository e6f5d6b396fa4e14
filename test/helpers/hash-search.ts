// Searches bytes for parts of hashes: binary, hex, base64 or lists of numbers, in both byte orders.

/** A found piece of a hash: its form and position. */
export interface Found {
  readonly form: string
  readonly at: number
}

const HASH_BYTES = 32
const PIECE_BYTES = 8
/** Overlap of parts that are read one after the other, so that no piece across a border is missed: 32 numbers with their keys. */
export const OVERLAP_BYTES = 512
const MIN_TEXT = 12

/**
 * Finds hashes by their 8-byte pieces, in both byte orders: any 16 consecutive bytes of a hash contain a whole piece. A random piece of a gigabyte agrees
 * with one of a million hashes once in 10^12.
 *
 * Cost: about 5 ns a byte.
 */
export class HashSearch {
  // Invariant: #slots has, at the first free place from its own on, each piece as two numbers; 0, 0 is free. #mayBe has a bit for each.
  readonly #slots: Uint32Array
  readonly #mayBe: Uint8Array
  readonly #mask: number

  /** @param hashes concatenated, 32 bytes each. */
  constructor(hashes: Uint8Array) {
    const pieces = (hashes.length / HASH_BYTES) * 2 * (HASH_BYTES / PIECE_BYTES)
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, pieces * 2)))
    this.#slots = new Uint32Array(2 * size)
    this.#mask = size - 1
    this.#mayBe = new Uint8Array(2 ** 25)
    for (let from = 0; from < hashes.length; from += HASH_BYTES) {
      const hash = Buffer.from(hashes.slice(from, from + HASH_BYTES))
      for (const bytes of [hash, Buffer.from(hash).reverse()]) {
        for (let at = 0; at < HASH_BYTES; at += PIECE_BYTES) this.#add(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4))
      }
    }
  }

  /** @returns the first piece; `undefined` if there is none. */
  find(bytes: Uint8Array): Found | undefined {
    const at = this.#findRaw(bytes)
    return at === undefined
      ? this.#findWritten(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      : { form: 'bytes', at }
  }

  #add(low: number, high: number): void {
    const bit = low >>> 4
    this.#mayBe[bit >>> 3] = (this.#mayBe[bit >>> 3] ?? 0) | (1 << (bit & 7))
    let slot = placeOf(low, high) & this.#mask
    while (this.#slots[2 * slot] !== 0 || this.#slots[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[2 * slot] = low
    this.#slots[2 * slot + 1] = high
  }

  #has(low: number, high: number): boolean {
    for (let slot = placeOf(low, high) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const [knownLow, knownHigh] = [this.#slots[2 * slot], this.#slots[2 * slot + 1]]
      if (knownLow === low && knownHigh === high) return true
      if (knownLow === 0 && knownHigh === 0) return false
    }
  }

  #findRaw(bytes: Uint8Array): number | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at + PIECE_BYTES <= bytes.length; at++) {
      const low = view.getUint32(at, true)
      const bit = low >>> 4
      if (((this.#mayBe[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) continue
      if (this.#has(low, view.getUint32(at + 4, true))) return at
    }
    return undefined
  }

  /** Decodes runs of characters that may be a text form, at every alignment. */
  #findWritten(bytes: Buffer): Found | undefined {
    for (let from = 0; from < bytes.length; ) {
      while (from < bytes.length && !IS_WRITING[bytes[from] ?? 0]) from++
      let to = from
      while (to < bytes.length && IS_WRITING[bytes[to] ?? 0]) to++
      if (to - from >= MIN_TEXT) {
        for (const [form, read] of readings(bytes.toString('latin1', from, to))) {
          if (this.#findRaw(read) !== undefined) return { form, at: from }
        }
      }
      from = to
    }
    return undefined
  }
}

function* readings(text: string): Generator<[form: string, bytes: Uint8Array]> {
  for (const [run] of text.matchAll(/[0-9a-f]{16,}/gi)) {
    for (const skip of [0, 1]) yield ['hex', Buffer.from(run.slice(skip, run.length - ((run.length - skip) % 2)), 'hex')]
  }
  for (const [run] of text.matchAll(/[\w+/-]{12,}/g)) {
    for (const skip of [0, 1, 2, 3]) yield ['base64', Buffer.from(run.slice(skip), 'base64')]
  }
  for (const [run] of text.matchAll(/\d{1,3}(?:[",: [\]]+\d{1,3}){7,}/g)) {
    const numbers = (run.match(/\d+/g) ?? []).map(Number)
    for (const list of [numbers, numbers.filter((_, i) => i % 2 === 1), numbers.filter((_, i) => i % 2 === 0)]) {
      if (list.length >= PIECE_BYTES) yield ['numbers', Uint8Array.from(list)]
    }
  }
}

/** Letters and digits, and what stands in base64 and between the numbers of a list. */
const IS_WRITING = Array.from({ length: 256 }, (_, byte) => /[\w+/=\-",: [\]]/.test(String.fromCharCode(byte)) && byte < 128)

function placeOf(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 3
}

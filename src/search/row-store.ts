// Rows in one WebAssembly memory: appended, read and scanned, never changed or taken out.

import { HASH_BYTES, type Hash256 } from '../hash/hash256.js'
import { wasmBase64 } from './scan.generated.js'
import type { Hit } from './signal-index.js'

export const MAX_NEEDLES = 64

// One page holds what a scan is told and answers; blocks of rows follow. A block keeps its three columns together (hashes,
// then images, then views), so that growing moves nothing. Its size is what 12 bits of a hit can name.
const PAGE_BYTES = 65_536
const NEEDLES_AT = 4_096
const HITS_AT = 8_192
const BLOCK_ROWS = 4_096
const IMAGES_AT = BLOCK_ROWS * HASH_BYTES
const VIEWS_AT = IMAGES_AT + BLOCK_ROWS * Uint32Array.BYTES_PER_ELEMENT
const BLOCK_BYTES = VIEWS_AT + BLOCK_ROWS
const HASH_WORDS = HASH_BYTES / Uint32Array.BYTES_PER_ELEMENT
const MAX_PAGES = 65_536

/** All that 32-bit addresses can reach. */
export const MAX_ROWS = Math.floor(((MAX_PAGES - 1) * PAGE_BYTES) / BLOCK_BYTES) * BLOCK_ROWS

/** 37 bytes a row, and up to an eighth of slack that the system need not back until it is written. */
export class RowStore {
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES })
  readonly #scanBlock = instantiate(this.#memory)

  // Invariant: both see the whole of the memory as it is now; growing it detaches them.
  #bytes = new Uint8Array(this.#memory.buffer)
  #words = new Uint32Array(this.#memory.buffer)

  // Invariant: rows below #rows are complete and never change, so a reader may keep a range of them across calls.
  #rows = 0

  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.#bytes.length
  }

  /** The caller keeps to `MAX_ROWS`. */
  append(image: number, view: number, hash: Hash256): void {
    this.#reserve()
    this.#bytes.set(hash, hashAt(this.#rows))
    this.#finish(image, view)
  }

  /** Appends a copy of another store's row. */
  appendFrom(source: RowStore, row: number): void {
    this.#reserve()
    const from = hashAt(row) >>> 2
    const to = hashAt(this.#rows) >>> 2
    for (let word = 0; word < HASH_WORDS; word++) this.#words[to + word] = source.#words[from + word] ?? 0
    this.#finish(source.imageAt(row), source.#viewAt(row))
  }

  imageAt(row: number): number {
    return this.#words[imageAt(row) >>> 2] ?? 0
  }

  /**
   * Adds to `hits` every row of a range that is within `thresholdBits` of any needle, in row order.
   *
   * @param needles 1…64 hashes, one after the other.
   * Cost: linear in rows × needles; about 1 ns a pair.
   */
  scan(needles: Uint8Array, thresholdBits: number, fromRow: number, toRow: number, hits: Hit[]): void {
    this.#bytes.set(needles, NEEDLES_AT)
    const needleCount = needles.length / HASH_BYTES
    for (let row = fromRow; row < toRow; ) {
      const blockEnd = row - (row % BLOCK_ROWS) + BLOCK_ROWS
      const count = Math.min(blockEnd, toRow) - row
      const found = this.#scanBlock(hashAt(row), count, NEEDLES_AT, needleCount, thresholdBits, HITS_AT)
      for (let i = 0; i < found; i++) {
        const packed = this.#words[HITS_AT / 4 + i] ?? 0
        const at = row + (packed & 0xfff)
        const transform = (packed >>> 12) & 0x3f
        hits.push({ image: this.imageAt(at), view: this.#viewAt(at), transform, distanceBits: packed >>> 18 })
      }
      row += count
    }
  }

  #viewAt(row: number): number {
    return this.#bytes[viewAt(row)] ?? 0
  }

  #finish(image: number, view: number): void {
    this.#words[imageAt(this.#rows) >>> 2] = image
    this.#bytes[viewAt(this.#rows)] = view
    this.#rows++
  }

  /**
   * Makes room for one more row. By an eighth at a time: engines reserve the addresses and grow in place, but are free to
   * copy instead, and then growing by single blocks would be quadratic.
   */
  #reserve(): void {
    const neededBytes = blockAt(this.#rows) + BLOCK_BYTES
    if (neededBytes <= this.#bytes.length) return
    const pages = this.#bytes.length / PAGE_BYTES
    const neededPages = Math.ceil(neededBytes / PAGE_BYTES)
    this.#memory.grow(Math.min(Math.max(neededPages, pages + (pages >>> 3)), MAX_PAGES) - pages)
    this.#bytes = new Uint8Array(this.#memory.buffer)
    this.#words = new Uint32Array(this.#memory.buffer)
  }
}

function blockAt(row: number): number {
  return PAGE_BYTES + Math.floor(row / BLOCK_ROWS) * BLOCK_BYTES
}

function hashAt(row: number): number {
  return blockAt(row) + (row % BLOCK_ROWS) * HASH_BYTES
}

function imageAt(row: number): number {
  return blockAt(row) + IMAGES_AT + (row % BLOCK_ROWS) * Uint32Array.BYTES_PER_ELEMENT
}

function viewAt(row: number): number {
  return blockAt(row) + VIEWS_AT + (row % BLOCK_ROWS)
}

type Kernel = (
  rowsAt: number,
  rowCount: number,
  needlesAt: number,
  needleCount: number,
  thresholdBits: number,
  hitsAt: number,
) => number

const module = new WebAssembly.Module(Uint8Array.from(atob(wasmBase64), (char) => char.charCodeAt(0)))

function instantiate(memory: WebAssembly.Memory): Kernel {
  const { scan } = new WebAssembly.Instance(module, { env: { memory } }).exports
  if (typeof scan !== 'function') throw new Error('the kernel has no scan')
  return (...args) => scan(...args)
}

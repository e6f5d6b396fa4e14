// Rows in one WebAssembly memory: appended, read and scanned, never changed or removed.

import { HASH_BYTES, type Hash256, hashFromBytes } from '../../../hash/src/hash256.js'
import { createEngine, type Engine, scratch } from './engine.js'
import type { Hit, ViewHash } from './hit.js'
import { kernelPlan } from './plan.js'

/** What the 12 bits for the row in a scan's hit can number. */
const SCAN_ROWS = 4_096

export const ROW_BYTES = HASH_BYTES + Uint32Array.BYTES_PER_ELEMENT + 1

/** Rows in columns: `hashes` has 32 bytes for each entry of `images`. */
export interface RowColumns {
  readonly images: Uint32Array
  readonly views: Uint8Array
  readonly hashes: Uint8Array
}

/** Called for each row that was found, with the row's number, the needle's number and the distance. */
export type Report = (row: number, needle: number, distanceBits: number) => void

/** 37 bytes per row, followed by the caller's own bytes. */
export class RowBlock {
  readonly engine: Engine
  readonly capacity: number
  readonly rowsAt = scratch.bytes
  /** Where the caller's own bytes begin; a multiple of 64. */
  readonly extraAt: number
  readonly #imagesAt: number
  readonly #viewsAt: number

  // Invariant: rows below #rows are complete and never change, so a reader may keep a range of them across calls.
  #rows = 0
  #minImage = 0xffffffff
  #greatestImage = 0

  /** @param capacity maximum number of rows. Memory is reserved for all; the system backs it when it is written. */
  constructor(capacity: number, extraBytes: number) {
    this.capacity = capacity
    this.#imagesAt = this.rowsAt + capacity * HASH_BYTES
    this.#viewsAt = this.#imagesAt + capacity * Uint32Array.BYTES_PER_ELEMENT
    this.extraAt = Math.ceil((this.#viewsAt + capacity) / 64) * 64
    this.engine = createEngine(this.extraAt + extraBytes)
  }

  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.engine.bytes.length
  }

  /** @returns whether rows of this image may be here. Cheap, with no false negatives. */
  mayHold(image: number): boolean {
    return image >= this.#minImage && image <= this.#greatestImage
  }

  /** The caller checks the capacity, here and in the other `append` functions. */
  append(image: number, view: number, hash: Hash256): void {
    const { bytes, words } = this.engine
    bytes.set(hash, this.rowsAt + this.#rows * HASH_BYTES)
    words[(this.#imagesAt >>> 2) + this.#rows] = image
    bytes[this.#viewsAt + this.#rows] = view
    this.#finish(1, image, image)
  }

  /** Appends rows from columns of equal length. */
  appendColumns({ images, views, hashes }: RowColumns): void {
    const { bytes, words } = this.engine
    bytes.set(hashes, this.rowsAt + this.#rows * HASH_BYTES)
    words.set(images, (this.#imagesAt >>> 2) + this.#rows)
    bytes.set(views, this.#viewsAt + this.#rows)
    this.#finish(images.length, ...bounds(images))
  }

  /** Appends copies of rows `from`…`to`−1 of another block. */
  appendFrom(source: RowBlock, from: number, to: number): void {
    if (to > from) this.appendColumns(source.columns(from, to))
  }

  /** A view of everything that was written. Its length is the same for all blocks of the same shape. */
  get content(): Uint8Array {
    return this.engine.bytes.subarray(scratch.bytes)
  }

  /** Counts the first `rows` rows as written, after the caller has filled in `content`. */
  adopt(rows: number): void {
    this.#finish(rows, ...bounds(this.#images(0, rows)))
  }

  columns(from: number, to: number): RowColumns {
    return { images: this.#images(from, to), views: this.#views(from, to), hashes: this.#hashes(from, to) }
  }

  /** @returns the first row of an image if rows are sorted by image; an arbitrary row otherwise. */
  firstOf(image: number): number {
    let from = 0
    let to = this.#rows
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.imageAt(middle) < image) from = middle + 1
      else to = middle
    }
    return from
  }

  isRow(row: number, image: number, view: number, hash: Hash256): boolean {
    const { bytes } = this.engine
    if (row >= this.#rows || this.imageAt(row) !== image || bytes[this.#viewsAt + row] !== view) return false
    const at = this.rowsAt + row * HASH_BYTES
    for (let i = 0; i < HASH_BYTES; i++) if (bytes[at + i] !== hash[i]) return false
    return true
  }

  /** @returns a copy of the row; `undefined` if it belongs to another image. */
  rowOf(row: number, image: number): ViewHash | undefined {
    if (row >= this.#rows || this.imageAt(row) !== image) return undefined
    const at = this.rowsAt + row * HASH_BYTES
    const { bytes } = this.engine
    return { view: bytes[this.#viewsAt + row] ?? 0, hash: hashFromBytes(bytes, at) }
  }

  imageAt(row: number): number {
    return this.engine.words[(this.#imagesAt >>> 2) + row] ?? 0
  }

  hit(row: number, transform: number, distanceBits: number): Hit {
    const view = this.engine.bytes[this.#viewsAt + row] ?? 0
    return { image: this.imageAt(row), view, transform, distanceBits }
  }

  /** Copies 1…64 needles to where the kernel reads them. */
  loadNeedles(needles: Uint8Array): void {
    this.engine.bytes.set(needles, scratch.needlesAt)
  }

  /** Copies a plan to where the kernel reads it. @param farthestBits as for `kernelPlan`. */
  loadPlan(reach: Uint8Array, farthestBits: number): void {
    this.engine.bytes.set(kernelPlan(reach, farthestBits), scratch.planAt)
  }

  /** Copies a row to where the kernel reads needles. */
  loadRowAsNeedle(row: number): void {
    const at = this.rowsAt + row * HASH_BYTES
    this.engine.bytes.copyWithin(scratch.needlesAt, at, at + HASH_BYTES)
  }

  /**
   * Reports every row of a range that is within `thresholdBits` of any needle, with its nearest needle (the first of equals).
   * Cost: linear in rows × needles; about 3 ns a row for one needle, 1 ns for each further one.
   */
  scan(needles: Uint8Array, thresholdBits: number, fromRow: number, toRow: number, report: Report): void {
    this.loadNeedles(needles)
    const { engine } = this
    const needleCount = needles.length / HASH_BYTES
    for (let row = fromRow; row < toRow; row += SCAN_ROWS) {
      const count = Math.min(SCAN_ROWS, toRow - row)
      const found = engine.scan(this.rowsAt + row * HASH_BYTES, count, needleCount, thresholdBits)
      for (let i = 0; i < found; i++) {
        const packed = engine.words[(scratch.hitsAt >>> 2) + i] ?? 0
        report(row + (packed & 0xfff), (packed >>> 12) & 0x3f, packed >>> 18)
      }
    }
  }

  #images(from: number, to: number): Uint32Array {
    return this.engine.words.subarray((this.#imagesAt >>> 2) + from, (this.#imagesAt >>> 2) + to)
  }

  #views(from: number, to: number): Uint8Array {
    return this.engine.bytes.subarray(this.#viewsAt + from, this.#viewsAt + to)
  }

  #hashes(from: number, to: number): Uint8Array {
    return this.engine.bytes.subarray(this.rowsAt + from * HASH_BYTES, this.rowsAt + to * HASH_BYTES)
  }

  #finish(rows: number, minImage: number, greatestImage: number): void {
    this.#rows += rows
    this.#minImage = Math.min(this.#minImage, minImage)
    this.#greatestImage = Math.max(this.#greatestImage, greatestImage)
  }
}

function bounds(images: Uint32Array): [least: number, greatest: number] {
  let least = images[0] ?? 0
  let greatest = least
  // By index: an iterator takes four times as long, 3.3 ns per row instead of 0.8.
  for (let row = 0; row < images.length; row++) {
    const image = images[row] ?? 0
    if (image < least) least = image
    if (image > greatest) greatest = image
  }
  return [least, greatest]
}

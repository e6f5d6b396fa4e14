// Every hash a service must recognise, searched exactly within a Hamming radius.

import { HASH_BITS, HASH_BYTES, type Hash256 } from '../hash/hash256.js'
import { ImageLedger } from './image-ledger.js'
import { MAX_NEEDLES, MAX_ROWS, RowStore } from './row-store.js'

/** A row found by a search. `transform` is the index of the needle nearest to it, `distanceBits` is 0…`thresholdBits`. */
export interface Hit {
  readonly image: number
  readonly view: number
  readonly transform: number
  readonly distanceBits: number
}

// A store cannot give memory back, so compacting copies the live rows to a fresh one. In steps, one per change, because a
// change must not take longer the more rows there are; below one block there is nothing worth giving back.
const STEP_ROWS = 1_024
const SMALL_ROWS = 4_096

const MAX_U32 = 0xffffffff
const MAX_U8 = 0xff

/**
 * Rows of (image, view, hash). An image has many rows: the hashes of its views.
 *
 * The owner numbers images and never uses a number twice; that is what lets a removal count at once, wherever copies of the
 * image's rows still lie.
 */
export class SignalIndex {
  // Invariant: decides alone which rows match. Replaced, never emptied, so that a search can tell it was cleared.
  #ledger = new ImageLedger()

  // Invariant: new rows go here. Every row held is either here or at or after `#old.readRows` of the store being emptied.
  #store = new RowStore()
  #old: { readonly store: RowStore; readRows: number } | undefined

  readonly #maxRows: number

  /** @param maxRows how many rows to hold at most, dead ones included; the default is what fits into 4 GiB, 116 million. */
  constructor(maxRows = MAX_ROWS) {
    requireInteger('maxRows', maxRows, 1, MAX_ROWS)
    this.#maxRows = maxRows
  }

  /** Rows held, those of removed images among them until they are compacted away. */
  get rows(): number {
    return this.#store.rows + (this.#old === undefined ? 0 : this.#old.store.rows - this.#old.readRows)
  }

  /** Rows a search can find. */
  get liveRows(): number {
    return this.#ledger.liveRows
  }

  /** Memory reserved; that of both copies while the index compacts itself. */
  get bytes(): number {
    return this.#store.bytes + (this.#old?.store.bytes ?? 0) + this.#ledger.bytes
  }

  /**
   * Adds a row. The same row twice is two rows.
   *
   * @param image an integer 0…2³²−1. Best numbered from 0 up: the index spends 4 bytes on every number of a range it meets.
   * @param view an integer 0…255.
   * @throws {RangeError} when either is out of range or `image` was removed since the last `clear`: a caller's bug; or when
   * the index is full. The index is then as before.
   * Cost: constant; some µs more while the index compacts itself. The engine unmaps the old memory at once when it collects
   * it: a pause of about 4 ms for each million rows it held.
   */
  insert(image: number, view: number, hash: Hash256): void {
    requireInteger('image', image, 0, MAX_U32)
    requireInteger('view', view, 0, MAX_U8)
    if (this.#ledger.isRemoved(image)) throw new RangeError('image was removed, its number must not be used again')
    if (this.rows >= this.#maxRows) throw new RangeError('the index is full')
    this.#store.append(image, view, hash)
    this.#ledger.addRow(image)
    this.#tidy()
  }

  /**
   * Removes all rows of an image. They are in no result that is returned after this, not even of a search begun before.
   * An image that is unknown or was removed before changes nothing.
   *
   * The bits themselves stay in memory until the index is compacted: by itself once more than half of the rows are dead, or
   * earlier by `compact`.
   *
   * Cost: as `insert`, whatever the number of rows.
   */
  remove(image: number): void {
    requireInteger('image', image, 0, MAX_U32)
    this.#ledger.remove(image)
    this.#tidy()
  }

  /**
   * Finds every live row within a radius of any needle; never an approximation.
   *
   * @param needles 0…64 hashes: one picture's under the transforms that are to be recognised.
   * @param thresholdBits inclusive, an integer 0…256.
   * @returns each row once, with the needle nearest to it, the first of equals; in no promised order. Empty when nothing is
   * near or there is no needle.
   * @throws {RangeError} when the threshold or the number of needles is out of range: a caller's bug, never bad input.
   * Cost: reads every row; about 3 ms for a million rows and one needle, 1 ms for each further one.
   */
  within(needles: readonly Hash256[], thresholdBits: number): Hit[] {
    const search = this.withinSlices(needles, thresholdBits, MAX_U32)
    let step = search.next()
    while (step.done !== true) step = search.next()
    return step.value
  }

  /**
   * The same search, pausing after every `sliceRows` rows, so that its owner can answer others in between. The index may
   * change during a pause: the result holds the rows there were at the call, without those removed before it is returned,
   * and nothing if the index was cleared.
   *
   * @param sliceRows an integer from 1. The time between two pauses is linear in `sliceRows` × needles, about 1 ns a pair.
   * @throws {RangeError} as `within`, at the call.
   * Cost: an unfinished search keeps alive the memory it reads, also when the index has moved on.
   */
  withinSlices(needles: readonly Hash256[], thresholdBits: number, sliceRows: number): Generator<void, Hit[], void> {
    requireInteger('needles', needles.length, 0, MAX_NEEDLES)
    requireInteger('thresholdBits', thresholdBits, 0, HASH_BITS)
    requireInteger('sliceRows', sliceRows, 1, MAX_U32)
    return this.#search(this.#spans(), concatenate(needles), thresholdBits, sliceRows)
  }

  /**
   * Moves compacting on, beginning it if any row is dead; for an owner with time to spare, or bits to forget.
   *
   * @param maxRows an integer from 1: how many rows to look at.
   * @returns how many rows remain to be looked at; 0 when all rows that were dead at the beginning are gone.
   * Cost: linear in `maxRows`.
   */
  compact(maxRows: number): number {
    requireInteger('maxRows', maxRows, 1, MAX_U32)
    if (this.#old === undefined && this.rows > this.liveRows) this.#beginCompacting()
    return this.#continueCompacting(maxRows)
  }

  /** Forgets everything, also which images were removed, and gives the memory back. */
  clear(): void {
    this.#ledger = new ImageLedger()
    this.#store = new RowStore()
    this.#old = undefined
  }

  *#search(
    spans: readonly Span[],
    needles: Uint8Array,
    thresholdBits: number,
    sliceRows: number,
  ): Generator<void, Hit[], void> {
    if (needles.length === 0) return []
    const ledger = this.#ledger
    const hits: Hit[] = []
    let budgetRows = sliceRows
    for (const { store, fromRow, toRow } of spans) {
      for (let row = fromRow; row < toRow; ) {
        if (budgetRows === 0) {
          yield
          if (ledger !== this.#ledger) return []
          budgetRows = sliceRows
        }
        const count = Math.min(toRow - row, budgetRows)
        store.scan(needles, thresholdBits, row, row + count, hits)
        row += count
        budgetRows -= count
      }
    }
    return hits.filter(({ image }) => ledger.isLive(image))
  }

  /** Where every row is now. Stores only ever gain rows, so this stays true of these rows while the index changes. */
  #spans(): Span[] {
    const spans = [{ store: this.#store, fromRow: 0, toRow: this.#store.rows }]
    const old = this.#old
    if (old !== undefined) spans.push({ store: old.store, fromRow: old.readRows, toRow: old.store.rows })
    return spans
  }

  #tidy(): void {
    const rows = this.rows
    if (this.#old === undefined && rows >= SMALL_ROWS && this.liveRows * 2 < rows) this.#beginCompacting()
    this.#continueCompacting(STEP_ROWS)
  }

  #beginCompacting(): void {
    this.#old = { store: this.#store, readRows: 0 }
    this.#store = new RowStore()
  }

  #continueCompacting(maxRows: number): number {
    const old = this.#old
    if (old === undefined) return 0
    if (this.liveRows === 0) {
      this.#old = undefined
      return 0
    }
    const end = Math.min(old.readRows + maxRows, old.store.rows)
    for (; old.readRows < end; old.readRows++) {
      if (this.#ledger.isLive(old.store.imageAt(old.readRows))) this.#store.appendFrom(old.store, old.readRows)
    }
    if (end === old.store.rows) this.#old = undefined
    return old.store.rows - end
  }
}

interface Span {
  readonly store: RowStore
  readonly fromRow: number
  readonly toRow: number
}

function concatenate(needles: readonly Hash256[]): Uint8Array {
  const bytes = new Uint8Array(needles.length * HASH_BYTES)
  for (const [i, needle] of needles.entries()) bytes.set(needle, i * HASH_BYTES)
  return bytes
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${name} must be an integer ${least}…${most}`)
}

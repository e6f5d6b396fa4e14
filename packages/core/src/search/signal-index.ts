// The index of all hashes that the service must recognise: exact search within a Hamming radius.

import { HASH_BITS, HASH_BYTES, type Hash256 } from '../../../hash/src/hash256.js'
import { concatenate, requireInteger } from './arguments.js'
import { shapeFor, shapeOf } from './band-shape.js'
import { type Dumped, dumped, type Restoring } from './dump.js'
import { scratch } from './engine.js'
import type { Hit, ViewHash } from './hit.js'
import { ImageLedger } from './image-ledger.js'
import { type PartStatus, statusOf } from './part-status.js'
import { Parts } from './parts.js'
import type { RowColumns } from './row-block.js'
import { holdsRows, rowsOfImage } from './rows-of-image.js'
import { Segment, tabledBlock } from './segment.js'
import { searchTogether } from './together.js'

// Every change does part of the compaction that it will cause. In an index of millions a row is compacted about ten times, at about twenty steps of
// 10 ns. This is five times as many steps, so that compaction finishes soon.
const STEPS_PER_ROW = 1024

/** A part is compacted at this share of dead rows. A higher share costs memory, a lower one time. */
const DEAD_SHARE = 0.25

const ADOPTED_AT_ONCE = 32_768

const MAX_U32 = 0xffffffff
const MAX_U8 = 0xff
const MAX_SETS = 0x10000

/**
 * Rows of (image, view, hash). An image has many rows: the hashes of its views. The caller numbers the images and never reuses a number. So a removal takes effect at once, even while copies of the image's rows remain in
 * memory.
 */
export class SignalIndex {
  // Invariant: only the ledger decides which rows match. `clear` replaces it, which tells running searches that the index was cleared.
  #ledger = new ImageLedger()
  #parts: Parts
  // A restored segment whose rows are still being counted. It is not in `#parts` yet.
  #adopted: Segment | undefined
  readonly #maxRows: number
  readonly #usualBits: number

  /**
   * @param maxRows maximum number of rows, including dead ones.
   * @param usualBits the usual threshold of searches. An index built for 24 bits is slower beyond 31.
   */
  constructor(maxRows = MAX_U32, usualBits = HASH_BITS) {
    requireInteger('maxRows', maxRows, 1, MAX_U32)
    requireInteger('usualBits', usualBits, 0, HASH_BITS)
    this.#maxRows = maxRows
    this.#usualBits = usualBits
    this.#parts = this.#noParts()
  }

  /** Rows in memory, including those of removed images until they are compacted. */
  get rows(): number {
    return this.#parts.all().reduce((sum, { block }) => sum + block.rows, 0)
  }

  /** Rows that a search can find. */
  get liveRows(): number {
    return this.#ledger.liveRows
  }

  /** [bytes] reserved. The system backs only what was written. */
  get bytes(): number {
    return this.#parts.all().reduce((sum, { block }) => sum + block.bytes, this.#ledger.bytes)
  }

  /**
   * Adds a row. Later searches find it. Adding the same row twice makes two rows.
   * @param image an integer 0…2³²−1, best from 0 up: 4 bytes for each number of a range in use. @param view an integer 0…255.
   * @throws {RangeError} if either is out of range or `image` was removed since the last `clear` (bugs of the caller), or if the index is full.
   *   Then nothing changes.
   * Cost: about 5 µs, mostly compaction.
   */
  insert(image: number, view: number, hash: Hash256): void {
    requireInteger('image', image, 0, MAX_U32)
    requireInteger('view', view, 0, MAX_U8)
    this.#requireNew(image)
    this.#requireRoom(1)
    this.#parts.append(image, view, hash)
    this.#ledger.addRow(image)
    this.#parts.compact(STEPS_PER_ROW, DEAD_SHARE)
  }

  /**
   * Adds many rows at once. Later searches find them, but read all of them until `compact` has built a segment.
   * @throws {RangeError} as `insert`; or if the columns differ in length. Cost: a few ns per row.
   */
  load(columns: RowColumns): void {
    const { images, views, hashes } = columns
    if (views.length !== images.length || hashes.length !== images.length * HASH_BYTES)
      throw new RangeError('columns must be equally long')
    this.#requireRoom(images.length)
    for (const image of images) this.#requireNew(image)
    this.#parts.load(columns)
    for (const image of images) this.#ledger.addRow(image)
  }

  /**
   * Removes all rows of an image, or of images `image`…`last`. No result returned after the call contains them, not even of a search that began
   * before. An unknown or removed image changes nothing, except that an unknown number counts as used while a segment that may contain it is being
   * restored. The bits stay in memory until compaction. Cost: as one `insert`, for any number of rows, and some 0.1 µs for each further image.
   */
  remove(image: number, last = image): void {
    requireInteger('image', image, 0, MAX_U32)
    requireInteger('last', last, image, MAX_U32)
    let deadRows = 0
    for (let each = image; each <= last; each++) deadRows += this.#kill(each)
    if (deadRows > 0) this.#parts.compact(STEPS_PER_ROW, DEAD_SHARE)
  }

  /** Frees what is known of 2^16 removed images from `first` on, as `ImageLedger.retire`. */
  retire(first: number): void {
    if (this.#adopted === undefined) this.#ledger.retire(first)
  }

  /**
   * Whether the image has exactly these rows, in this order. `true` is always right. `false` can be wrong if images were not added in the order of
   * their numbers, or while a segment is being restored.
   * Cost: a binary search in each part whose range of images includes this one, and a comparison for each row.
   */
  hasExactly(image: number, rows: readonly ViewHash[]): boolean {
    return this.#ledger.rowsOf(image) === rows.length && holdsRows(this.#parts.all(), image, rows)
  }

  /**
   * The rows of an image, in the order in which they were added; none if the image is unknown or was removed. Incomplete where `hasExactly` can be
   * wrong. @param most maximum number of rows to read. Cost: as `hasExactly`.
   */
  rowsOf(image: number, most: number): ViewHash[] {
    return this.#ledger.isLive(image) ? rowsOfImage(this.#parts.all(), image, most) : []
  }

  /**
   * Finds every live row within a radius of any needle. Exact, never an approximation.
   * @param needles 0…64 hashes: those of one picture in all orientations to search for.
   * @param thresholdBits inclusive, an integer 0…256.
   * @returns each row once, with its nearest needle (the first of equals), in no defined order.
   * @throws {RangeError} if the threshold or the number of needles is out of range: a bug of the caller.
   * Cost: see docs/performance.md. About 20 µs for a million rows, one needle and 31 bits; never more than reading every row, which is 3 ms.
   */
  within(needles: readonly Hash256[], thresholdBits: number): Hit[] {
    const search = this.search(needles, thresholdBits)
    let step = search.next()
    while (step.done !== true) step = search.next()
    return step.value
  }

  /**
   * The same search, pausing about every millisecond so that other requests can run. The index may change during a pause: the result has the rows
   * at the time of the call, without those removed since. It is empty if the index was cleared.
   * @param marginBits also returns rows up to this many bits beyond the threshold if the search reads them anyway. Of random rows, those are 999 in
   *   1,000 at up to 2 bits, and nine in ten at 21 bits beyond 31. An exact search to that distance costs up to twice as much, or ten times.
   * @throws {RangeError} as `within`, at the call.
   * Cost: an unfinished search keeps the memory that it reads, even if the index has replaced it.
   */
  search(needles: readonly Hash256[], thresholdBits: number, marginBits = 0): Generator<void, Hit[], void> {
    requireInteger('needles', needles.length, 0, scratch.maxNeedles)
    requireInteger('thresholdBits', thresholdBits, 0, HASH_BITS)
    requireInteger('marginBits', marginBits, 0, HASH_BITS - thresholdBits)
    const bytes = concatenate(needles)
    const hits: Hit[] = []
    const parts = needles.length === 0 ? [] : this.#parts.all()
    const searches = parts.map((part) => part.search(bytes, thresholdBits, part.block.rows, hits, undefined, marginBits))
    return this.#finish(searches, hits, this.#ledger)
  }

  /**
   * Searches for many sets of needles together. The result for each set equals that of `search`.
   * @param sets at most 65,536, each with needles as for `search`.
   * @returns the hits of each set, in the order of the sets; `undefined` for a set with so many hits that it needs its own search.
   * @throws {RangeError} as `within`, at the first step.
   * Cost: with 8,000 needles and a million rows, three fifths of the time of separate searches.
   */
  *searchEach(
    sets: readonly (readonly Hash256[])[],
    thresholdBits: number,
    marginBits = 0,
  ): Generator<void, (readonly Hit[] | undefined)[], void> {
    requireInteger('sets', sets.length, 0, MAX_SETS)
    for (const needles of sets) requireInteger('needles', needles.length, 0, scratch.maxNeedles)
    requireInteger('thresholdBits', thresholdBits, 0, HASH_BITS)
    requireInteger('marginBits', marginBits, 0, HASH_BITS - thresholdBits)
    const ledger = this.#ledger
    const parts = this.#parts.all().map((part) => ({ part, rows: part.block.rows }))
    const search = searchTogether(parts, sets, thresholdBits, marginBits)
    let step = search.next()
    for (; step.done !== true; step = search.next()) {
      yield
      if (ledger !== this.#ledger) return sets.map(() => [])
    }
    return step.value.map((hits) => (hits?.length === 0 ? hits : hits?.filter(({ image }) => ledger.isLive(image))))
  }

  /**
   * Continues compaction, or starts it if any row is dead or parts can be merged. Call it in idle time, or to erase the bits of removed images.
   * @param steps an integer from 1: how many row-steps to do. A row takes about twenty.
   * @returns whether work is left. Cost: about 10 ns per step.
   */
  compact(steps: number): boolean {
    requireInteger('steps', steps, 1, MAX_U32)
    return this.#parts.compactAll(steps)
  }

  /** The parts of the index, oldest first, with their plans for a threshold. */
  status(thresholdBits: number): PartStatus[] {
    return this.#parts.all().map((part) => statusOf(part, thresholdBits))
  }

  /**
   * The content of the index, for a snapshot: segments without dead rows as they are in memory, and the live rows of all other parts. Leaves out
   * rows added during the dump. Images removed during the dump may or may not be in it.
   */
  dump(): Generator<Dumped, void, void> {
    const ledger = this.#ledger
    const parts = this.#parts.all()
    const rowsOf = parts.map(({ block }) => block.rows)
    return dumped(parts, rowsOf, (image) => ledger.isLive(image))
  }

  /**
   * Makes room for a dumped segment. The caller fills in its content, which has the dumped length if the kernel is the same, and then runs `adopt`.
   * Restore one segment at a time.
   * @throws {RangeError} if the index is full.
   */
  restore(rows: number, counts: Float64Array): Restoring {
    this.#requireRoom(rows)
    const tabled = tabledBlock(rows, shapeOf(counts))
    return { content: tabled.block.content, adopt: (isKnown) => this.#adopt(new Segment(tabled, counts), rows, isKnown) }
  }

  /** Deletes all rows, forgets which images were removed, and frees the memory. */
  clear(): void {
    this.#ledger = new ImageLedger()
    this.#parts = this.#noParts()
    this.#adopted = undefined
  }

  /** @returns how many rows of the image died. */
  #kill(image: number): number {
    const adopted = this.#adopted?.block.mayHold(image) === true ? this.#adopted : undefined
    // Some of its rows may not have been counted yet.
    const deadRows = adopted === undefined ? this.#ledger.remove(image) : this.#ledger.removeUnseen(image)
    if (adopted !== undefined) adopted.deadRows += deadRows
    if (deadRows > 0) this.#parts.noteRemoved(image, deadRows)
    return deadRows
  }

  *#finish(
    searches: readonly Generator<void, void, void>[],
    hits: readonly Hit[],
    ledger: ImageLedger,
  ): Generator<void, Hit[], void> {
    for (const search of searches) {
      for (let step = search.next(); step.done !== true; step = search.next()) {
        yield
        if (ledger !== this.#ledger) return []
      }
    }
    return ledger === this.#ledger ? hits.filter(({ image }) => ledger.isLive(image)) : []
  }

  *#adopt(segment: Segment, rows: number, isKnown: (image: number) => boolean): Generator<void, void, void> {
    const { block } = segment
    const ledger = this.#ledger
    block.adopt(rows)
    this.#adopted = segment
    for (let row = 0; row < rows; row++) {
      const image = block.imageAt(row)
      // Bar the number for good: if a new image got it, the old rows would match as that image.
      if (!isKnown(image)) this.remove(image)
      if (ledger.isRemoved(image)) segment.deadRows++
      else ledger.addRow(image)
      if (row % ADOPTED_AT_ONCE !== ADOPTED_AT_ONCE - 1) continue
      yield
      if (ledger !== this.#ledger) return
    }
    this.#adopted = undefined
    this.#parts.add(segment)
  }

  #noParts(): Parts {
    const ledger = this.#ledger
    return new Parts(
      (image) => ledger.isLive(image),
      (rows) => shapeFor(rows, this.#usualBits),
    )
  }

  #requireNew(image: number): void {
    if (this.#ledger.isRemoved(image)) throw new RangeError('image was removed, its number must not be used again')
  }

  #requireRoom(rows: number): void {
    if (this.rows + rows > this.#maxRows) throw new RangeError('the index is full')
  }
}

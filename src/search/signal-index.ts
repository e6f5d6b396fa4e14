// Every hash a service must recognise, searched exactly within a Hamming radius.

import { HASH_BITS, HASH_BYTES, type Hash256 } from '../../packages/hash/src/hash256.js'
import { type Dumped, dumped, type Restoring } from './dump.js'
import { scratch } from './engine.js'
import type { Hit, ViewHash } from './hit.js'
import { ImageLedger } from './image-ledger.js'
import type { Part } from './part.js'
import { Parts } from './parts.js'
import type { RowColumns } from './row-block.js'
import { Segment, tabledBlock } from './segment.js'
import { shapeFor, shapeOf } from './shape.js'
import { searchTogether } from './together.js'

/** A part of an index, as an operator may see it. */
export interface PartStatus {
  readonly kind: Part['kind']
  readonly rows: number
  readonly deadRows: number
  readonly bytes: number
  /** How a needle is looked for: radii by band, −1 for a band that is not probed; none where all rows are read. */
  readonly radii?: number[]
  /** What a needle is expected to look at. */
  readonly probes: number
  readonly candidates: number
}

// Each change pays for a little of the compacting that it will cause, so that no change takes long: a row is compacted some
// ten times in an index of millions, at some twenty row-steps, most of them 10 ns. Five times what that comes to, so that it is soon done.
const STEPS_PER_ROW = 1024

/** Waiting for more dead rows than that costs memory, for fewer it costs time. */
const DEAD_SHARE = 0.25

const ADOPTED_AT_ONCE = 32_768

const MAX_U32 = 0xffffffff
const MAX_U8 = 0xff
const MAX_SETS = 0x10000

/**
 * Rows of (image, view, hash). An image has many rows: the hashes of its views.
 *
 * The owner numbers images and never uses a number twice; that is what lets a removal count at once, wherever copies of the
 * image's rows still lie.
 */
export class SignalIndex {
  // Invariant: decides alone which rows match. Replaced, never emptied, so that a search can tell it was cleared.
  #ledger = new ImageLedger()

  #parts: Parts

  // A segment whose rows are being counted and which is no part yet.
  #adopted: Segment | undefined

  readonly #maxRows: number
  readonly #usualBits: number

  /**
   * @param maxRows how many rows to hold at most, dead ones included.
   * @param usualBits how far most searches will go: what is laid out for 24 bits takes longer beyond 31.
   */
  constructor(maxRows = MAX_U32, usualBits = HASH_BITS) {
    requireInteger('maxRows', maxRows, 1, MAX_U32)
    requireInteger('usualBits', usualBits, 0, HASH_BITS)
    this.#maxRows = maxRows
    this.#usualBits = usualBits
    this.#parts = this.#noParts()
  }

  /** Rows held, those of removed images among them until they are compacted away. */
  get rows(): number {
    return this.#parts.all().reduce((sum, { block }) => sum + block.rows, 0)
  }

  /** Rows a search can find. */
  get liveRows(): number {
    return this.#ledger.liveRows
  }

  /** Memory reserved; the system backs what was written of it. */
  get bytes(): number {
    return this.#parts.all().reduce((sum, { block }) => sum + block.bytes, this.#ledger.bytes)
  }

  /**
   * Adds a row, which is found from here on. The same row twice is two rows.
   *
   * @param image an integer 0…2³²−1. Best numbered from 0 up: the index spends 4 bytes on every number of a range it meets.
   * @param view an integer 0…255.
   * @throws {RangeError} when either is out of range or `image` was removed since the last `clear`: a caller's bug; or when
   * the index is full. The index is then as before.
   * Cost: about 5 µs, most of it compacting.
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
   * Adds many rows at once. They are found from here on, but every search reads them all until `compact` has built their
   * segment; so for filling an index, rather than for a living one.
   *
   * @throws {RangeError} as `insert`; or when the columns are not equally long.
   * Cost: some ns a row.
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
   * Removes all rows of an image. They are in no result that is returned after this, not even of a search begun before.
   * An image that is unknown or was removed before changes nothing; but while a segment is put back it may be in that one, and
   * its number then counts as used.
   *
   * The bits themselves stay in memory until they are compacted away: by itself once a quarter of a part's rows are dead, or
   * earlier by `compact`.
   *
   * Cost: as `insert`, whatever the number of rows.
   */
  remove(image: number): void {
    requireInteger('image', image, 0, MAX_U32)
    const adopted = this.#adopted?.block.mayHold(image) === true ? this.#adopted : undefined
    // Its rows may be among those that are not counted yet.
    const deadRows = adopted === undefined ? this.#ledger.remove(image) : this.#ledger.bar(image)
    if (deadRows === 0) return
    if (adopted !== undefined) adopted.deadRows += deadRows
    this.#parts.noteRemoved(image, deadRows)
    this.#parts.compact(STEPS_PER_ROW, DEAD_SHARE)
  }

  /**
   * Are these, in this order, all rows of an image? Never wrong when it says so. It may say no in vain, where images were not added in
   * the order of their numbers or a segment is being put back.
   *
   * Cost: a binary search in each part whose range of images has this one, whatever the hashes are; and a look at each row.
   */
  hasExactly(image: number, rows: readonly ViewHash[]): boolean {
    if (this.#ledger.rowsOf(image) !== rows.length) return false
    let found = 0
    if (rows.length > 0) {
      for (const { block } of this.#parts.all()) {
        if (!block.mayHold(image)) continue
        for (let row = block.firstOf(image); found < rows.length; row++, found++) {
          const next = rows[found]
          if (next === undefined || !block.isRow(row, image, next.view, next.hash)) break
        }
      }
    }
    return found === rows.length
  }

  /**
   * The rows of an image, in the order in which they were added; none of an image that is unknown or removed.
   *
   * @param most reads no more rows than this.
   * Rows may be left out where images were not added in the order of their numbers or a segment is being put back, as in `hasExactly`.
   * Cost: as `hasExactly`.
   */
  rowsOf(image: number, most: number): ViewHash[] {
    const rows: ViewHash[] = []
    if (!this.#ledger.isLive(image)) return rows
    for (const { block } of this.#parts.all()) {
      if (!block.mayHold(image)) continue
      for (let row = block.firstOf(image); rows.length < most; row++) {
        const next = block.rowOf(row, image)
        if (next === undefined) break
        rows.push(next)
      }
    }
    return rows
  }

  /**
   * Finds every live row within a radius of any needle; never an approximation.
   *
   * @param needles 0…64 hashes: one picture's under the transforms that are to be recognised.
   * @param thresholdBits inclusive, an integer 0…256.
   * @returns each row once, with the needle nearest to it, the first of equals; in no promised order. Empty when nothing is
   * near or there is no needle.
   * @throws {RangeError} when the threshold or the number of needles is out of range: a caller's bug, never bad input.
   * Cost: see docs/performance.md; about 20 µs for a million rows, one needle and 31 bits, never more than reading every row,
   * which is 3 ms.
   */
  within(needles: readonly Hash256[], thresholdBits: number): Hit[] {
    const search = this.search(needles, thresholdBits)
    let step = search.next()
    while (step.done !== true) step = search.next()
    return step.value
  }

  /**
   * The same search, pausing about every millisecond, so that its owner can answer others in between. The index may change
   * during a pause: the result holds the rows there were at the call, without those removed before it is returned, and
   * nothing if the index was cleared.
   *
   * @param marginBits also tells of rows up to so many bits beyond the threshold, as far as it meets them: of random ones 999 in 1,000. To search
   *   exactly that far costs up to twice as much, where the threshold is as far as the next narrower plan goes.
   * @throws {RangeError} as `within`, at the call.
   * Cost: an unfinished search keeps alive the memory it reads, also when the index has moved on.
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
   * Searches for many sets of needles together, each of which is answered as `search` would answer it alone.
   *
   * @param sets at most 65,536, each of needles as of `search`.
   * @returns what was found for each set, in their order; `undefined` where a set meets so much that it has to be searched for alone.
   * @throws {RangeError} as `within`, at the first step.
   * Cost: with 8,000 needles three fifths of as many searches among a million rows, and less time for each set.
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
   * Moves compacting on, beginning it if anything can be made better or any row is dead; for an owner with time to spare, or
   * bits to forget.
   *
   * @param steps an integer from 1: how many rows to handle once; a compacted row is handled some twenty times.
   * @returns whether anything remains to be done.
   * Cost: about 10 ns a step.
   */
  compact(steps: number): boolean {
    requireInteger('steps', steps, 1, MAX_U32)
    return this.#parts.compactAll(steps)
  }

  /** What the index consists of, from old to new, with the plans for a threshold. */
  status(thresholdBits: number): PartStatus[] {
    return this.#parts.all().map((part) => {
      const { block, deadRows, kind } = part
      const plan = part instanceof Segment ? part.plan(thresholdBits) : undefined
      const status = { kind, rows: block.rows, deadRows, bytes: block.bytes }
      if (plan === undefined) return { ...status, probes: 0, candidates: block.rows }
      const radii = Array.from(plan.reach, (reach) => reach - 1)
      return { ...status, radii, probes: plan.probes, candidates: Math.round(plan.candidates) }
    })
  }

  /**
   * What the index holds, for keeping: its segments as they lie in memory, if none of their rows is dead, and the live rows of
   * all others. Rows that are added meanwhile are left out, images that are removed meanwhile may be in it or not.
   */
  dump(): Generator<Dumped, void, void> {
    const ledger = this.#ledger
    const parts = this.#parts.all()
    const rowsOf = parts.map(({ block }) => block.rows)
    return dumped(parts, rowsOf, (image) => ledger.isLive(image))
  }

  /**
   * Makes room for a dumped segment. The caller fills in its content, which is as long as the dumped one if the kernel is the
   * same, and has it adopted. One segment after the other.
   *
   * @throws {RangeError} when the index is full.
   */
  restore(rows: number, counts: Float64Array): Restoring {
    this.#requireRoom(rows)
    const tabled = tabledBlock(rows, shapeOf(counts))
    return { content: tabled.block.content, adopt: (isKnown) => this.#adopt(new Segment(tabled, counts), rows, isKnown) }
  }

  /** Forgets everything, also which images were removed, and gives the memory back. */
  clear(): void {
    this.#ledger = new ImageLedger()
    this.#parts = this.#noParts()
    this.#adopted = undefined
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
      // What nobody knows is removed for good: were its number used later, its old rows would match again.
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

function concatenate(needles: readonly Hash256[]): Uint8Array {
  const bytes = new Uint8Array(needles.length * HASH_BYTES)
  for (const [i, needle] of needles.entries()) bytes.set(needle, i * HASH_BYTES)
  return bytes
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${name} must be an integer ${least}…${most}`)
}

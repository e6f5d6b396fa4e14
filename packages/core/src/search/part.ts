// The parts of an index: blocks of rows, each searchable by itself.

import { HASH_BYTES } from '../../../hash/src/hash256.js'
import { scratch } from './engine.js'
import type { Hit } from './hit.js'
import type { Report, RowBlock } from './row-block.js'

export interface Part {
  readonly block: RowBlock
  readonly kind: 'head' | 'segment' | 'raw'
  /** Made by compaction, as opposed to a full head or rows just loaded. */
  readonly isSettled: boolean
  /** Rows of removed images. Never too low; too high only where the rows of an image are not adjacent. */
  deadRows: number
  /**
   * Adds the first `rows` rows that are within the threshold to `hits`, each row once; with `sets`, once for each set that it is near to. Pauses
   * about every `UNIT_NS`.
   * @param marginBits also reports rows up to this many bits beyond the threshold if the search reads them anyway, which is so for nearly all.
   */
  search(
    needles: Uint8Array,
    thresholdBits: number,
    rows: number,
    hits: Hit[],
    sets?: Sets,
    marginBits?: number,
  ): Generator<void, void, void>
}

/** The set of each needle, numbered from 0. The needles of a set are adjacent. */
export type Sets = Uint8Array

/** Work between two pauses of a search. */
export const UNIT_NS = 1_000_000

/** Keeps one hit per row and set, whatever number of needles found it: that of the nearest needle (the first of equals). */
export class NearestByRow {
  readonly #rows: number[] = []
  // Invariant: for the row at the same index, its distance × 64 + the number of its needle. So the smallest is the nearest, the first of equals.
  readonly #nearest: number[] = []
  // Invariant: the index of a row in `#rows`, by row number × 64 + set number. `undefined` if each set has a single needle, which reports each row
  // once: if most rows are near, this map would be most of the cost of a search.
  readonly #places: Map<number, number> | undefined
  readonly #sets: Sets | undefined

  constructor(needleCount: number, sets?: Sets) {
    this.#places = needleCount > (sets === undefined ? 1 : (sets.at(-1) ?? 0) + 1) ? new Map() : undefined
    this.#sets = sets
  }

  add(row: number, needle: number, distanceBits: number): void {
    const nearest = distanceBits * scratch.maxNeedles + needle
    const key = row * scratch.maxNeedles + (this.#sets?.[needle] ?? 0)
    const place = this.#places?.get(key)
    if (place !== undefined) {
      if (nearest < (this.#nearest[place] ?? 0)) this.#nearest[place] = nearest
      return
    }
    this.#places?.set(key, this.#rows.length)
    this.#rows.push(row)
    this.#nearest.push(nearest)
  }

  /** How many hits there are. */
  get rows(): number {
    return this.#rows.length
  }

  /**
   * Drops the hits after the first `rows`, which will be reported again. With `#places` that is not needed, because a repeated hit changes nothing.
   */
  forgetFrom(rows: number): void {
    if (this.#places !== undefined) return
    this.#rows.length = rows
    this.#nearest.length = rows
  }

  /** @returns a callback for reports whose needles have these numbers. */
  reporterFor(numbers: readonly number[]): Report {
    return (row, i, distanceBits) => this.add(row, numbers[i] ?? 0, distanceBits)
  }

  moveTo(block: RowBlock, hits: Hit[]): void {
    for (let i = 0; i < this.#rows.length; i++) {
      const nearest = this.#nearest[i] ?? 0
      hits.push(block.hit(this.#rows[i] ?? 0, nearest % scratch.maxNeedles, Math.floor(nearest / scratch.maxNeedles)))
    }
  }
}

/** Reports the hits that the kernel has written. */
export function readHits({ engine: { words } }: RowBlock, count: number, report: Report): void {
  const first = scratch.hitsAt >>> 2
  for (let at = first; at < first + count * 2; at += 2) {
    const packed = words[at + 1] ?? 0
    report(words[at] ?? 0, packed >>> 16, packed & 0xffff)
  }
}

/** @returns the needles with these numbers, one after the other. */
export function pick(needles: Uint8Array, numbers: readonly number[]): Uint8Array {
  const picked = new Uint8Array(numbers.length * HASH_BYTES)
  for (const [i, number] of numbers.entries()) {
    picked.set(needles.subarray(number * HASH_BYTES, (number + 1) * HASH_BYTES), i * HASH_BYTES)
  }
  return picked
}

/** Searches the first `rows` rows by reading them all. Always right, and cheapest for few rows or a wide threshold. */
export function scanAll(
  block: RowBlock,
  rows: number,
  needles: Uint8Array,
  thresholdBits: number,
  hits: Hit[],
  sets?: Sets,
): Generator<void, void, void> {
  const reportFor = (numbers: readonly number[]) => (row: number, i: number, bits: number) => {
    hits.push(block.hit(row, numbers[i] ?? 0, bits))
  }
  const all = Array.from({ length: needles.length / HASH_BYTES }, (_, number) => number)
  return scanBySet(all, block, rows, needles, thresholdBits, reportFor, sets)
}

/** The same for some of the needles, by their numbers, after the others were found by probing. */
export function scanFor(
  numbers: readonly number[],
  block: RowBlock,
  rows: number,
  needles: Uint8Array,
  thresholdBits: number,
  nearest: NearestByRow,
  sets?: Sets,
): Generator<void, void, void> {
  return scanBySet(numbers, block, rows, needles, thresholdBits, (some) => nearest.reporterFor(some), sets)
}

/** One pass over the rows for each set, because a pass reports only one needle per row. */
function* scanBySet(
  numbers: readonly number[],
  block: RowBlock,
  rows: number,
  needles: Uint8Array,
  thresholdBits: number,
  reportFor: (numbers: readonly number[]) => Report,
  sets: Sets | undefined,
): Generator<void, void, void> {
  for (let from = 0; from < numbers.length; ) {
    if (from > 0) yield
    let to = from + 1
    while (to < numbers.length && sets?.[numbers[to] ?? 0] === sets?.[numbers[from] ?? 0]) to++
    const some = numbers.slice(from, to)
    yield* scan(block, rows, pick(needles, some), thresholdBits, reportFor(some))
    from = to
  }
}

function* scan(
  block: RowBlock,
  rows: number,
  needles: Uint8Array,
  thresholdBits: number,
  report: Report,
): Generator<void, void, void> {
  const rowsAtOnce = Math.ceil(UNIT_NS / (3 + needles.length / HASH_BYTES))
  for (let row = 0; row < rows; row += rowsAtOnce) {
    if (row > 0) yield
    block.scan(needles, thresholdBits, row, Math.min(rows, row + rowsAtOnce), report)
  }
}

// What an index is made of: blocks of rows that can each be searched.

import { HASH_BYTES } from '../../packages/hash/src/hash256.js'
import { scratch } from './engine.js'
import type { Hit } from './hit.js'
import type { Report, RowBlock } from './row-block.js'

export interface Part {
  readonly block: RowBlock
  readonly kind: 'head' | 'segment' | 'raw'
  /** Made by compacting, as opposed to a full head or rows just loaded. */
  readonly isSettled: boolean
  /** Rows of removed images; never too few, too many only where the rows of images lie scattered. */
  deadRows: number
  /**
   * Adds what of the first `rows` rows is within the threshold, each row once; with sets, once for each set that it is near to.
   * Pauses about every `UNIT_NS`.
   * @param marginBits tells of rows that it meets up to so many bits beyond the threshold as well, which are nearly all.
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

/** Which set each needle belongs to, from 0 up; those of a set one after the other. */
export type Sets = Uint8Array

/** Work between two pauses of a search. */
export const UNIT_NS = 1_000_000

/** One hit a row and set, whatever number of needles found it: the nearest needle, the first of equals. */
export class NearestByRow {
  readonly #rows: number[] = []
  // Invariant: of the row at the same place, its distance times 64 and the number of its needle: the least is the nearest, the first of equals.
  readonly #nearest: number[] = []
  // Invariant: at which place a row is, by its number times 64 and the number of the set. None for one needle, of which each row is
  // reported once: where most rows are near, this would be most of a search.
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

  /** How many there are. */
  get rows(): number {
    return this.#rows.length
  }

  /** Forgets those after the first `rows`, which will be told again; where they are known by row, that changes nothing. */
  forgetFrom(rows: number): void {
    if (this.#places !== undefined) return
    this.#rows.length = rows
    this.#nearest.length = rows
  }

  /** Takes reports about needles that the caller knows by these numbers. */
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

/** Reports the hits that the kernel wrote. */
export function readHits({ engine: { words } }: RowBlock, count: number, report: Report): void {
  const first = scratch.hitsAt >>> 2
  for (let at = first; at < first + count * 2; at += 2) {
    const packed = words[at + 1] ?? 0
    report(words[at] ?? 0, packed >>> 16, packed & 0xffff)
  }
}

/** Some of the needles, one after the other. */
export function pick(needles: Uint8Array, numbers: readonly number[]): Uint8Array {
  const picked = new Uint8Array(numbers.length * HASH_BYTES)
  for (const [i, number] of numbers.entries()) {
    picked.set(needles.subarray(number * HASH_BYTES, (number + 1) * HASH_BYTES), i * HASH_BYTES)
  }
  return picked
}

/** Answers a search by reading all of the first `rows` rows: always right, and cheapest where they are few or the threshold wide. */
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

/** The same for some of the needles, by their numbers, where others were looked for in another way. */
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

/** One pass over the rows for each set, because a pass tells of a row by one needle. */
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

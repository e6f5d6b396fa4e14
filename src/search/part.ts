// What an index is made of: blocks of rows that can each be searched.

import { HASH_BYTES } from '../hash/hash256.js'
import { scratch } from './engine.js'
import type { Report, RowBlock } from './row-block.js'
import type { Hit } from './signal-index.js'

export interface Part {
  readonly block: RowBlock
  readonly kind: 'head' | 'segment' | 'raw'
  /** Made by compacting, as opposed to a full head or rows just loaded. */
  readonly isSettled: boolean
  /** Rows of removed images; never too few, too many only where the rows of images lie scattered. */
  deadRows: number
  /** Adds what of the first `rows` rows is within the threshold, each row once. Pauses about every `UNIT_NS`. */
  search(needles: Uint8Array, thresholdBits: number, rows: number, hits: Hit[]): Generator<void, void, void>
}

/** Work between two pauses of a search. */
export const UNIT_NS = 1_000_000

/** One hit a row, whatever number of needles found it: the nearest needle, the first of equals. */
export class NearestByRow {
  readonly #rows: number[] = []
  // Invariant: of the row at the same place, its distance times 64 and the number of its needle: the least is the nearest, the first of equals.
  readonly #nearest: number[] = []
  // Invariant: at which place a row is. None for one needle, of which each row is reported once: where most rows are near, this would be
  // most of a search.
  readonly #places: Map<number, number> | undefined

  constructor(needleCount: number) {
    this.#places = needleCount > 1 ? new Map() : undefined
  }

  add(row: number, needle: number, distanceBits: number): void {
    const nearest = distanceBits * scratch.maxNeedles + needle
    const place = this.#places?.get(row)
    if (place !== undefined) {
      if (nearest < (this.#nearest[place] ?? 0)) this.#nearest[place] = nearest
      return
    }
    this.#places?.set(row, this.#rows.length)
    this.#rows.push(row)
    this.#nearest.push(nearest)
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
): Generator<void, void, void> {
  return scan(block, rows, needles, thresholdBits, (row, needle, bits) => {
    hits.push(block.hit(row, needle, bits))
  })
}

/** The same for some of the needles, by their numbers, where others were looked for in another way. */
export function scanFor(
  numbers: readonly number[],
  block: RowBlock,
  rows: number,
  needles: Uint8Array,
  thresholdBits: number,
  nearest: NearestByRow,
): Generator<void, void, void> {
  return scan(block, rows, pick(needles, numbers), thresholdBits, nearest.reporterFor(numbers))
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

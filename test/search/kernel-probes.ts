// What the kernel finds in rows, and what it should find: by the definition in reach.ts, and by distances alone.

import assert from 'node:assert/strict'
import { MAX_REACH, scratch } from '../../packages/core/src/search/engine.js'
import type { Row } from '../../packages/core/src/search/linear.js'
import { readHits } from '../../packages/core/src/search/part.js'
import type { RowBlock } from '../../packages/core/src/search/row-block.js'
import { distance, type Hash256 } from '../../packages/hash/src/hash256.js'
import { BAND_BITS, BANDS, below, dealt, flippedByBand, type Random, randomFrom } from './corpora.js'
import { concatenated, seeded, zeros } from './rows.js'

/** One row of a block, found by one needle. */
export interface Found {
  readonly row: number
  readonly needle: number
  readonly bits: number
}

export function reachesOf(thresholdBits: number, deal: 'even' | 'packed' | 'random', seed: number): number[] {
  const random = randomFrom(seed)
  const reach = new Array<number>(BANDS).fill(0)
  const first = below(random, BANDS)
  for (let left = thresholdBits + 1, i = 0; left > 0; i++) {
    const band =
      (deal === 'random' ? below(random, BANDS) : first + (deal === 'even' ? i : Math.floor(i / MAX_REACH))) % BANDS
    if ((reach[band] ?? 0) === MAX_REACH) continue
    reach[band] = (reach[band] ?? 0) + 1
    left--
  }
  return reach
}

/**
 * Rows just within or just beyond the reaches: with x(j) the differing bits of a band less its reach, Σ x from −2 to 1. With
 * Σ x = −1 there is exactly one band from which every running sum around the bands is negative, wherever the −1 is.
 */
export function hardRows(needle: Hash256, reach: readonly number[], random: Random): Hash256[] {
  const bitsOfRows: number[][] = [reach.slice()]
  for (let band = 0; band < BANDS; band++) {
    for (const change of [-1, 1, -2]) bitsOfRows.push(reach.map((bits, i) => (i === band ? bits + change : bits)))
    for (let i = 0; i < 20; i++) {
      const bits = reach.slice()
      bits[band] = (bits[band] ?? 0) - 1 + below(random, 2)
      moveBits(bits, random)
      bitsOfRows.push(bits)
    }
  }
  const sum = reach.reduce((a, b) => a + b, 0)
  for (let band = 0; band < BANDS; band++) {
    for (const bits of [sum - 2, sum - 1, sum]) {
      bitsOfRows.push(dealt(Math.max(0, bits), () => band))
      bitsOfRows.push(dealt(Math.max(0, bits), (i) => band + i))
      bitsOfRows.push(dealt(Math.max(0, bits), (i) => band + (i % 2) * 5))
    }
  }
  return bitsOfRows
    .filter((bits) => bits.every((n) => n >= 0 && n <= BAND_BITS))
    .map((bits) => flippedByBand(needle, bits, random))
}

/** Moves bits between bands and keeps their sum. */
export function moveBits(bits: number[], random: Random): void {
  for (let moves = below(random, 24); moves > 0; moves--) {
    const [from, to] = [below(random, BANDS), below(random, 3) === 0 ? below(random, BANDS) : -1]
    const target = to >= 0 ? to : (from + 1) % BANDS
    if ((bits[from] ?? 0) <= 0 || (bits[target] ?? 0) >= BAND_BITS) continue
    bits[from] = (bits[from] ?? 0) - 1
    bits[target] = (bits[target] ?? 0) + 1
  }
}

export function within(rows: readonly Row[], needles: readonly Hash256[], thresholdBits: number): Found[] {
  return pairs(rows, needles, (_hash, _needle, bits) => bits <= thresholdBits)
}

/** The definition in kernel/reach.ts. */
export function reached(rows: readonly Row[], needles: readonly Hash256[], reach: readonly number[]): Found[] {
  return pairs(rows, needles, (hash, needle) =>
    reach.some((here, band) => {
      if (here === 0) return false
      // Of one band, of it and the next, of it and the next two.
      let left = 0
      return [0, 1, 2].every((further) => {
        const at = (band + further) % BANDS
        left += (reach[at] ?? 0) - bandBits(hash, needle, at)
        return left > 0
      })
    }),
  )
}

export function pairs(
  rows: readonly Row[],
  needles: readonly Hash256[],
  isWanted: (hash: Hash256, needle: Hash256, bits: number) => boolean,
): Found[] {
  const found: Found[] = []
  for (const [row, { hash }] of rows.entries()) {
    for (const [number, needle] of needles.entries()) {
      const bits = distance(hash, needle)
      if (isWanted(hash, needle, bits)) found.push({ row, needle: number, bits })
    }
  }
  return found
}

export function bandBits(a: Hash256, b: Hash256, band: number): number {
  let bits = 0
  for (const at of [band * 2, band * 2 + 1])
    for (let differing = (a[at] ?? 0) ^ (b[at] ?? 0); differing > 0; differing >>>= 1) bits += differing & 1
  return bits
}

export function load(block: RowBlock, needles: readonly Hash256[], reach: readonly number[]): void {
  block.loadNeedles(concatenated(needles))
  block.loadPlan(
    Uint8Array.from(reach),
    reach.reduce((sum, bits) => sum + bits, -1),
  )
}

export function rawProbe(
  block: RowBlock,
  needles: readonly Hash256[],
  reach: readonly number[],
  fromBand: number,
  toBand: number,
  thresholdBits: number,
  maxRows = scratch.maxSurvivors,
): number {
  load(block, needles, reach)
  return block.engine.probe(needles.length, fromBand, toBand, thresholdBits, maxRows)
}

export function probed(
  block: RowBlock,
  needles: readonly Hash256[],
  reach: readonly number[],
  thresholdBits: number,
): Found[] {
  return foundBy(block, rawProbe(block, needles, reach, 0, BANDS, thresholdBits))
}

export function probedByBand(
  block: RowBlock,
  needles: readonly Hash256[],
  reach: readonly number[],
  thresholdBits: number,
): Found[] {
  return Array.from({ length: BANDS }, (_, band) =>
    foundBy(block, rawProbe(block, needles, reach, band, band + 1, thresholdBits)),
  ).flat()
}

export function followed(
  block: RowBlock,
  needles: readonly Hash256[],
  reach: readonly number[],
  thresholdBits: number,
  rowCount = block.rows,
): Found[] {
  load(block, needles, reach)
  return needles.flatMap((_, needle) => foundBy(block, block.engine.follow(needle, rowCount, thresholdBits, 10_000_000)))
}

export function foundBy(block: RowBlock, count: number): Found[] {
  assert.ok(count >= 0)
  const found: Found[] = []
  readHits(block, count, (row, needle, bits) => found.push({ row, needle, bits }))
  return found
}

/** Lists are long, so only their difference is shown. */
export function assertSame(actual: readonly string[], expected: readonly string[]): void {
  const [has, wants] = [new Set(actual), new Set(expected)]
  assert.deepEqual(
    {
      missing: expected.filter((key) => !has.has(key)),
      extra: actual.filter((key) => !wants.has(key)),
      count: actual.length,
    },
    { missing: [], extra: [], count: expected.length },
  )
}

export function keysOf(found: readonly Found[]): string[] {
  return found.map(({ row, needle, bits }) => `${row} ${needle} ${bits}`).sort()
}

/** Zero except for a key in the first band. */
export function keyed(key: number): Hash256 {
  const hash = flippedByBand(zeros, [], randomFrom(0))
  hash.set([key & 0xff, key >>> 8])
  return hash
}

/** A number in its first bytes, and other values in every band. */
export function counted(number: number): Hash256 {
  const hash = seeded(number)
  hash.set([number & 0xff, (number >>> 8) & 0xff, number >>> 16])
  return hash
}

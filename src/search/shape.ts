// How the rows of a segment are cut into bands, and the tables that this gives.

import { BANDS, ENTRY_BYTES, type Engine, KEYS, MAX_REACH, OFFSETS_BYTES, WIDE_MAX_REACH } from './engine.js'

/** What a segment asks of the kernel about its tables. */
export type Tables = Pick<Engine, 'countKeys' | 'sumCounts' | 'fillTable' | 'countCandidates' | 'countPlanned' | 'probe'>

export interface Shape {
  readonly bands: number
  /** A plan may let a band differ in fewer bits than that. */
  readonly maxReach: number
  /** The keys of one band. */
  keysIn(band: number): number
  /** How many keys differ from one in so many bits. */
  keysAt(band: number, bits: number): number
  /** What the tables of so many rows take. */
  bytesFor(rows: number): number
  /** Tells an engine where its tables lie. */
  tablesOf(engine: Engine, rowsAt: number, extraAt: number, rows: number): Tables
}

/** The kernel reads sixteen bytes at a time, and may begin in a table's last two. */
const SLACK_BYTES = 64

const WIDE_ENTRY_BYTES = 5
const HASH_BITS = 256

/** Sixteen bands of 16 bits: for any threshold, and any number of rows. */
export const NARROW: Shape = {
  bands: BANDS,
  maxReach: MAX_REACH,
  keysIn: () => KEYS,
  keysAt: (_, bits) => choose(16, bits),
  bytesFor: (rows) => BANDS * (OFFSETS_BYTES + rows * ENTRY_BYTES + SLACK_BYTES),
  tablesOf(engine, rowsAt, extraAt, rows) {
    const tableBytes = rows * ENTRY_BYTES + SLACK_BYTES
    engine.describeTables(rowsAt, extraAt, extraAt + BANDS * OFFSETS_BYTES, tableBytes, rowBitsFor(rows))
    return engine
  },
}

/** What the numbers of so many rows take; a band has sixteen bits, so that no more of one than that has to have room beside them. */
function rowBitsFor(rows: number): number {
  return Math.max(16, 32 - Math.clz32(rows - 1))
}

/** Fewer bands of up to 24 bits each. */
export function wideShape(bands: number): Shape {
  const widthOf = (band: number) => Math.floor((HASH_BITS * (band + 1)) / bands) - Math.floor((HASH_BITS * band) / bands)
  const offsetsBytes = Array.from({ length: bands }, (_, band) => 4 * (2 ** widthOf(band) + 2)).reduce((a, b) => a + b, 0)
  return {
    bands,
    maxReach: WIDE_MAX_REACH,
    keysIn: (band) => 2 ** widthOf(band),
    keysAt: (band, bits) => choose(widthOf(band), bits),
    bytesFor: (rows) => offsetsBytes + bands * rows * WIDE_ENTRY_BYTES + SLACK_BYTES,
    tablesOf(engine, rowsAt, extraAt, rows) {
      engine.wide.describe(rowsAt, extraAt, bands, rows)
      return engine.wide
    },
  }
}

function choose(from: number, count: number): number {
  let ways = 1
  for (let i = 0; i < count; i++) ways = (ways * (from - i)) / (i + 1)
  return ways
}

/** Searches within so few bits gain by wide bands. */
const FEW_BITS = 31

/** With fewer, the offsets of wide bands take more memory than they are worth: 46 MB, whatever the number of rows. */
export const MANY_ROWS = 1_000_000

/** Of 19 and 20 bits. Wider ones have fewer candidates still, but each further key is a wait for memory (decision 0010). */
const WIDE = wideShape(13)

/** @param usualBits how far most searches go. */
export function shapeFor(rows: number, usualBits: number): Shape {
  return usualBits <= FEW_BITS && rows >= MANY_ROWS ? WIDE : NARROW
}

/** Are there as many counts as a shape has? */
export function areCounts(counts: Float64Array): boolean {
  return [WIDE, NARROW].some(({ bands, maxReach }) => counts.length === bands * maxReach)
}

/** The shape that these counts were counted in. */
export function shapeOf(counts: Float64Array): Shape {
  return counts.length === WIDE.bands * WIDE.maxReach ? WIDE : NARROW
}

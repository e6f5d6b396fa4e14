// How the rows of a segment are divided into bands, and the tables that follow.

import { BANDS, ENTRY_BYTES, type Engine, KEYS, MAX_REACH, OFFSETS_BYTES, WIDE_MAX_REACH } from './engine.js'

/** The kernel functions that a segment calls for its tables. */
export type Tables = Pick<Engine, 'countKeys' | 'sumCounts' | 'fillTable' | 'countCandidates' | 'countPlanned' | 'probe'>

export interface Shape {
  readonly bands: number
  /** The largest reach that a plan may give a band. Fewer bits than this may differ. */
  readonly maxReach: number
  /** Number of keys of a band. */
  keysIn(band: number): number
  /** How many keys of a band differ from a given one in exactly `bits` bits. */
  keysAt(band: number, bits: number): number
  /** Size of the tables of this many rows. */
  bytesFor(rows: number): number
  /** Tells an engine where its tables are. */
  tablesOf(engine: Engine, rowsAt: number, extraAt: number, rows: number): Tables
}

/** The kernel reads 16 bytes at a time and may start in the last two of a table. */
const SLACK_BYTES = 64

const WIDE_ENTRY_BYTES = 5
const HASH_BITS = 256

/** Sixteen bands of 16 bits: for any threshold and any number of rows. */
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

/** Bits that a row number needs. At least 16, because the rest of the 32 bits is filled from a band, which has only 16. */
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

/** Wide bands are faster up to this threshold. */
const FEW_BITS = 31

/** Below this, wide bands are not worth the memory of their offsets: 46 MB for any number of rows. */
export const MANY_ROWS = 1_000_000

/** Bands of 19 and 20 bits. Wider ones would have still fewer candidates, but every additional key costs a memory access (decision 0010). */
const WIDE = wideShape(13)

/** @param usualBits the threshold of most searches. */
export function shapeFor(rows: number, usualBits: number): Shape {
  return usualBits <= FEW_BITS && rows >= MANY_ROWS ? WIDE : NARROW
}

/** @returns whether the number of counts is that of a known shape. */
export function areCounts(counts: Float64Array): boolean {
  return [WIDE, NARROW].some(({ bands, maxReach }) => counts.length === bands * maxReach)
}

/** @returns the shape in which these counts were made. */
export function shapeOf(counts: Float64Array): Shape {
  return counts.length === WIDE.bands * WIDE.maxReach ? WIDE : NARROW
}

// A segment's band tables, and searching them. AssemblyScript; part of engine.ts.
//
// Band j of a row is its j-th group of 16 bits. A bucket is all rows with the same 16 bits in a band; a table lists the rows by bucket. A bucket of
// n rows has n fragments, then n rests.
// A fragment (u16) is the row's NEXT band. It rejects nearly all candidates without another memory access.
// A rest (u32) is the row number and, above it, as many bits of the THIRD band as fit. They reject nearly all others without reading their row. Why
// this misses nothing: reach.ts.

import { filter, keepThird, listed } from './candidates'
import {
  BANDS,
  ENTRY_BYTES,
  GIVEN_UP_AT,
  GROUP_ENDS_AT,
  HITS_AT,
  MASKS_AT,
  maskEnd,
  NEEDLES_AT,
  OFFSETS_BYTES,
  offsetsAt,
  PLAN_AT,
  rowsAt,
  SPAN_ENDS_AT,
  SPANS_AT,
  SURVIVORS,
  SURVIVORS_AT,
  THREE_BANDS_AT,
  TWO_BANDS_AT,
  tableBytes,
  tablesAt,
  thirdMask,
} from './layout'
import { distanceTo, isReachedBefore, isReachedIn } from './reach'

/** @returns how many candidates a needle has in one band at one distance. Reads only the offsets. */
export function countCandidates(needle: usize, band: u32, distanceBits: u32): u32 {
  const offsets = offsetsAt + <usize>band * OFFSETS_BYTES
  const key = <u32>load<u16>(needle + (<usize>band << 1))
  let candidates: u32 = 0
  const end = maskEnd(distanceBits)
  for (let mask = distanceBits == 0 ? MASKS_AT : maskEnd(distanceBits - 1); mask < end; mask += 2) {
    const bucket = offsets + (<usize>(key ^ <u32>load<u16>(mask)) << 2)
    candidates += load<u32>(bucket, 4) - load<u32>(bucket)
  }
  return candidates
}

/** @returns how many candidates a needle has under the plan. */
export function countPlanned(needle: usize): u32 {
  let candidates: u32 = 0
  for (let band: u32 = 0; band < BANDS; band++) {
    const reach = <u32>load<u8>(PLAN_AT + band)
    for (let bits: u32 = 0; bits < reach; bits++) candidates += countCandidates(needle, band, bits)
  }
  return candidates
}

/**
 * Finds the rows that `needleCount` needles at NEEDLES_AT reach in bands `fromBand`…`toBand`−1 under the plan. Writes 8 bytes per hit: u32 row, u16
 * distance, u16 needle. A row that is reached in two bands is written only for the first of them, even if they are in different calls.
 *
 * @param maxRows maximum number of rows to read.
 * @returns how many hits were written; −1 if candidates or hits exceed scratch, or rows to read exceed `maxRows`. Then ignore all hits.
 */
export function probe(needleCount: u32, fromBand: u32, toBand: u32, thresholdBits: u32, maxRows: u32): i32 {
  const maxEnd = SURVIVORS_AT + (<usize>maxRows << 2)
  let survivors = SURVIVORS_AT
  let groupEnd = GROUP_ENDS_AT
  for (let band = fromBand; band < toBand; band++) {
    const reach = <u32>load<u8>(PLAN_AT + band)
    if (reach == 0) continue
    for (let needle: u32 = 0; needle < needleCount; needle++) {
      survivors = probeBand(band, reach, NEEDLES_AT + (<usize>needle << 5), SURVIVORS, survivors, maxEnd)
      if (survivors == 0) return -1
      store<u32>(groupEnd, <u32>survivors)
      groupEnd += 4
    }
  }
  return verify(needleCount, fromBand, toBand, thresholdBits)
}

/**
 * As `probe`, for one band and with limits per needle. Abandons only the needles that exceed them, and marks each with a bit at GIVEN_UP_AT.
 *
 * @param maxCandidates, maxRows limits for each needle.
 * @returns how many hits were written; −1 if they exceed scratch. Then ignore all hits.
 */
export function probeEach(needleCount: u32, band: u32, thresholdBits: u32, maxCandidates: u32, maxRows: u32): i32 {
  const reach = <u32>load<u8>(PLAN_AT + band)
  let givenUp: u64 = 0
  let survivors = SURVIVORS_AT
  for (let needle: u32 = 0; needle < needleCount; needle++) {
    const maxEnd = survivors + (<usize>maxRows << 2)
    const end = probeBand(band, reach, NEEDLES_AT + (<usize>needle << 5), maxCandidates, survivors, maxEnd)
    if (end == 0) givenUp |= <u64>1 << needle
    else survivors = end
    store<u32>(GROUP_ENDS_AT + (<usize>needle << 2), <u32>survivors)
  }
  store<u64>(GIVEN_UP_AT, givenUp)
  return verify(needleCount, band, band + 1, thresholdBits)
}

/**
 * Appends the numbers of the rows that one needle reaches in one band, judged by the table entries alone.
 * @returns their end; 0 if there is no room, or if those that pass the test of the next band exceed `maxEnd`.
 */
function probeBand(
  band: u32,
  reach: u32,
  needle: usize,
  maxCandidates: u32,
  survivors: usize,
  maxEnd: usize,
): usize {
  const offsets = offsetsAt + <usize>band * OFFSETS_BYTES
  const table = tablesAt + <usize>band * tableBytes
  const key = keyOf(needle, band)
  let candidates: u32 = 0
  let span = SPANS_AT
  let mask = MASKS_AT
  for (let bits: u32 = 0; bits < reach; bits++) {
    const end = maskEnd(bits)
    for (; mask < end; mask += 2) {
      const pair = load<u64>(offsets + (<usize>(key ^ <u32>load<u16>(mask)) << 2))
      const start = <u32>pair
      const size = <u32>(pair >> 32) - start
      store<u32>(span, start)
      store<u32>(span, size, 4)
      span += size != 0 ? 8 : 0
      candidates += size
    }
    store<u32>(SPAN_ENDS_AT + (<usize>bits << 2), <u32>span)
  }
  if (candidates > min(maxCandidates, SURVIVORS - <u32>((survivors - SURVIVORS_AT) >> 2))) return 0
  prefetch(span, table, candidates)

  const nextBand = (band + 1) & (BANDS - 1)
  const thirdBand = (band + 2) & (BANDS - 1)
  const next = keyOf(needle, nextBand)
  const nextLanes = i16x8.splat(<i16>next)
  const within = <u32>load<u8>(TWO_BANDS_AT + band) - 1
  const withinThree = <u32>load<u8>(THREE_BANDS_AT + band) - 1
  let unsure = survivors
  span = SPANS_AT
  for (let bits: u32 = 0; bits < reach; bits++) {
    const end = <usize>load<u32>(SPAN_ENDS_AT + (<usize>bits << 2))
    const records = filter(span, end, table, nextLanes, within - bits)
    unsure = listed(records, table, next, withinThree - bits, unsure, maxEnd)
    if (unsure > maxEnd) return 0
    span = end
  }
  return keepThird(survivors, unsure, table, keyOf(needle, thirdBand) & thirdMask)
}

// @ts-ignore: decorator
@inline
function keyOf(row: usize, band: u32): u32 {
  return <u32>load<u16>(row + (<usize>band << 1))
}

/**
 * Loads the cache lines of all buckets at once: waiting for them one by one took half of a search. A separate pass, as short as possible, so that
 * the processor has many loads under way.
 */
function prefetch(spansEnd: usize, table: usize, candidates: u32): void {
  let touched: u32 = 0
  // A cache line has 32 fragments. Short buckets span two lines at most, so the loads need no branch that waits for a bucket's size.
  if (candidates <= <u32>((spansEnd - SPANS_AT) >> 3) * SHORT_BUCKET_ROWS) {
    for (let span: usize = SPANS_AT; span < spansEnd; span += 8) {
      const from = table + <usize>load<u32>(span) * ENTRY_BYTES
      touched += load<u8>(from) + load<u8>(from + (<usize>load<u32>(span, 4) << 1) - 1)
    }
  } else {
    for (let span: usize = SPANS_AT; span < spansEnd; span += 8) {
      const from = table + <usize>load<u32>(span) * ENTRY_BYTES
      const to = from + (<usize>load<u32>(span, 4) << 1)
      touched += load<u8>(to - 1)
      for (let line = from; line < to; line += 64) touched += load<u8>(line)
    }
  }
  keep = touched
}

/** Average rows per bucket up to which buckets count as short. */
const SHORT_BUCKET_ROWS: u32 = 24

/** Keeps the compiler from removing reads whose values are not used. */
let keep: u32 = 0

export function kept(): u32 {
  return keep
}

/** Reads the rows of the survivors. In passes without branches, so that the processor waits for many rows at once. */
function verify(needleCount: u32, fromBand: u32, toBand: u32, thresholdBits: u32): i32 {
  let survivor = SURVIVORS_AT
  let groupEnd = GROUP_ENDS_AT
  let hit = HITS_AT
  for (let band = fromBand; band < toBand; band++) {
    if (load<u8>(PLAN_AT + band) == 0) continue
    for (let number: u32 = 0; number < needleCount; number++) {
      const needle = NEEDLES_AT + (<usize>number << 5)
      const end = <usize>load<u32>(groupEnd)
      groupEnd += 4
      const near = keepNear(survivor, end, needle, thresholdBits, rowsAt)
      for (let at = survivor; at < near; at += 4) {
        const row = load<u32>(at)
        const bits = rowsAt + (<usize>row << 5)
        if (!isReachedIn(bits, needle, band) || isReachedBefore(bits, needle, band)) continue
        if (hit == SURVIVORS_AT) return -1
        store<u32>(hit, row)
        store<u16>(hit, <u16>distanceTo(bits, needle), 4)
        store<u16>(hit, <u16>number, 6)
        hit += 8
      }
      survivor = end
    }
  }
  return <i32>((hit - HITS_AT) >> 3)
}

/**
 * Moves the rows within the threshold to the front.
 * @returns their end.
 */
export function keepNear(from: usize, to: usize, needle: usize, thresholdBits: u32, rowsAt: usize): usize {
  let near = from
  for (let at = from; at < to; at += 4) {
    const row = load<u32>(at)
    store<u32>(near, row)
    near += distanceTo(rowsAt + (<usize>row << 5), needle) <= thresholdBits ? 4 : 0
  }
  return near
}

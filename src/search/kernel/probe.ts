// A segment's band tables, and the search through them. AssemblyScript; part of engine.ts.
//
// Band j of a row is its j-th group of 16 bits. A table lists the rows bucket by bucket, a bucket being all rows with the same
// 16 bits in the band. A bucket of n rows is n fragments (u16: the row's NEXT band, so that nearly all candidates are refused
// without reading their row) and then n row numbers (u24). Why that misses nothing: reach.ts.

import {
  BANDS,
  ENTRY_BYTES,
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
  tableBytes,
  tablesAt,
} from './layout'
import { distanceTo, isReachedBefore } from './reach'

/** How many candidates a needle meets in one band at one distance. Reads the offsets alone. */
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

/** How many candidates a needle meets under the plan. */
export function countPlanned(needle: usize): u32 {
  let candidates: u32 = 0
  for (let band: u32 = 0; band < BANDS; band++) {
    const reach = <u32>load<u8>(PLAN_AT + band)
    for (let bits: u32 = 0; bits < reach; bits++) candidates += countCandidates(needle, band, bits)
  }
  return candidates
}

/**
 * Finds what `needleCount` needles at NEEDLES_AT reach in bands `fromBand`…`toBand`−1 under the plan. Writes 8 bytes a hit:
 * u32 row, u16 distance, u16 needle. A row that two bands reach is written for the first of them, in whichever call.
 *
 * @returns how many were written; −1 when there are more candidates or hits than scratch has room for, and then none counts.
 */
export function probe(needleCount: u32, fromBand: u32, toBand: u32, thresholdBits: u32): i32 {
  let survivors = SURVIVORS_AT
  let groupEnd = GROUP_ENDS_AT
  for (let band = fromBand; band < toBand; band++) {
    const reach = <u32>load<u8>(PLAN_AT + band)
    if (reach == 0) continue
    for (let needle: u32 = 0; needle < needleCount; needle++) {
      survivors = probeBand(band, reach, NEEDLES_AT + (<usize>needle << 5), survivors)
      if (survivors == 0) return -1
      store<u32>(groupEnd, <u32>survivors)
      groupEnd += 4
    }
  }
  return verify(needleCount, fromBand, toBand, thresholdBits)
}

/** Appends the numbers of the rows that one needle reaches in one band. @returns their end, or 0 when there is no room. */
function probeBand(band: u32, reach: u32, needle: usize, survivors: usize): usize {
  const offsets = offsetsAt + <usize>band * OFFSETS_BYTES
  const table = tablesAt + <usize>band * tableBytes
  const key = <u32>load<u16>(needle + (<usize>band << 1))
  const nextBand = (band + 1) & (BANDS - 1)
  let candidates: u32 = 0
  let touched: u32 = 0
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
      // Asks for the bucket's lines now, all buckets at a time: waiting for one after the other was half of a search.
      const from = table + <usize>start * ENTRY_BYTES
      const to = from + (<usize>size << 1)
      touched += load<u8>(to - 1)
      for (let line = from; line < to; line += 64) touched += load<u8>(line)
    }
    store<u32>(SPAN_ENDS_AT + (<usize>bits << 2), <u32>span)
  }
  keep = touched
  if (candidates > SURVIVORS - <u32>((survivors - SURVIVORS_AT) >> 2)) return 0

  const next = i16x8.splat(load<i16>(needle + (<usize>nextBand << 1)))
  const within = reach + <u32>load<u8>(PLAN_AT + nextBand) - 1
  span = SPANS_AT
  for (let bits: u32 = 0; bits < reach; bits++) {
    const end = <usize>load<u32>(SPAN_ENDS_AT + (<usize>bits << 2))
    survivors = filter(span, end, table, next, within - bits, survivors)
    span = end
  }
  return survivors
}

/** Keeps the compiler from leaving out reads whose only purpose is to have been made. */
let keep: u32 = 0

export function kept(): u32 {
  return keep
}

function filter(span: usize, end: usize, table: usize, next: v128, most: u32, survivors: usize): usize {
  switch (most) {
    case 0:
      return filterAtMost(span, end, table, next, 0, survivors)
    case 1:
      return filterAtMost(span, end, table, next, 1, survivors)
    case 2:
      return filterAtMost(span, end, table, next, 2, survivors)
    case 3:
      return filterAtMost(span, end, table, next, 3, survivors)
    case 4:
      return filterAtMost(span, end, table, next, 4, survivors)
    default:
      return filterAtMost(span, end, table, next, most, survivors)
  }
}

// @ts-ignore: decorator
@inline
function filterAtMost(span: usize, end: usize, table: usize, next: v128, most: u32, survivors: usize): usize {
  for (; span < end; span += 8) {
    const size = load<u32>(span, 4)
    const fragments = table + <usize>load<u32>(span) * ENTRY_BYTES
    const ids = fragments + (<usize>size << 1)
    for (let at: u32 = 0; at < size; at += 8) {
      const differing = v128.xor(v128.load(fragments + (<usize>at << 1)), next)
      let found = <u32>i16x8.bitmask(atMost(differing, most))
      if (size - at < 8) found &= (1 << (size - at)) - 1
      for (; found != 0; found &= found - 1) {
        store<u32>(survivors, <u32>(ids + <usize>(at + ctz(found)) * 3))
        survivors += 4
      }
    }
  }
  return survivors
}

/**
 * Lanes with at most `most` bits set. Clearing the lowest bit so often and comparing with 0 takes half the instructions of
 * counting, as long as it is few times; `most` is a constant where this is inlined, so the branches go away.
 */
// @ts-ignore: decorator
@inline
export function atMost(lanes: v128, most: u32): v128 {
  if (most > 4) {
    return i16x8.le_u(i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(lanes)), i16x8.splat(<i16>most))
  }
  const minusOne = i16x8.splat(-1)
  if (most > 0) lanes = v128.and(lanes, i16x8.add(lanes, minusOne))
  if (most > 1) lanes = v128.and(lanes, i16x8.add(lanes, minusOne))
  if (most > 2) lanes = v128.and(lanes, i16x8.add(lanes, minusOne))
  if (most > 3) lanes = v128.and(lanes, i16x8.add(lanes, minusOne))
  return i16x8.eq(lanes, i16x8.splat(0))
}

/** Reads the survivors' rows. In passes without branches, so that the processor waits for many rows at once. */
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
        if (isReachedBefore(rowsAt + (<usize>row << 5), needle, band)) continue
        if (hit == SURVIVORS_AT) return -1
        store<u32>(hit, row)
        store<u16>(hit, <u16>distanceTo(rowsAt + (<usize>row << 5), needle), 4)
        store<u16>(hit, <u16>number, 6)
        hit += 8
      }
      survivor = end
    }
  }
  return <i32>((hit - HITS_AT) >> 3)
}

/** Turns places of row numbers into row numbers, and moves those that are within the threshold to the front. */
export function keepNear(from: usize, to: usize, needle: usize, thresholdBits: u32, rowsAt: usize): usize {
  for (let at = from; at < to; at += 4) store<u32>(at, load<u32>(<usize>load<u32>(at)) & 0xffffff)
  let near = from
  for (let at = from; at < to; at += 4) {
    const row = load<u32>(at)
    store<u32>(near, row)
    near += distanceTo(rowsAt + (<usize>row << 5), needle) <= thresholdBits ? 4 : 0
  }
  return near
}

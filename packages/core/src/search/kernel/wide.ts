// Searching tables of wide bands (wide-tables.ts). AssemblyScript; part of engine.ts.

import { atMost } from './candidates'
import { GROUP_ENDS_AT, HITS_AT, NEEDLES_AT, PLAN_AT, SPAN_ENDS_AT, SPANS_AT, SURVIVORS, SURVIVORS_AT } from './layout'
import { keepNear } from './probe'
import { distanceTo } from './reach'
import { bands, capacity, fragmentsAt, keyOf, masksAt, masksOf, nextOf, numbersAt, offsetsOf, rowsAt, widthOf } from './wide-tables'

/** @returns how many candidates a needle has in one band at one distance. Reads only the offsets. */
export function countWideCandidates(needle: usize, band: u32, distanceBits: u32): u32 {
  const offsets = offsetsOf(band)
  const key = keyOf(needle, band)
  let candidates: u32 = 0
  let mask = masksAt(distanceBits)
  for (const end = mask + (<usize>masksOf(widthOf(band), distanceBits) << 2); mask < end; mask += 4) {
    const bucket = offsets + (<usize>(key ^ load<u32>(mask)) << 2)
    candidates += load<u32>(bucket, 4) - load<u32>(bucket)
  }
  return candidates
}

/** @returns how many candidates a needle has under the plan. */
export function countWidePlanned(needle: usize): u32 {
  let candidates: u32 = 0
  for (let band: u32 = 0; band < bands; band++) {
    const reach = <u32>load<u8>(PLAN_AT + band)
    for (let bits: u32 = 0; bits < reach; bits++) candidates += countWideCandidates(needle, band, bits)
  }
  return candidates
}

/**
 * Finds the rows that `needleCount` needles at NEEDLES_AT reach in bands `fromBand`…`toBand`−1 under the plan. Writes hits as `probe` does.
 *
 * @returns how many hits were written; −1 if candidates or hits exceed scratch, or rows to read exceed `maxRows`. Then ignore all hits.
 */
export function probeWide(needleCount: u32, fromBand: u32, toBand: u32, thresholdBits: u32, maxRows: u32): i32 {
  const maxEnd = SURVIVORS_AT + (<usize>maxRows << 2)
  let survivors = SURVIVORS_AT
  let groupEnd = GROUP_ENDS_AT
  for (let band = fromBand; band < toBand; band++) {
    const reach = <u32>load<u8>(PLAN_AT + band)
    if (reach == 0) continue
    for (let needle: u32 = 0; needle < needleCount; needle++) {
      survivors = probeBand(band, reach, NEEDLES_AT + (<usize>needle << 5), survivors, maxEnd)
      if (survivors == 0) return -1
      store<u32>(groupEnd, <u32>survivors)
      groupEnd += 4
    }
  }
  return verify(needleCount, fromBand, toBand, thresholdBits)
}

/**
 * Appends the addresses of the numbers of the rows that one needle reaches in one band.
 * @returns their end; 0 if there is no room or they exceed `maxEnd`.
 */
function probeBand(band: u32, reach: u32, needle: usize, survivors: usize, maxEnd: usize): usize {
  const offsets = offsetsOf(band)
  const width = widthOf(band)
  const fragments = fragmentsAt + <usize>band * (capacity << 1)
  const key = keyOf(needle, band)
  const nextBand = nextOf(band)
  let candidates: u32 = 0
  let span = SPANS_AT
  for (let bits: u32 = 0; bits < reach; bits++) {
    let mask = masksAt(bits)
    for (const end = mask + (<usize>masksOf(width, bits) << 2); mask < end; mask += 4) {
      const pair = load<u64>(offsets + (<usize>(key ^ load<u32>(mask)) << 2))
      const start = <u32>pair
      const size = <u32>(pair >> 32) - start
      store<u32>(span, start)
      store<u32>(span, size, 4)
      span += size != 0 ? 8 : 0
      candidates += size
    }
    store<u32>(SPAN_ENDS_AT + (<usize>bits << 2), <u32>span)
  }
  if (candidates > SURVIVORS - <u32>((survivors - SURVIVORS_AT) >> 2)) return 0
  // Loads the cache lines of all buckets at once. A branch here would have to wait for each bucket's size. Few buckets span a third line.
  let touched: u32 = 0
  for (let at: usize = SPANS_AT; at < span; at += 8) {
    const from = fragments + (<usize>load<u32>(at) << 1)
    touched += load<u8>(from) + load<u8>(from + (<usize>load<u32>(at, 4) << 1) - 1)
  }
  keep = touched

  const next = i16x8.splat(<i16>keyOf(needle, nextBand))
  const within = reach + <u32>load<u8>(PLAN_AT + nextBand) - 1
  const numbers = numbersAt + <usize>band * capacity * 3
  span = SPANS_AT
  for (let bits: u32 = 0; bits < reach; bits++) {
    const end = <usize>load<u32>(SPAN_ENDS_AT + (<usize>bits << 2))
    survivors = filter(span, end, fragments, numbers, next, within - bits, survivors, maxEnd)
    if (survivors > maxEnd) return 0
    span = end
  }
  return survivors
}

/** Keeps the compiler from removing reads whose values are not used. */
let keep: u32 = 0

export function wideKept(): u32 {
  return keep
}

function filter(
  span: usize,
  end: usize,
  fragments: usize,
  numbers: usize,
  next: v128,
  most: u32,
  survivors: usize,
  maxEnd: usize,
): usize {
  switch (most) {
    case 0:
      return filterAtMost(span, end, fragments, numbers, next, 0, survivors, maxEnd)
    case 1:
      return filterAtMost(span, end, fragments, numbers, next, 1, survivors, maxEnd)
    case 2:
      return filterAtMost(span, end, fragments, numbers, next, 2, survivors, maxEnd)
    case 3:
      return filterAtMost(span, end, fragments, numbers, next, 3, survivors, maxEnd)
    case 4:
      return filterAtMost(span, end, fragments, numbers, next, 4, survivors, maxEnd)
    default:
      return filterAtMost(span, end, fragments, numbers, next, most, survivors, maxEnd)
  }
}

// @ts-ignore: decorator
@inline
function filterAtMost(
  span: usize,
  end: usize,
  fragments: usize,
  numbers: usize,
  next: v128,
  most: u32,
  survivors: usize,
  maxEnd: usize,
): usize {
  for (; span < end; span += 8) {
    const start = <usize>load<u32>(span)
    const size = load<u32>(span, 4)
    for (let at: u32 = 0; at < size && survivors <= maxEnd; at += 8) {
      const differing = v128.xor(v128.load(fragments + ((start + <usize>at) << 1)), next)
      let found = <u32>i16x8.bitmask(atMost(differing, most))
      if (size - at < 8) found &= (1 << (size - at)) - 1
      for (; found != 0; found &= found - 1) {
        store<u32>(survivors, <u32>(numbers + (start + <usize>(at + ctz(found))) * 3))
        survivors += 4
      }
    }
  }
  return survivors
}

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
      for (let at = survivor; at < end; at += 4) store<u32>(at, load<u32>(<usize>load<u32>(at)) & 0xffffff)
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

function isReachedBefore(row: usize, needle: usize, band: u32): bool {
  for (let earlier: u32 = 0; earlier < band; earlier++) if (isReachedIn(row, needle, earlier)) return true
  return false
}

function isReachedIn(row: usize, needle: usize, band: u32): bool {
  const reach = <u32>load<u8>(PLAN_AT + band)
  const bits = <u32>popcnt(keyOf(row, band) ^ keyOf(needle, band))
  if (bits >= reach) return false
  const next = nextOf(band)
  return bits + <u32>popcnt(keyOf(row, next) ^ keyOf(needle, next)) < reach + <u32>load<u8>(PLAN_AT + next)
}

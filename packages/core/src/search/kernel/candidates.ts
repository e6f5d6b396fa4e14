// Candidates of a bucket, compared by what its table has of their rows: fragments, then rests (probe.ts). AssemblyScript; part of engine.ts.

import { ENTRY_BYTES, RECORDS_AT, rowBits } from './layout'

/**
 * Writes a record for every eight candidates of which the needle may reach at least one.
 * @returns the end of the records.
 */
export function filter(span: usize, end: usize, table: usize, next: v128, most: u32): usize {
  switch (most) {
    case 0:
      return filterAtMost(span, end, table, next, 0)
    case 1:
      return filterAtMost(span, end, table, next, 1)
    case 2:
      return filterAtMost(span, end, table, next, 2)
    case 3:
      return filterAtMost(span, end, table, next, 3)
    case 4:
      return filterAtMost(span, end, table, next, 4)
    default:
      return filterAtMost(span, end, table, next, most)
  }
}

/**
 * No branch depends on a fragment's value, because the processor would mispredict it at every other bucket. A record holds which of the eight
 * matched, and the offsets of their fragments and rests from the start of the table.
 */
// @ts-ignore: decorator
@inline
function filterAtMost(span: usize, end: usize, table: usize, next: v128, most: u32): usize {
  let record = RECORDS_AT
  for (; span < end; span += 8) {
    const size = load<u32>(span, 4)
    let fragments = <usize>load<u32>(span) * ENTRY_BYTES
    let rests = fragments + (<usize>size << 1)
    for (let left = <i32>size; left > 0; left -= 8) {
      let found = <u32>i16x8.bitmask(atMost(v128.xor(v128.load(table + fragments), next), most))
      if (left < 8) found &= (1 << left) - 1
      store<u64>(record, <u64>found | (<u64>fragments << FRAGMENTS_BIT) | (<u64>rests << RESTS_BIT))
      record += found != 0 ? 8 : 0
      fragments += 16
      rests += 32
    }
  }
  return record
}

// A table of 2²⁴ rows has fewer than 2²⁷ bytes.
const FRAGMENTS_BIT: u64 = 8
const RESTS_BIT: u64 = 36
const PLACE_MASK: u32 = 0x7ffffff

/**
 * Lists the candidates of the records. For each: the offset of its rest (27 bits), and in how many bits its third band may differ.
 * @returns their end; slightly beyond `maxEnd` if there are more.
 */
export function listed(recordsEnd: usize, table: usize, next: u32, within: u32, unsure: usize, maxEnd: usize): usize {
  for (let at = RECORDS_AT; at < recordsEnd && unsure <= maxEnd; at += 8) {
    const record = load<u64>(at)
    const fragments = table + <usize>(<u32>(record >> FRAGMENTS_BIT) & PLACE_MASK)
    const rests = <u32>(record >> RESTS_BIT)
    for (let found = <u32>record & 0xff; found != 0; found &= found - 1) {
      const lane = ctz(found)
      const left = within - <u32>popcnt(<u32>load<u16>(fragments + (<usize>lane << 1)) ^ next)
      store<u32>(unsure, (rests + (lane << 2)) | (left << 27))
      unsure += 4
    }
  }
  return unsure
}

/**
 * Keeps the candidates whose third band is near enough, as row numbers, and drops the others.
 * @returns the end of the list.
 */
export function keepThird(from: usize, to: usize, table: usize, third: u32): usize {
  const shift = rowBits
  const rowMask = (<u32>1 << shift) - 1
  let near = from
  for (let at = from; at < to; at += 4) {
    const unsure = load<u32>(at)
    const rest = load<u32>(table + <usize>(unsure & PLACE_MASK))
    store<u32>(near, rest & rowMask)
    near += <u32>popcnt((rest >> shift) ^ third) <= unsure >> 27 ? 4 : 0
  }
  return near
}

/**
 * Lanes with at most `most` bits set. Clearing the lowest bit a few times and comparing with 0 takes half the instructions of counting. `most` is a
 * constant where this is inlined, so the branches disappear.
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

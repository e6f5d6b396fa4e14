// Which rows a needle reaches under a plan. AssemblyScript; part of engine.ts.
//
// The plan gives band j a reach p(j) = radius + 1, or 0 if the band is not probed, with Σ p = threshold + 1.
// Let d(j) be the number of bits in which row and needle differ in band j, and x(j) = d(j) − p(j).
// For a row within the threshold Σ x < 0. On the ring of bands there is then a start from which every prefix sum of x is negative (pigeonring: Qin
// and Xiao, PVLDB 12(2), 2018). So in some band d(j) < p(j) holds, and d(j) + d(j+1) < p(j) + p(j+1), and the same for three bands. A needle
// reaches a row in such a band.
// A search that also wants rows beyond the threshold allows more bits in two and in three bands (plan.ts). It misses nothing either, and reads more.

import { BANDS, PLAN_AT, THREE_BANDS_AT, TWO_BANDS_AT } from './layout'

// @ts-ignore: decorator
@inline
export function distanceTo(row: usize, needle: usize): u32 {
  return <u32>(
    (popcnt(load<u64>(row) ^ load<u64>(needle)) +
      popcnt(load<u64>(row, 8) ^ load<u64>(needle, 8)) +
      popcnt(load<u64>(row, 16) ^ load<u64>(needle, 16)) +
      popcnt(load<u64>(row, 24) ^ load<u64>(needle, 24)))
  )
}

/** @returns whether the needle reaches the row in an earlier band under the plan. */
export function isReachedBefore(row: usize, needle: usize, band: u32): bool {
  for (let earlier: u32 = 0; earlier < band; earlier++) if (isReachedIn(row, needle, earlier)) return true
  return false
}

export function isReachedIn(row: usize, needle: usize, band: u32): bool {
  const reach = <u32>load<u8>(PLAN_AT + band)
  const bits = bandBits(row, needle, band)
  if (bits >= reach) return false
  const bitsOfTwo = bits + bandBits(row, needle, (band + 1) & (BANDS - 1))
  if (bitsOfTwo >= <u32>load<u8>(TWO_BANDS_AT + band)) return false
  return bitsOfTwo + bandBits(row, needle, (band + 2) & (BANDS - 1)) < <u32>load<u8>(THREE_BANDS_AT + band)
}

// @ts-ignore: decorator
@inline
function bandBits(row: usize, needle: usize, band: u32): u32 {
  const at = <usize>band << 1
  return <u32>popcnt(<u32>load<u16>(row + at) ^ <u32>load<u16>(needle + at))
}

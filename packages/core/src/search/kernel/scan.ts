// Compares every row of a block with every needle. AssemblyScript; part of engine.ts.
//
// Deliberately scalar: wasm's i64.popcnt is one instruction on processors that have it; i8x16.popcnt is eight on x86-64, and its bytes must still
// be summed. Measured on an EPYC with 1 M rows and 8 needles: 1.1 ns a pair, against 2.3 ns for SIMD over all 32 bytes and 1.6 ns for SIMD with the
// same early exit.

/**
 * Below this threshold almost no unrelated pair gets past 128 bits. Above it so many do that the processor cannot predict which, and a wrong
 * prediction costs three times what counting a third word does (3.2 ns a pair at 60 bits).
 */
const NARROW_BITS: u32 = 44

/**
 * Writes one u32 to `hits` for each row within `thresholdBits` of any needle: the row's index in the block (12 bits), the nearest needle, the first
 * of equals (6 bits, from bit 12), and its distance (9 bits, from bit 18).
 *
 * Skips the rest of a pair after 128 or 192 bits if those alone differ in as many bits as the best pair so far. `hits` must have room for
 * `rowCount` entries, so there is no overflow to report.
 *
 * @returns how many hits were written, in row order.
 */
export function scan(
  rows: usize,
  rowCount: u32,
  needles: usize,
  needleCount: u32,
  thresholdBits: u32,
  hits: usize,
): u32 {
  return thresholdBits < NARROW_BITS
    ? scanWith(rows, rowCount, needles, needleCount, thresholdBits, hits, 2)
    : scanWith(rows, rowCount, needles, needleCount, thresholdBits, hits, 3)
}

// @ts-ignore: decorator
@inline
function scanWith(
  rows: usize,
  rowCount: u32,
  needles: usize,
  needleCount: u32,
  thresholdBits: u32,
  hits: usize,
  wordsFirst: u32,
): u32 {
  const needlesEnd = needles + (<usize>needleCount << 5)
  let nextHit = hits
  for (let row: u32 = 0; row < rowCount; row++, rows += 32) {
    const a = load<u64>(rows)
    const b = load<u64>(rows, 8)
    const c = load<u64>(rows, 16)
    const d = load<u64>(rows, 24)
    let bestBits = thresholdBits + 1
    let best = needlesEnd
    for (let needle = needles; needle < needlesEnd; needle += 32) {
      let bits = <u32>(popcnt(a ^ load<u64>(needle)) + popcnt(b ^ load<u64>(needle, 8)))
      if (wordsFirst == 3) bits += <u32>popcnt(c ^ load<u64>(needle, 16))
      if (bits >= bestBits) continue
      if (wordsFirst == 2) bits += <u32>popcnt(c ^ load<u64>(needle, 16))
      bits += <u32>popcnt(d ^ load<u64>(needle, 24))
      if (bits >= bestBits) continue
      bestBits = bits
      best = needle
    }
    if (best != needlesEnd) {
      store<u32>(nextHit, row | (<u32>((best - needles) >> 5) << 12) | (bestBits << 18))
      nextHit += 4
    }
  }
  return <u32>((nextHit - hits) >> 2)
}

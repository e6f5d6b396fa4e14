// Computes the score of each line's best stretch, and running counts of edge pixels along a line. The reference implementation, ../deframe/lines.ts,
// defines the scores and has the same constants.

const EDGE_GAIN: i8 = 10
const GAP_COST: i8 = 7

/**
 * The scores of `count` lines, sixteen at a time: the same integers as `stretchScores`.
 * @param edgeMap [length × stride] ones and zeros; line `at` is column `at`.
 * @param length of a line, at most 650 pixels, so that scores fit into 16 bits.
 * @param to [count] i16, with room for sixteen more.
 */
export function scoreStretches(edgeMap: usize, stride: usize, count: i32, length: i32, to: usize): void {
  const gain = i8x16.splat(EDGE_GAIN + GAP_COST)
  const cost = i8x16.splat(GAP_COST)
  const zero = i16x8.splat(0)
  for (let at: usize = 0; at < <usize>count; at += 16) {
    let here0 = zero, here1 = zero, best0 = zero, best1 = zero
    let from = edgeMap + at
    for (let along = 0; along < length; along++) {
      const edges = i8x16.sub(v128.and(i8x16.neg(v128.load(from)), gain), cost)
      here0 = i16x8.max_s(zero, i16x8.add(here0, i16x8.extend_low_i8x16_s(edges)))
      here1 = i16x8.max_s(zero, i16x8.add(here1, i16x8.extend_high_i8x16_s(edges)))
      best0 = i16x8.max_s(best0, here0)
      best1 = i16x8.max_s(best1, here1)
      from += stride
    }
    v128.store(to + (at << 1), best0)
    v128.store(to + (at << 1), best1, 16)
  }
}

/**
 * Running counts of a line's edge pixels. The edge may deviate by one pixel to either side.
 * @param at the column of the line; the columns beside it are read, too.
 * @param to [length + 1] u16.
 */
export function countAlong(edgeMap: usize, stride: usize, length: i32, at: i32, to: usize): void {
  let from = edgeMap + <usize>at
  let count = 0
  store<u16>(to, 0)
  for (let along: usize = 1; along <= <usize>length; along++) {
    count += <i32>(load<u8>(from) | load<u8>(from - 1) | load<u8>(from, 1))
    store<u16>(to + (along << 1), <u16>count)
    from += stride
  }
}

/** Transposes a map of bytes in blocks of 8 × 8. Both buffers have room for whole blocks. Strides are in bytes. */
export function transpose(from: usize, fromStride: usize, width: i32, height: i32, to: usize, toStride: usize): void {
  for (let y: usize = 0; y < <usize>height; y += 8) {
    for (let x: usize = 0; x < <usize>width; x += 8) transposeBlock(from + y * fromStride + x, fromStride, to + x * toStride + y, toStride)
  }
}

@inline
function transposeBlock(from: usize, fromStride: usize, to: usize, toStride: usize): void {
  const a = pairs(from, from + fromStride)
  const b = pairs(from + 2 * fromStride, from + 3 * fromStride)
  const c = pairs(from + 4 * fromStride, from + 5 * fromStride)
  const d = pairs(from + 6 * fromStride, from + 7 * fromStride)
  const ab = v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
  const cd = v128.shuffle<i16>(c, d, 0, 8, 1, 9, 2, 10, 3, 11)
  const ab2 = v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
  const cd2 = v128.shuffle<i16>(c, d, 4, 12, 5, 13, 6, 14, 7, 15)
  storePair(v128.shuffle<i32>(ab, cd, 0, 4, 1, 5), to, to + toStride)
  storePair(v128.shuffle<i32>(ab, cd, 2, 6, 3, 7), to + 2 * toStride, to + 3 * toStride)
  storePair(v128.shuffle<i32>(ab2, cd2, 0, 4, 1, 5), to + 4 * toStride, to + 5 * toStride)
  storePair(v128.shuffle<i32>(ab2, cd2, 2, 6, 3, 7), to + 6 * toStride, to + 7 * toStride)
}

@inline
function pairs(a: usize, b: usize): v128 {
  return v128.shuffle<u8>(v128.load64_zero(a), v128.load64_zero(b), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}

@inline
function storePair(two: v128, to: usize, toOther: usize): void {
  store<i64>(to, i64x2.extract_lane(two, 0))
  store<i64>(toOther, i64x2.extract_lane(two, 1))
}

// Computes summed-area tables (integral images) of luma, as ../area-table.ts, and of the number of pixels with fine structure, as
// ../deframe/texture.ts. Tests compare them with these plain versions, bit for bit.

import { lumaOf } from './lanes'

/** [grey levels] as in ../deframe/texture.ts. */
const MIN_LAPLACIAN: f32 = 5

/** Luma of sixteen pixels, from planes of red, green and blue that lie `planeBytes` apart. */
@inline
export function storeLuma(from: usize, planeBytes: usize, to: usize): void {
  const red = v128.load(from)
  const green = v128.load(from + planeBytes)
  const blue = v128.load(from + 2 * planeBytes)
  storeLumaOf(i16x8.extend_low_i8x16_u(red), i16x8.extend_low_i8x16_u(green), i16x8.extend_low_i8x16_u(blue), to)
  storeLumaOf(i16x8.extend_high_i8x16_u(red), i16x8.extend_high_i8x16_u(green), i16x8.extend_high_i8x16_u(blue), to + 32)
}

@inline
function storeLumaOf(red: v128, green: v128, blue: v128, to: usize): void {
  const r = i32x4.extend_low_i16x8_u(red), g = i32x4.extend_low_i16x8_u(green), b = i32x4.extend_low_i16x8_u(blue)
  v128.store(to, lumaOf(3, r, g, b))
  const r2 = i32x4.extend_high_i16x8_u(red), g2 = i32x4.extend_high_i16x8_u(green), b2 = i32x4.extend_high_i16x8_u(blue)
  v128.store(to, lumaOf(3, r2, g2, b2), 16)
}

/**
 * Writes one row of the table of sums: [width + 1] f64, from the row `above`. Sums along a row are exact in float64, so adding in pairs does not
 * change the result. Only adding the row above rounds, as in the plain version.
 */
export function sumRow(luma: usize, width: i32, above: usize, to: usize): void {
  const zero = f64x2.splat(0)
  let line = zero
  let x: usize = 0
  for (; x + 4 <= <usize>width; x += 4) {
    const four = v128.load(luma + (x << 2))
    const low = f64x2.promote_low_f32x4(four)
    const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(four, four, 2, 3, 0, 1))
    const one = f64x2.add(low, v128.shuffle<i64>(zero, low, 0, 2))
    const two = f64x2.add(f64x2.add(high, v128.shuffle<i64>(zero, high, 0, 2)), v128.shuffle<i64>(one, one, 1, 1))
    const at = (x + 1) << 3
    const sums = f64x2.add(line, two)
    v128.store(to + at, f64x2.add(f64x2.add(line, one), v128.load(above + at)))
    v128.store(to + at, f64x2.add(sums, v128.load(above + at, 16)), 16)
    line = v128.shuffle<i64>(sums, sums, 1, 1)
  }
  let sum = f64x2.extract_lane(line, 0)
  for (; x < <usize>width; x++) {
    sum += <f64>load<f32>(luma + (x << 2))
    const at = (x + 1) << 3
    store<f64>(to + at, sum + load<f64>(above + at))
  }
}

/**
 * Writes one row of the table of counts: [width + 1] u32. A pixel has fine structure if its Laplacian exceeds `MIN_LAPLACIAN`. Not for the first and
 * last row, which have no neighbour above or below.
 */
export function countRow(luma: usize, lumaAbove: usize, lumaBelow: usize, width: i32, above: usize, to: usize): void {
  const zero = i32x4.splat(0)
  const least = f32x4.splat(MIN_LAPLACIAN)
  let line = zero
  let x: usize = 1
  store<u32>(to, load<u32>(above, 4), 4)
  for (; x + 5 <= <usize>width; x += 4) {
    const at = x << 2
    const beside = f32x4.add(v128.load(luma + at - 4), v128.load(luma + at + 4))
    const around = f32x4.add(f32x4.add(beside, v128.load(lumaAbove + at)), v128.load(lumaBelow + at))
    const laplacian = f32x4.sub(f32x4.mul(f32x4.splat(4), v128.load(luma + at)), around)
    const ones = i32x4.neg(f32x4.gt(f32x4.abs(laplacian), least))
    const twos = i32x4.add(ones, v128.shuffle<i32>(zero, ones, 0, 4, 5, 6))
    const counts = i32x4.add(line, i32x4.add(twos, v128.shuffle<i32>(zero, twos, 0, 1, 4, 5)))
    v128.store(to + at + 4, i32x4.add(counts, v128.load(above + at + 4)))
    line = v128.shuffle<i32>(counts, counts, 3, 3, 3, 3)
  }
  let count = i32x4.extract_lane(line, 0)
  for (; x < <usize>width; x++) {
    const at = x << 2
    if (x + 1 < <usize>width) {
      const around = load<f32>(luma + at - 4) + load<f32>(luma + at + 4) + load<f32>(lumaAbove + at) + load<f32>(lumaBelow + at)
      if (abs<f32>(4 * load<f32>(luma + at) - around) > MIN_LAPLACIAN) count++
    }
    store<u32>(to + at + 4, count + load<u32>(above + at + 4))
  }
}

// Luma and the first average, along rows: four rows at a time, one lane each.

import { LANES, lowByte, lumaOf, pixelsAt, storeTransposed } from './lanes'
import { brightness, divisors, line, rowAhead, rowAt, rowWindow, width } from './pdq-memory'

/**
 * Computes the luma of the four rows of pixels at `from`, and its average along rows, which it stores in the ring. Also adds up brightness, for
 * `addBlocks`.
 * @param kind the number of channels. It is a constant at each call, so that the compiler makes a loop for each. Passing it on to more functions made
 *   the loop slower by a quarter.
 * @param y the first of the four rows.
 */
@inline
export function averageRows(kind: i32, from: usize, y: i32): void {
  const rowBytes = <usize>(width * kind)
  const window = <usize>rowWindow << 4
  const inverse = f32x4.splat(1.0 / <f32>rowWindow)
  const divisor = f32x4.splat(<f32>rowWindow)
  const exact = (rowWindow & (rowWindow - 1)) == 0 // a power of two
  const back = <usize>rowAhead << 2
  const out0 = rowAt(y) - back
  const out1 = rowAt(y + 1) - back
  const out2 = rowAt(y + 2) - back
  const out3 = rowAt(y + 3) - back
  const last = width + rowAhead
  const zero = f32x4.splat(0)
  let sum = zero
  let total = zero
  for (let x = 0; x < last; x += LANES) {
    let c0 = zero, c1 = zero, c2 = zero, c3 = zero
    if (x < width) {
      const at = from + <usize>(x * kind)
      const p0 = pixelsAt(kind, at)
      const p1 = pixelsAt(kind, at + rowBytes)
      const p2 = pixelsAt(kind, at + 2 * rowBytes)
      const p3 = pixelsAt(kind, at + 3 * rowBytes)
      const a = v128.shuffle<i32>(p0, p1, 0, 4, 1, 5)
      const b = v128.shuffle<i32>(p2, p3, 0, 4, 1, 5)
      const c = v128.shuffle<i32>(p0, p1, 2, 6, 3, 7)
      const d = v128.shuffle<i32>(p2, p3, 2, 6, 3, 7)
      c0 = v128.shuffle<i64>(a, b, 0, 2)
      c1 = v128.shuffle<i64>(a, b, 1, 3)
      c2 = v128.shuffle<i64>(c, d, 0, 2)
      c3 = v128.shuffle<i64>(c, d, 1, 3)
      if (x + LANES > width) {
        if (x + 1 >= width) c1 = zero
        if (x + 2 >= width) c2 = zero
        c3 = zero
      }
    }
    const r0 = lowByte(c0), r1 = lowByte(c1), r2 = lowByte(c2), r3 = lowByte(c3)
    let g0 = r0, g1 = r1, g2 = r2, g3 = r3, b0 = r0, b1 = r1, b2 = r2, b3 = r3
    if (kind != 1) {
      g0 = lowByte(i32x4.shr_u(c0, 8))
      g1 = lowByte(i32x4.shr_u(c1, 8))
      g2 = lowByte(i32x4.shr_u(c2, 8))
      g3 = lowByte(i32x4.shr_u(c3, 8))
      b0 = kind == 3 ? i32x4.shr_u(c0, 16) : lowByte(i32x4.shr_u(c0, 16))
      b1 = kind == 3 ? i32x4.shr_u(c1, 16) : lowByte(i32x4.shr_u(c1, 16))
      b2 = kind == 3 ? i32x4.shr_u(c2, 16) : lowByte(i32x4.shr_u(c2, 16))
      b3 = kind == 3 ? i32x4.shr_u(c3, 16) : lowByte(i32x4.shr_u(c3, 16))
    }
    const to = <usize>x << 4
    total = addBrightness(to, total, r0, g0, b0)
    total = addBrightness(to + 16, total, r1, g1, b1)
    total = addBrightness(to + 32, total, r2, g2, b2)
    total = addBrightness(to + 48, total, r3, g3, b3)

    const l0 = lumaOf(kind, r0, g0, b0)
    const l1 = lumaOf(kind, r1, g1, b1)
    const l2 = lumaOf(kind, r2, g2, b2)
    const l3 = lumaOf(kind, r3, g3, b3)
    v128.store(line + to, l0)
    v128.store(line + to, l1, 16)
    v128.store(line + to, l2, 32)
    v128.store(line + to, l3, 48)
    const leaving = line + to - window
    const s0 = f32x4.sub(f32x4.add(sum, l0), v128.load(leaving))
    const s1 = f32x4.sub(f32x4.add(s0, l1), v128.load(leaving, 16))
    const s2 = f32x4.sub(f32x4.add(s1, l2), v128.load(leaving, 32))
    const s3 = f32x4.sub(f32x4.add(s2, l3), v128.load(leaving, 48))
    sum = s3
    storeAverages(x, s0, s1, s2, s3, exact, inverse, divisor, out0, out1, out2, out3)
  }
}

/** Adds a column of pixels to the brightness of those left of it. @returns the new totals of the four rows. */
@inline
function addBrightness(to: usize, left: v128, red: v128, green: v128, blue: v128): v128 {
  const total = i32x4.add(left, i32x4.add(red, i32x4.add(green, blue)))
  v128.store(brightness + to, total, 16)
  return total
}

/** Divides the sums of four columns by the pixels that the window held, and stores the averages in four rows. */
@inline
function storeAverages(
  x: i32, s0: v128, s1: v128, s2: v128, s3: v128, exact: bool, inverse: v128, divisor: v128,
  out0: usize, out1: usize, out2: usize, out3: usize,
): void {
  let q0: v128, q1: v128, q2: v128, q3: v128
  if (x >= rowWindow && x + LANES <= width) {
    if (exact) {
      q0 = f32x4.mul(s0, inverse)
      q1 = f32x4.mul(s1, inverse)
      q2 = f32x4.mul(s2, inverse)
      q3 = f32x4.mul(s3, inverse)
    } else {
      q0 = f32x4.div(s0, divisor)
      q1 = f32x4.div(s1, divisor)
      q2 = f32x4.div(s2, divisor)
      q3 = f32x4.div(s3, divisor)
    }
  } else {
    const by = divisors + (<usize>x << 2)
    q0 = f32x4.div(s0, v128.load32_splat(by))
    q1 = f32x4.div(s1, v128.load32_splat(by, 4))
    q2 = f32x4.div(s2, v128.load32_splat(by, 8))
    q3 = f32x4.div(s3, v128.load32_splat(by, 12))
  }
  const column = <usize>x << 2
  storeTransposed(q0, q1, q2, q3, out0 + column, out1 + column, out2 + column, out3 + column)
}

// Local maxima of Harris's measure, the same as in ../details/corners.ts. Sums of whole numbers are exact in any order.

import { strideOf, take } from './room'

const BORDER: i32 = 19
const TRACE_WEIGHT: f32 = 0.04
const MIN_STRENGTH: f32 = 1e5

let columnXx: usize = 0 // [side] i32: for each column, the sum of products over five rows
let columnYy: usize = 0
let columnXy: usize = 0
let strengths: usize = 0 // f32, of the whole level

export function beginCorners(sidePx: i32): void {
  const rowBytes = <usize>(sidePx + 16) << 2
  columnXx = take(rowBytes)
  columnYy = take(rowBytes)
  columnXy = take(rowBytes)
  strengths = take(<usize>(sidePx * sidePx) << 2)
}

/** Writes corners of 8 bytes each from `to` on. @returns their number. */
export function cornersOfLevel(luma: usize, width: i32, height: i32, to: usize): i32 {
  const stride = strideOf(width)
  const rowBytes = <usize>(width + 16) << 2
  memory.fill(columnXx, 0, rowBytes)
  memory.fill(columnYy, 0, rowBytes)
  memory.fill(columnXy, 0, rowBytes)
  const first = BORDER - 2
  const end = height - BORDER + 2
  if (end - first < 5 || width < 2 * BORDER + 1) return 0
  for (let row = first - 2; row <= first + 2; row++) addRow(luma + <usize>row * stride, stride, width)
  strengthsOf(width, strengths + (<usize>(first * width) << 2))
  for (let y = first + 1; y < end; y++) {
    moveDown(luma + <usize>(y - 3) * stride, luma + <usize>(y + 2) * stride, stride, width)
    strengthsOf(width, strengths + (<usize>(y * width) << 2))
  }
  let count: usize = 0
  for (let y = BORDER; y < height - BORDER; y++) {
    const row = strengths + (<usize>(y * width) << 2)
    for (let x = BORDER; x < width - BORDER; x += 4) {
      // Lanes beyond the last column are ignored.
      let found = likelyMaxima(row + (<usize>x << 2), width) & ((1 << min(4, width - BORDER - x)) - 1)
      for (; found != 0; found &= found - 1) {
        const column = x + ctz(found)
        const at = row + (<usize>column << 2)
        const strength = load<f32>(at)
        if (!isMaximum(at, strength, width)) continue
        store<u16>(to + (count << 3), <u16>column)
        store<u16>(to + (count << 3), <u16>y, 2)
        store<f32>(to + (count << 3), strength, 4)
        count++
      }
    }
  }
  return <i32>count
}

/** Adds the products of one row of differences, eight at a time. Columns before 16 are not needed. */
@inline
function addRow(row: usize, stride: usize, width: i32): void {
  for (let x: usize = 8; x + 9 <= <usize>width; x += 8) {
    const across = acrossAt(row + x)
    const down = downAt(row + x, stride)
    const at = x << 2
    addTo(columnXx + at, i32x4.extmul_low_i16x8_s(across, across))
    addTo(columnXx + at + 16, i32x4.extmul_high_i16x8_s(across, across))
    addTo(columnYy + at, i32x4.extmul_low_i16x8_s(down, down))
    addTo(columnYy + at + 16, i32x4.extmul_high_i16x8_s(down, down))
    addTo(columnXy + at, i32x4.extmul_low_i16x8_s(across, down))
    addTo(columnXy + at + 16, i32x4.extmul_high_i16x8_s(across, down))
  }
}

/** Moves the window of five rows down by one: subtracts the products of the top row and adds those of the next. */
@inline
function moveDown(topmost: usize, next: usize, stride: usize, width: i32): void {
  for (let x: usize = 8; x + 9 <= <usize>width; x += 8) {
    const a = acrossAt(next + x), d = downAt(next + x, stride)
    const b = acrossAt(topmost + x), e = downAt(topmost + x, stride)
    const at = x << 2
    addTo(columnXx + at, i32x4.sub(i32x4.extmul_low_i16x8_s(a, a), i32x4.extmul_low_i16x8_s(b, b)))
    addTo(columnXx + at + 16, i32x4.sub(i32x4.extmul_high_i16x8_s(a, a), i32x4.extmul_high_i16x8_s(b, b)))
    addTo(columnYy + at, i32x4.sub(i32x4.extmul_low_i16x8_s(d, d), i32x4.extmul_low_i16x8_s(e, e)))
    addTo(columnYy + at + 16, i32x4.sub(i32x4.extmul_high_i16x8_s(d, d), i32x4.extmul_high_i16x8_s(e, e)))
    addTo(columnXy + at, i32x4.sub(i32x4.extmul_low_i16x8_s(a, d), i32x4.extmul_low_i16x8_s(b, e)))
    addTo(columnXy + at + 16, i32x4.sub(i32x4.extmul_high_i16x8_s(a, d), i32x4.extmul_high_i16x8_s(b, e)))
  }
}

@inline
function acrossAt(from: usize): v128 {
  return i16x8.sub(v128.load8x8_u(from + 1), v128.load8x8_u(from - 1))
}

@inline
function downAt(from: usize, stride: usize): v128 {
  return i16x8.sub(v128.load8x8_u(from + stride), v128.load8x8_u(from - stride))
}

@inline
function addTo(at: usize, products: v128): void {
  v128.store(at, i32x4.add(v128.load(at), products))
}

@inline
function strengthsOf(width: i32, to: usize): void {
  const weight = f32x4.splat(TRACE_WEIGHT)
  for (let x: usize = 16; x < <usize>(width - 16); x += 4) {
    const xx = window(columnXx + (x << 2))
    const yy = window(columnYy + (x << 2))
    const xy = window(columnXy + (x << 2))
    const determinant = f32x4.sub(f32x4.mul(xx, yy), f32x4.mul(xy, xy))
    const trace = f32x4.add(xx, yy)
    v128.store(to + (x << 2), f32x4.sub(determinant, f32x4.mul(weight, f32x4.mul(trace, trace))))
  }
}

@inline
function window(at: usize): v128 {
  const sides = i32x4.add(i32x4.add(v128.load(at - 8), v128.load(at - 4)), i32x4.add(v128.load(at + 4), v128.load(at + 8)))
  return f32x4.convert_i32x4_s(i32x4.add(sides, v128.load(at)))
}

/** A quick filter: which of four points are strong enough and stronger than their four neighbours. Only these are checked fully. */
@inline
function likelyMaxima(at: usize, width: i32): i32 {
  const stride = <usize>width << 2
  const own = v128.load(at)
  const across = v128.and(f32x4.gt(own, v128.load(at - 4)), f32x4.ge(own, v128.load(at + 4)))
  const down = v128.and(f32x4.gt(own, v128.load(at - stride)), f32x4.ge(own, v128.load(at + stride)))
  return i32x4.bitmask(v128.and(f32x4.gt(own, f32x4.splat(MIN_STRENGTH)), v128.and(across, down)))
}

/** Of equal neighbours, the first in reading order is the maximum. */
@inline
function isMaximum(at: usize, own: f32, width: i32): bool {
  const stride = <usize>width << 2
  const before = at - 2 * stride
  const after = at + 2 * stride
  for (let i = -2; i <= 2; i++) {
    const offset = <usize>(i << 2)
    if (load<f32>(at - stride + offset) >= own || load<f32>(at + stride + offset) > own) return false
    if (load<f32>(before + offset) >= own || load<f32>(after + offset) > own) return false
  }
  return !(load<f32>(at - 8) >= own || load<f32>(at - 4) >= own || load<f32>(at + 4) > own || load<f32>(at + 8) > own)
}

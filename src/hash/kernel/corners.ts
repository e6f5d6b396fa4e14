// Local maxima of Harris's measure (../details/corners.ts). Sums of whole numbers are exact in whatever order.

import { strideOf, take } from './room'

const BORDER: i32 = 19
const TRACE_WEIGHT: f32 = 0.04
const LEAST_STRENGTH: f32 = 1e5

let columnXx: usize = 0 // [side] i32: of each column, the products of five rows
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

/** @returns how many there are; 8 bytes each from `to` on. */
export function cornersOfLevel(luma: usize, width: i32, height: i32, to: usize): i32 {
  const stride = strideOf(width)
  const rowBytes = <usize>(width + 16) << 2
  memory.fill(columnXx, 0, rowBytes)
  memory.fill(columnYy, 0, rowBytes)
  memory.fill(columnXy, 0, rowBytes)
  const first = BORDER - 2
  const end = height - BORDER + 2
  if (end - first < 5 || width < 2 * BORDER + 1) return 0
  for (let row = first - 2; row < first + 2; row++) addRow(luma + <usize>row * stride, stride, width, false)
  for (let y = first; y < end; y++) {
    addRow(luma + <usize>(y + 2) * stride, stride, width, false)
    strengthsOf(width, strengths + (<usize>(y * width) << 2))
    addRow(luma + <usize>(y - 2) * stride, stride, width, true)
  }
  let count: usize = 0
  for (let y = BORDER; y < height - BORDER; y++) {
    const row = strengths + (<usize>(y * width) << 2)
    for (let x = BORDER; x < width - BORDER; x++) {
      const at = row + (<usize>x << 2)
      const strength = load<f32>(at)
      if (!(strength > LEAST_STRENGTH) || !isMaximum(at, strength, width)) continue
      store<u16>(to + (count << 3), <u16>x)
      store<u16>(to + (count << 3), <u16>y, 2)
      store<f32>(to + (count << 3), strength, 4)
      count++
    }
  }
  return <i32>count
}

/** The products of one row of differences, eight at a time; columns beyond 15 are all that is asked for. */
@inline
function addRow(row: usize, stride: usize, width: i32, takes: bool): void {
  for (let x: usize = 8; x + 9 <= <usize>width; x += 8) {
    const from = row + x
    const across = i16x8.sub(v128.load8x8_u(from + 1), v128.load8x8_u(from - 1))
    const down = i16x8.sub(v128.load8x8_u(from + stride), v128.load8x8_u(from - stride))
    const at = x << 2
    addTo(columnXx + at, i32x4.extmul_low_i16x8_s(across, across), takes)
    addTo(columnXx + at + 16, i32x4.extmul_high_i16x8_s(across, across), takes)
    addTo(columnYy + at, i32x4.extmul_low_i16x8_s(down, down), takes)
    addTo(columnYy + at + 16, i32x4.extmul_high_i16x8_s(down, down), takes)
    addTo(columnXy + at, i32x4.extmul_low_i16x8_s(across, down), takes)
    addTo(columnXy + at + 16, i32x4.extmul_high_i16x8_s(across, down), takes)
  }
}

@inline
function addTo(at: usize, products: v128, takes: bool): void {
  v128.store(at, takes ? i32x4.sub(v128.load(at), products) : i32x4.add(v128.load(at), products))
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

/** Of equals the first in reading order is the maximum. */
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

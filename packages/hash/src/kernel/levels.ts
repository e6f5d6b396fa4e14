// Computes a part of a picture at one size, smoothed: the same bits as ../details/level.ts.

import { strideOf, take } from './room'

let sums: usize = 0
let tableStride: usize = 0
let tableWidth: i32 = 0
let tableHeight: i32 = 0
// A border between two pixels of the level lies within a column of the table. Borders are processed in pairs. For each pair, `shares` and `above`
// have four numbers: two for the columns in which the borders lie, then two for the columns to their right.
let columns: usize = 0 // [side + 2] u32: for each border, the byte offset of its column in a row of the table
let shares: usize = 0 // [2 × (side + 2)] f64: how much each of these columns counts
let above: usize = 0 // [2 × (side + 2)] f64: sums of these columns down to the upper border of the current row
let padded: usize = 0 // a row with its ends repeated
let across: usize = 0 // the level, smoothed one way

export function beginLevels(sumsAt: usize, width: i32, height: i32, sidePx: i32): void {
  sums = sumsAt
  tableWidth = width
  tableHeight = height
  tableStride = <usize>(width + 1) << 2
  columns = take(<usize>(sidePx + 2) << 2)
  shares = take(<usize>(sidePx + 2) << 4)
  above = take(<usize>(sidePx + 2) << 4)
  padded = take(<usize>sidePx + 32)
  across = take(<usize>sidePx * strideOf(sidePx))
}

export function sampleLevel(left: f64, top: f64, right: f64, bottom: f64, width: i32, height: i32, luma: usize): void {
  const acrossPx = (right - left) / <f64>width
  const downPx = (bottom - top) / <f64>height
  const scale = 1 / (acrossPx * downPx)
  for (let x = 0; x <= width + 1; x++) {
    // Repeats the last border, to fill the last pair. The interval between equal borders is empty.
    const place = left + <f64>min(x, width) * acrossPx
    const column = min(tableWidth - 1, <i32>Math.floor(place))
    const share = place - <f64>column
    const at = shares + <usize>((x >> 1) << 5) + <usize>((x & 1) << 3)
    store<u32>(columns + (<usize>x << 2), <u32>column << 2)
    store<f64>(at, 1 - share)
    store<f64>(at, share, 16)
  }
  beginLine(top)
  for (let pair: usize = 0; pair <= <usize>width >> 1; pair++) {
    readSums(pair)
    v128.store(above + (pair << 5), here)
    v128.store(above + (pair << 5), beside, 16)
  }
  const stride = strideOf(width)
  for (let y = 0; y < height; y++) writeRow(top + <f64>(y + 1) * downPx, width, luma + <usize>y * stride, scale)
}

let upper: usize = 0
let lower: usize = 0
let upperShare: v128 = f64x2.splat(0)
let lowerShare: v128 = f64x2.splat(0)

@inline
function beginLine(place: f64): void {
  const row = min(tableHeight - 1, <i32>Math.floor(place))
  const share = place - <f64>row
  upper = sums + <usize>row * tableStride
  lower = upper + tableStride
  upperShare = f64x2.splat(1 - share)
  lowerShare = f64x2.splat(share)
}

let here: v128 = f64x2.splat(0)
let beside: v128 = f64x2.splat(0)

/** Reads sums down to the current line, for a pair of borders: `here` at the columns in which they lie, `beside` at the columns to their right. */
@inline
function readSums(pair: usize): void {
  const first = <usize>load<u32>(columns + (pair << 3))
  const second = <usize>load<u32>(columns + (pair << 3), 4)
  const over = v128.load64_lane(upper + second, v128.load64_zero(upper + first), 1)
  const under = v128.load64_lane(lower + second, v128.load64_zero(lower + first), 1)
  here = f64x2.add(
    f64x2.mul(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(over, over, 0, 2, 0, 2)), upperShare),
    f64x2.mul(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(under, under, 0, 2, 0, 2)), lowerShare),
  )
  beside = f64x2.add(
    f64x2.mul(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(over, over, 1, 3, 1, 3)), upperShare),
    f64x2.mul(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(under, under, 1, 3, 1, 3)), lowerShare),
  )
}

/** Writes the row of pixels between the previous line and the one at `place`. */
function writeRow(place: f64, width: i32, to: usize, scale: f64): void {
  beginLine(place)
  const scales = f64x2.splat(scale)
  const half = f64x2.splat(0.5)
  let last = stripsAt(0)
  store<u8>(to, <u8>(<i32>((f64x2.extract_lane(last, 1) - f64x2.extract_lane(last, 0)) * scale + 0.5)))
  for (let pair: usize = 1; pair <= <usize>width >> 1; pair++) {
    const strips = stripsAt(pair)
    const between = f64x2.sub(strips, v128.shuffle<f64>(last, strips, 1, 2))
    const values = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.mul(between, scales), half))
    store<u16>(to + (pair << 1) - 1, <u16>(i32x4.extract_lane(values, 0) | (i32x4.extract_lane(values, 1) << 8)))
    last = strips
  }
}

@inline
function stripsAt(pair: usize): v128 {
  readSums(pair)
  const at = pair << 5
  const strips = f64x2.add(
    f64x2.mul(f64x2.sub(here, v128.load(above + at)), v128.load(shares + at)),
    f64x2.mul(f64x2.sub(beside, v128.load(above + at, 16)), v128.load(shares + at, 16)),
  )
  v128.store(above + at, here)
  v128.store(above + at, beside, 16)
  return strips
}

/** Smooths the level at `luma`: along rows into `across`, then along columns back into `luma`. */
export function smoothLevel(luma: usize, width: i32, height: i32): void {
  const stride = strideOf(width)
  for (let y = 0; y < height; y++) {
    const row = luma + <usize>y * stride
    memory.copy(padded + 3, row, width)
    memory.fill(padded, load<u8>(row), 3)
    memory.fill(padded + 3 + <usize>width, load<u8>(row + <usize>width - 1), 3)
    const to = across + <usize>y * stride
    for (let x: usize = 0; x < <usize>width; x += 8) {
      const from = padded + x
      store8(to + x, weighted(eight(from), eight(from + 1), eight(from + 2), eight(from + 3), eight(from + 4), eight(from + 5), eight(from + 6)))
    }
  }
  const last = across + <usize>(height - 1) * stride
  for (let y = 0; y < height; y++) {
    const row = across + <usize>y * stride
    const a = max(across, row - 3 * stride), b = max(across, row - 2 * stride), c = max(across, row - stride)
    const e = min(last, row + stride), f = min(last, row + 2 * stride), g = min(last, row + 3 * stride)
    const to = luma + <usize>y * stride
    for (let x: usize = 0; x < <usize>width; x += 8) {
      store8(to + x, weighted(eight(a + x), eight(b + x), eight(c + x), eight(row + x), eight(e + x), eight(f + x), eight(g + x)))
    }
  }
}

@inline
function eight(from: usize): v128 {
  return v128.load8x8_u(from)
}

/** The weighted mean of seven pixels. Its sum is at most 65,408, which fits into unsigned 16 bits. */
@inline
function weighted(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128): v128 {
  const outer = i16x8.mul(i16x8.add(a, g), i16x8.splat(18))
  const middle = i16x8.mul(i16x8.add(b, f), i16x8.splat(34))
  const inner = i16x8.mul(i16x8.add(c, e), i16x8.splat(49))
  const centre = i16x8.add(i16x8.mul(d, i16x8.splat(54)), i16x8.splat(128))
  return i16x8.shr_u(i16x8.add(i16x8.add(outer, middle), i16x8.add(inner, centre)), 8)
}

@inline
function store8(to: usize, values: v128): void {
  v128.store64_lane(to, i8x16.narrow_i16x8_u(values, values), 0)
}

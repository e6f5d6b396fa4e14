// Reduces the picture by averaging areas; the same bits as `averaged` in ../raster.ts.
//
// First adds up rows, two at a time. Each row is multiplied by the share of it that counts, in 1/4096, so sums are whole numbers. Then adds up
// columns in float32, with the colours of one pixel side by side in a vector, in the order of the reference implementation.

import { take } from './room'

const PARTS: f64 = 4096
/** Adding this to a level rounds it to the nearest whole number, which is then in the lowest byte. */
const ROUNDER: f32 = 8388608

let width: i32 = 0
let height: i32 = 0
let channels: i32 = 0
let newWidth: i32 = 0
let newHeight: i32 = 0
let line: usize = 0 // the sums of one row
let parts: usize = 0 // how much each row counts, two rows in a vector
let firsts: usize = 0 // for each border between new columns, the byte offset in `line` of the old column in which it lies
let shares: usize = 0 // for each of these borders, where it lies in that column, 0…1

export function beginReduce(fromWidth: i32, fromHeight: i32, fromChannels: i32, toWidth: i32, toHeight: i32): void {
  width = fromWidth
  height = fromHeight
  channels = fromChannels
  newWidth = toWidth
  newHeight = toHeight
  line = take(<usize>((width + 1) * channels + 16) << 2)
  parts = take(<usize>(height / newHeight + 4) << 3)
  firsts = take(<usize>(newWidth + 1) << 2)
  shares = take(<usize>(newWidth + 1) << 2)
  for (let x = 0; x <= newWidth; x++) {
    const at = <i64>x * <i64>width
    store<i32>(firsts + (<usize>x << 2), (<i32>(at / newWidth) * channels) << 2)
    store<f32>(shares + (<usize>x << 2), <f32>(<f64>(at % newWidth) / <f64>newWidth))
  }
}

/** @param strip the picture's rows from number `from` on, as many as row `row` of the result needs. */
export function reduceRow(row: i32, strip: usize, from: i32, to: usize): void {
  const top = borderOf(row)
  const bottom = borderOf(row + 1)
  addRows(top, bottom, strip - <usize>(from * width * channels))
  const scale = <f32>(1.0 / (<f64>(bottom - top) * <f64>width / <f64>newWidth))
  if (channels == 1) addAcross(1, scale, to)
  else if (channels == 3) addAcross(3, scale, to)
  else addAcross(4, scale, to)
}

function borderOf(row: i32): i32 {
  return <i32>Math.floor((<f64>row * <f64>height * PARTS) / <f64>newHeight + 0.5)
}

function addRows(top: i32, bottom: i32, pixels: usize): void {
  const rowBytes = <usize>(width * channels)
  const first = top >> 12
  const last = (bottom - 1) >> 12
  for (let y = first; y <= last; y += 2) {
    const other = y < last ? partOf(y + 1, top, bottom) << 16 : 0
    v128.store(parts + (<usize>(y - first) << 3), i32x4.splat(partOf(y, top, bottom) | other))
  }
  const from = pixels + <usize>first * rowBytes
  for (let k: usize = 0; k < rowBytes; k += 16) {
    let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    let at = from + k
    for (let y = first, part = parts; y <= last; y += 2, part += 16) {
      const a = v128.load(at)
      const b = v128.load(at + (y < last ? rowBytes : 0))
      const low = v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
      const high = v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
      const by = v128.load(part)
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(low), by))
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(low), by))
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(high), by))
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(high), by))
      at += 2 * rowBytes
    }
    const to = line + (k << 2)
    v128.store(to, f32x4.convert_i32x4_s(s0))
    v128.store(to, f32x4.convert_i32x4_s(s1), 16)
    v128.store(to, f32x4.convert_i32x4_s(s2), 32)
    v128.store(to, f32x4.convert_i32x4_s(s3), 48)
  }
}

@inline
function partOf(y: i32, top: i32, bottom: i32): i32 {
  return min(bottom, (y + 1) << 12) - max(top, y << 12)
}

/**
 * Each pixel writes four bytes, the fourth of which the next pixel overwrites. The number of whole pixels in a cell varies by one, and branch
 * prediction cannot learn how. So the larger number is always read, and a pixel outside the cell gets the weight 0.
 */
@inline
function addAcross(kind: i32, scale: f32, to: usize): void {
  const pixel = <usize>kind << 2
  const most = (width - 1) / newWidth
  const scales = f32x4.splat(scale)
  const rounder = f32x4.splat(ROUNDER)
  const ones = f32x4.splat(1)
  let at = line
  let share = f32x4.splat(0)
  for (let x = 1; x <= newWidth; x++) {
    const last = line + <usize>load<i32>(firsts + (<usize>x << 2))
    let sum = f32x4.mul(f32x4.sub(ones, share), coloursAt(kind, at))
    for (let whole = 0; whole < most; whole++) {
      at += pixel
      sum = f32x4.add(sum, v128.and(coloursAt(kind, at), i32x4.splat(at < last ? -1 : 0)))
    }
    share = v128.load32_splat(shares + (<usize>x << 2))
    sum = f32x4.add(sum, f32x4.mul(share, coloursAt(kind, last)))
    at = last
    const levels = f32x4.add(f32x4.mul(sum, scales), rounder)
    const packed = i8x16.swizzle(levels, i8x16(0, 4, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1))
    store<i32>(to, i32x4.extract_lane(packed, 0))
    to += 3
  }
}

@inline
function coloursAt(kind: i32, at: usize): v128 {
  return kind == 1 ? v128.load32_splat(at) : v128.load(at)
}

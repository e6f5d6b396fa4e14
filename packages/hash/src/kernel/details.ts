// Corners of a picture and descriptors of their patches: the same bits as details/level.ts, corners.ts and describe.ts.

import { cornersOfLevel, beginCorners } from './corners'
import { beginLevels, sampleLevel, smoothLevel } from './levels'
import { clear, strideOf, take } from './room'

const LEVELS: i32 = 6
const DISC_REACH: i32 = 15
const POINTS_BYTES: usize = 1024 // of one angle: 512 points

/** [2 × 64 × 512 × 2] i8: `ROTATED_PATTERN`, written once by the loader. */
const patterns = memory.data(131072, 16)
const MIRRORED: usize = 65536

let width: i32 = 0
let sums: usize = 0
let strip: usize = 0
let stripRows: i32 = 0
let channels: i32 = 0
let described: usize = 0

/** [6] u32 each. */
const lumas = memory.data(LEVELS * 4, 16)
const widths = memory.data(LEVELS * 4, 16)
const corners = memory.data(LEVELS * 4, 16)

export function patternsAt(): usize {
  return patterns
}

/**
 * Prepares for a picture and views of it with sides of at most `sidePx`. The loader has checked the sizes.
 * @returns how many rows of pixels to write before each call of `addRows`.
 */
export function begin(pictureWidth: i32, pictureHeight: i32, pictureChannels: i32, sidePx: i32): i32 {
  width = pictureWidth
  channels = pictureChannels
  const rowBytes = pictureWidth * pictureChannels
  stripRows = max(1, 65536 / rowBytes)
  strip = take(<usize>(stripRows * rowBytes))
  sums = take(<usize>((pictureWidth + 1) * (pictureHeight + 1)) << 2)
  described = take(32)
  beginLevels(sums, pictureWidth, pictureHeight, sidePx)
  beginCorners(sidePx)
  for (let i = 0; i < LEVELS; i++) {
    // All levels get the room of the largest, which wastes a megabyte.
    put(lumas, i, <u32>take(<usize>sidePx * strideOf(sidePx)))
    put(corners, i, <u32>take(<usize>(sidePx * sidePx)))
  }
  return stripRows
}

export function stripAt(): usize {
  return strip
}

/** Adds the rows at `stripAt()` to the table; `first` is their first row in the picture. */
export function addRows(first: i32, rows: i32): void {
  const stride = <usize>(width + 1) << 2
  const green = <usize>(channels == 1 ? 0 : 1)
  const blue = <usize>(channels == 1 ? 0 : 2)
  let at = strip
  for (let row = 0; row < rows; row++) {
    const above = sums + <usize>(first + row) * stride
    let line: u32 = 0
    let to = above + stride
    for (let x = 0; x < width; x++) {
      line += (77 * <u32>load<u8>(at) + 150 * <u32>load<u8>(at + green) + 29 * <u32>load<u8>(at + blue) + 128) >> 8
      at += channels
      to += 4
      store<u32>(to, line + load<u32>(to - stride))
    }
  }
}

/** Computes a level. @returns its number of corners, which are at `cornersAt`. */
export function computeLevel(level: i32, left: f64, top: f64, right: f64, bottom: f64, levelWidth: i32, levelHeight: i32): i32 {
  put(widths, level, <u32>levelWidth)
  const luma = <usize>entry(lumas, level)
  sampleLevel(left, top, right, bottom, levelWidth, levelHeight, luma)
  smoothLevel(luma, levelWidth, levelHeight)
  return cornersOfLevel(luma, levelWidth, levelHeight, <usize>entry(corners, level))
}

/** 8 bytes a corner: u16 x, u16 y, f32 strength. */
export function cornersAt(level: i32): usize {
  return <usize>entry(corners, level)
}

/** The level's smoothed luma, rows of `strideOf` its width. */
export function lumaAt(level: i32): usize {
  return <usize>entry(lumas, level)
}

let momentY: i32 = 0

/** @returns the horizontal moment; `momentDown` returns the vertical one. */
export function moments(level: i32, x: i32, y: i32): i32 {
  const stride = strideOf(<i32>entry(widths, level))
  const centre = <usize>entry(lumas, level) + <usize>y * stride + <usize>x
  let momentX: i32 = 0
  momentY = 0
  for (let j = -DISC_REACH; j <= DISC_REACH; j++) {
    const reach = <i32>Math.floor(Math.sqrt(<f64>((2 * DISC_REACH + 1) * (2 * DISC_REACH + 1)) / 4 - <f64>(j * j)))
    const row = centre + <usize>(j * <i32>stride)
    let sum: i32 = 0
    for (let i = -reach; i <= reach; i++) {
      const value = <i32>load<u8>(row + <usize>i)
      momentX += i * value
      sum += value
    }
    momentY += j * sum
  }
  return momentX
}

export function momentDown(): i32 {
  return momentY
}

/** @returns the address of the descriptor's 32 bytes, valid until the next call. */
export function describe(level: i32, x: i32, y: i32, angle: i32, mirrored: i32): usize {
  const stride = strideOf(<i32>entry(widths, level))
  const centre = <usize>entry(lumas, level) + <usize>y * stride + <usize>x
  let point = patterns + (mirrored ? MIRRORED : 0) + <usize>angle * POINTS_BYTES
  for (let byte: usize = 0; byte < 32; byte++) {
    let bits: u32 = 0
    for (let bit: u32 = 0; bit < 8; bit++) {
      const first = load<u8>(centre + <usize>(<i32>load<i8>(point, 1) * <i32>stride + <i32>load<i8>(point)))
      const second = load<u8>(centre + <usize>(<i32>load<i8>(point, 3) * <i32>stride + <i32>load<i8>(point, 2)))
      bits |= u32(first < second) << bit
      point += 4
    }
    store<u8>(described + byte, <u8>bits)
  }
  return described
}

export function wipe(): void {
  clear()
}

@inline
function entry(list: usize, level: i32): u32 {
  return load<u32>(list + (<usize>level << 2))
}

@inline
function put(list: usize, level: i32, value: u32): void {
  store<u32>(list + (<usize>level << 2), value)
}

// Measures a raster for frame removal and for averaging parts, in one pass over its rows.
//
// Besides the raster's pixels, the kernel stores edge maps (a byte per pixel, because that is faster than a bit) and two summed-area tables. Of
// colours, steps and luma it stores only the rows that are being compared.

import { beginReduce, reduceRow } from './reduce'
import { clear, MARGIN, strideOf, take } from './room'
import { countAlong, scoreStretches, transpose } from './stretches'
import { largestStep, splitColours, markColumnEdges, markRowEdges } from './steps'
import { countRow, storeLuma, sumRow } from './tables'

const STRIP_BYTES: i32 = 65536
const RING: i32 = 8

let width: i32 = 0
let height: i32 = 0
let stride: usize = 0
let transposedStride: usize = 0

let strip: usize = 0
let rgb: usize = 0
let colours: usize = 0 // a ring of rows: red, green, blue
let lumas: usize = 0 // a ring of rows
let stepsAcross: usize = 0 // of one row
let stepsDown: usize = 0 // a ring of rows
let zeros: usize = 0 // a row of zeros
let columnEdges: usize = 0 // edges along columns
let rowEdges: usize = 0 // edges along rows
let transposedRowEdges: usize = 0 // the same, rows as columns
let scores: usize = 0
let edges: usize = 0
let sums: usize = 0
let counts: usize = 0

/**
 * Prepares for a picture. The loader has checked the sizes.
 * @returns how many rows of the raster to pass to each call of `reduce`.
 */
export function begin(fromWidth: i32, fromHeight: i32, channels: i32, toWidth: i32, toHeight: i32): i32 {
  width = toWidth
  height = toHeight
  stride = strideOf(width)
  transposedStride = strideOf(height)
  const longest = <usize>max(width, height)
  const rowBytes = fromWidth * channels
  const rowsForOne = (fromHeight + height - 1) / height + 1
  const rows = max(1, STRIP_BYTES / (rowBytes * rowsForOne))
  strip = take(<usize>(rows * rowsForOne) * <usize>rowBytes)
  beginReduce(fromWidth, fromHeight, channels, width, height)
  rgb = take(<usize>(3 * width * height) + 48)
  colours = take(<usize>(2 * 3) * stride)
  lumas = take(<usize>(4 * 4) * stride)
  stepsAcross = take(stride + MARGIN)
  stepsDown = take(<usize>RING * stride)
  zeros = take(stride)
  columnEdges = take(<usize>height * stride)
  rowEdges = take(<usize>(height + 8) * stride)
  transposedRowEdges = take(<usize>(width + 8) * transposedStride)
  scores = take(2 * longest + 32)
  edges = take(2 * longest + 2)
  sums = take(<usize>((width + 1) * (height + 1)) << 3)
  counts = take(<usize>((width + 1) * (height + 1)) << 2)
  return rows
}

export function stripAt(): usize {
  return strip
}

export function rgbAt(): usize {
  return rgb
}

export function sumsAt(): usize {
  return sums
}

export function countsAt(): usize {
  return counts
}

export function scoresAt(): usize {
  return scores
}

export function edgesAt(): usize {
  return edges
}

/** Computes rows of the raster from the picture's rows at `stripAt()`; `from` is the first. Call in order: each row overwrites a byte of the next. */
export function reduce(row: i32, rows: i32, from: i32): void {
  for (let end = row + rows; row < end; row++) reduceRow(row, strip, from, rgb + <usize>(3 * width * row))
}

/** Measures the raster at `rgbAt()`. */
export function measure(): void {
  for (let y = 0; y < height + 3; y++) {
    if (y < height) measureRow(y)
    if (y > 3 && y - 3 < height) markRow(y - 3)
    if (y > 0 && y <= height) countTexture(y - 1)
  }
  transpose(rowEdges, stride, width, height, transposedRowEdges, transposedStride)
}

export function scoreColumns(): void {
  scoreStretches(columnEdges, stride, width, height, scores)
}

export function scoreRows(): void {
  scoreStretches(transposedRowEdges, transposedStride, height, width, scores)
}

export function countAlongColumn(at: i32): void {
  countAlong(columnEdges, stride, height, at, edges)
}

export function countAlongRow(at: i32): void {
  countAlong(transposedRowEdges, transposedStride, width, at, edges)
}

/** Overwrites all pixels and all that was computed from them. */
export function wipe(): void {
  clear()
}

function measureRow(y: i32): void {
  const here = colours + <usize>(y & 1) * 3 * stride
  const above = colours + <usize>((y & 1) ^ 1) * 3 * stride
  const from = rgb + <usize>(3 * width * y)
  const luma = lumaRow(y)
  const down = stepRow(y)
  for (let x: usize = 0; x < <usize>width; x += 16) {
    splitColours(from + 3 * x, here + x, here + stride + x, here + 2 * stride + x)
    v128.store(stepsAcross + x, largestStep(here + x, here + x - 1, stride))
    v128.store(down + x, y > 0 ? largestStep(here + x, above + x, stride) : i8x16.splat(0))
    storeLuma(here + x, stride, luma + (x << 2))
  }
  store<u8>(stepsAcross, 0)
  v128.store(stepsAcross + <usize>width, i8x16.splat(0))
  v128.store(down + <usize>width, i8x16.splat(0))
  markColumnEdges(stepsAcross, width, columnEdges + <usize>y * stride)
  const sumBytes = <usize>(width + 1) << 3
  sumRow(luma, width, sums + <usize>y * sumBytes, sums + <usize>(y + 1) * sumBytes)
}

function markRow(y: i32): void {
  const above2 = y > 3 ? stepRow(y - 2) : zeros
  const above3 = y > 3 ? stepRow(y - 3) : zeros
  const below = y + 1 < height ? stepRow(y + 1) : zeros
  const below2 = y + 3 < height ? stepRow(y + 2) : zeros
  const below3 = y + 3 < height ? stepRow(y + 3) : zeros
  const to = rowEdges + <usize>y * stride
  markRowEdges(stepRow(y), stepRow(y - 1), below, above2, above3, below2, below3, width, to)
}

function countTexture(y: i32): void {
  const rowBytes = <usize>(width + 1) << 2
  const above = counts + <usize>y * rowBytes
  if (y == 0 || y + 1 == height) memory.copy(above + rowBytes, above, rowBytes)
  else countRow(lumaRow(y), lumaRow(y - 1), lumaRow(y + 1), width, above, above + rowBytes)
}

@inline
function lumaRow(y: i32): usize {
  return lumas + <usize>(y & 3) * 4 * stride
}

@inline
function stepRow(y: i32): usize {
  return stepsDown + <usize>(y & (RING - 1)) * stride
}

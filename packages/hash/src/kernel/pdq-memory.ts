// Holds the size of the current picture and its buffers. The buffers share one block of memory. It is divided anew for each picture and wiped after it.

import { LANES } from './lanes'
import { SIDE } from './samples'

const MIN_STRIP_BYTES: i32 = 32768

export const SAMPLE_AT: usize = memory.data(SIDE * 4, 16)

export let width: i32 = 0
export let height: i32 = 0
export let channels: i32 = 0

// The window along rows and along columns, and how many pixels of it lie after the one whose average it gives.
export let rowWindow: i32 = 0
export let rowAhead: i32 = 0
export let columnWindow: i32 = 0
export let columnAhead: i32 = 0

export let strip: usize = 0 // pixels, as they were given
export let line: usize = 0 // luma of four rows, one vector a column, after a window of zeros
export let line2: usize = 0 // the same for the second average along rows
export let sums: usize = 0 // its running sums
export let divisors: usize = 0 // how many pixels the window holds, at each step along a row
export let brightness: usize = 0 // red + green + blue of four rows, added up from the left
export let zeros: usize = 0 // a row of zeros
export let columnSums: usize = 0 // running sums of the first average along columns
let ring: usize = 0 // the last rows of the first average along rows; row y is at `rowAt(y)`
let ringRows: i32 = 0
let ringStride: usize = 0 // [bytes]
let narrowRing: usize = 0 // the last rows of the second average along rows, of 64 columns
let end: usize = 0 // of the memory in use

/**
 * Divides the memory for a picture of this size, and fills the tables that depend on it alone. Traps when the memory cannot grow.
 * @returns how many rows the strip has room for; a multiple of four.
 */
export function divide(newWidth: i32, newHeight: i32, newChannels: i32): i32 {
  width = newWidth
  height = newHeight
  channels = newChannels
  rowWindow = windowOf(width)
  rowAhead = aheadOf(rowWindow)
  columnWindow = windowOf(height)
  columnAhead = aheadOf(columnWindow)

  const rowBytes = width * channels
  const stripRows = max(LANES, (MIN_STRIP_BYTES / rowBytes) & ~(LANES - 1))
  const columns = (width + rowAhead + 2 * LANES) & ~(LANES - 1)
  const vectors = <usize>columns * 16
  const window = <usize>rowWindow * 16
  ringRows = columnWindow + 2 * LANES
  ringStride = <usize>((rowAhead + 3) & ~3) * 4 + <usize>columns * 4

  end = (__heap_base + 15) & ~15
  strip = take(<usize>(stripRows * rowBytes) + 64) // vectors are read beyond the last pixel
  line = take(window + vectors) + window
  line2 = take(window + vectors) + window
  sums = take(vectors)
  divisors = take(<usize>columns * 4)
  brightness = take(vectors + 16)
  zeros = take(<usize>columns * 4)
  columnSums = take(<usize>columns * 4)
  narrowRing = take(<usize>(columnWindow + 2 * LANES) * SIDE * 4)
  ring = take(<usize>ringRows * ringStride) + <usize>((rowAhead + 3) & ~3) * 4
  const pages = <i32>((end + 65535) >> 16)
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) unreachable()
  wipeBuffers()

  for (let x = 0; x < columns; x++) store<f32>(divisors + (<usize>x << 2), <f32>max(1, heldAt(x, width, rowWindow)))
  for (let j = 0; j < SIDE; j++) store<i32>(SAMPLE_AT + (<usize>j << 2), sampleAt(j, width) + rowAhead)
  return stripRows
}

/** Overwrites the block. */
export function wipeBuffers(): void {
  const start = (__heap_base + 15) & ~15
  memory.fill(start, 0, end - start)
}

function take(bytes: usize): usize {
  const start = end
  end = (end + bytes + 15) & ~15
  return start
}

/** The width of PDQ's box filter for a side of this length: a 128th of it, rounded up. */
function windowOf(length: i32): i32 {
  return (length + 2 * SIDE - 1) / (2 * SIDE)
}

/** How many pixels of a window lie after the one whose average it gives. */
function aheadOf(window: i32): i32 {
  return ((window + 2) >> 1) - 1
}

/** The pixel in the middle of the `index`th of 64 equal parts of a side. */
export function sampleAt(index: i32, length: i32): i32 {
  return ((2 * index + 1) * length) / (2 * SIDE)
}

/** How many pixels of a line the window holds once it has moved on to pixel `entering`, which may lie past the end. */
export function heldAt(entering: i32, length: i32, window: i32): i32 {
  return min(entering, length - 1) - max(-1, entering - window)
}

@inline
export function rowAt(y: i32): usize {
  return ring + <usize>(y % ringRows) * ringStride
}

@inline
export function narrowAt(y: i32): usize {
  return narrowRing + (<usize>(y % (columnWindow + 2 * LANES)) << 8)
}

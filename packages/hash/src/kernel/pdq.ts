// PDQ as a stream: takes four rows of pixels at a time, and stores only the rows that the averages need. The averages are PDQ's Jarosz filter: a
// box along rows and one along columns, twice.
//
// The result must equal that of the reference implementation (../pdq.ts) bit for bit, including the rounding errors of the running float32 sums. So
// every sum adds the same numbers in the same order. Only different sums run in parallel: along rows those of four rows (one lane each, after a 4 × 4
// transposition), along columns those of four columns. Each line has zeros around it, which change no sum. A division by a power of two is replaced
// by a multiplication, which gives the same number. Other divisions stay divisions.
//
//   pixels → luma → average along rows → ring of rows → average along columns
//                 → average along rows, kept at 64 columns → ring → average along columns, kept at 64 rows → samples

import { addBlocks, BLOCKS, wipeBlocks } from './blocks'
import { LANES } from './lanes'
import { averageColumnsOf, beginColumns, wipeColumns } from './pdq-columns'
import { brightness, channels, divide, height, line, strip, width, wipeBuffers } from './pdq-memory'
import { averageRows } from './pdq-rows'
import { HASHES, hashSamples, MATRIX, medianSize, SAMPLES, SIDE, wipeSamples } from './samples'

export { BLOCKS, HASHES, MATRIX, medianSize, SAMPLES, wipeSamples }

let rowsIn: i32 = 0 // rows of pixels read so far

/**
 * Prepares for a picture. The loader has checked the sizes. Traps when the memory cannot grow.
 * @returns how many rows at most to write at `stripAt()` before each `push`; a multiple of four.
 */
export function begin(newWidth: i32, newHeight: i32, newChannels: i32): i32 {
  rowsIn = 0
  beginColumns()
  wipeSums()
  return divide(newWidth, newHeight, newChannels)
}

export function stripAt(): usize {
  return strip
}

/** Processes the rows at `stripAt()`: at most as many as `begin` returned, and a multiple of four except in a picture's last call. */
export function push(rows: i32): void {
  if (width == SIDE && height == SIDE) {
    for (let y = 0; y < rows; y += LANES) sampleRows(strip + <usize>(y * width * channels))
    return
  }
  for (let y = 0; y < rows; y += LANES) {
    const from = strip + <usize>(y * width * channels)
    averageFrom(from)
    addBlocks(brightness, width, height, rowsIn, min(LANES, rows - y))
    rowsIn = min(height, rowsIn + LANES)
    averageColumnsOf(rowsIn)
  }
}

/**
 * Writes eight hashes to `HASHES`, in the order of `transforms`; of a picture that was pushed, or of samples that the loader
 * put to `SAMPLES` itself.
 * @returns the quality.
 */
export function finish(): i32 {
  return hashSamples()
}

/** Overwrites all pixels and all sums of pixels. */
export function wipe(): void {
  wipeBuffers()
  wipeSums()
}

function wipeSums(): void {
  wipeColumns()
  wipeSamples()
  wipeBlocks()
}

@inline
function averageFrom(rows: usize): void {
  if (channels == 3) averageRows(3, rows, rowsIn)
  else if (channels == 4) averageRows(4, rows, rowsIn)
  else averageRows(1, rows, rowsIn)
}

/** A picture of 64 × 64 pixels is not averaged. Its samples are its luma, which `averageRows` leaves in `line`. */
function sampleRows(from: usize): void {
  averageFrom(from)
  addBlocks(brightness, width, height, rowsIn, LANES)
  for (let x = 0; x < SIDE; x++) {
    for (let lane = 0; lane < LANES; lane++) {
      const to = SAMPLES + (<usize>((rowsIn + lane) * SIDE + x) << 2)
      store<f32>(to, load<f32>(line + (<usize>x << 4) + (<usize>lane << 2)))
    }
  }
  rowsIn += LANES
}

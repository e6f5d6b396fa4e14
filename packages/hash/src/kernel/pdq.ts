// PDQ as a stream: takes four rows of pixels at a time, and stores only the rows that the averages need. The averages are PDQ's Jarosz filter: a
// box along rows and one along columns, twice.
//
// The result must equal the oracle's (../pdq.ts) bit for bit, including the rounding errors of the running float32 sums. So every sum adds the same
// numbers in the same order as there. Only different sums run in parallel: along rows those of four rows (one lane each, after a 4 × 4
// transposition), along columns those of four columns. Each line has zeros around it, which change no sum. A division by a power of two is replaced by
// a multiplication, which gives the same number; other divisions stay divisions.
//
//   pixels → luma → average along rows → ring of rows → average along columns
//                 → average along rows, kept at 64 columns → ring → average along columns, kept at 64 rows → samples

import { addBlocks, BLOCKS, wipeBlocks } from './blocks'
import { LANES, lowByte, lumaOf, pixelsAt, storeTransposed } from './lanes'
import { HASHES, hashSamples, MATRIX, medianSize, ROW_BYTES, SAMPLES, SIDE, wipeSamples } from './samples'

export { BLOCKS, HASHES, MATRIX, medianSize, SAMPLES, wipeSamples }

const MIN_STRIP_BYTES: i32 = 32768

const SAMPLE_AT: usize = memory.data(SIDE * 4, 16)
const NARROW_SUM: usize = memory.data(SIDE * 4, 16)

let width: i32 = 0
let height: i32 = 0
let channels: i32 = 0

// The window along rows and along columns, and how many pixels of it lie after the one whose average it gives.
let rowWindow: i32 = 0
let rowAhead: i32 = 0
let columnWindow: i32 = 0
let columnAhead: i32 = 0

let rowsIn: i32 = 0 // rows of pixels taken in
let rowsOut: i32 = 0 // rows that left the first average along columns
let sampleRow: i32 = 0 // the next of the 64 sampled rows

let strip: usize = 0 // pixels, as they were given
let line: usize = 0 // luma of four rows, one vector a column, after a window of zeros
let line2: usize = 0 // the same for the second average along rows
let sums: usize = 0 // its running sums
let divisors: usize = 0 // how many pixels the window holds, at each step along a row
let brightness: usize = 0 // red + green + blue of four rows, added up from the left
let zeros: usize = 0 // a row of zeros
let columnSums: usize = 0 // running sums of the first average along columns
let ring: usize = 0 // the last rows of the first average along rows; row y is at `rowAt(y)`
let ringRows: i32 = 0
let ringStride: usize = 0 // [bytes]
let narrowRing: usize = 0 // the last rows of the second average along rows, of 64 columns
let end: usize = 0 // of the memory in use

/**
 * Prepares for a picture. The loader has checked the sizes. Traps when the memory cannot grow.
 * @returns how many rows at most to write at `stripAt()` before each `push`; a multiple of four.
 */
export function begin(newWidth: i32, newHeight: i32, newChannels: i32): i32 {
  width = newWidth
  height = newHeight
  channels = newChannels
  rowWindow = windowOf(width)
  rowAhead = aheadOf(rowWindow)
  columnWindow = windowOf(height)
  columnAhead = aheadOf(columnWindow)
  rowsIn = rowsOut = sampleRow = 0

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
  wipe()

  for (let x = 0; x < columns; x++) store<f32>(divisors + (<usize>x << 2), <f32>max(1, heldAt(x, width, rowWindow)))
  for (let j = 0; j < SIDE; j++) store<i32>(SAMPLE_AT + (<usize>j << 2), sampleAt(j, width) + rowAhead)
  return stripRows
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
    if (channels == 3) averageRows(3, from)
    else if (channels == 4) averageRows(4, from)
    else averageRows(1, from)
    addBlocks(brightness, width, height, rowsIn, min(LANES, rows - y))
    rowsIn = min(height, rowsIn + LANES)
    // There is no output until the window has its first rows.
    while (rowsIn < height ? rowsOut + LANES + columnAhead <= rowsIn : rowsOut < height) averageColumns()
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
  const start = (__heap_base + 15) & ~15
  memory.fill(start, 0, end - start)
  memory.fill(NARROW_SUM, 0, ROW_BYTES)
  wipeSamples()
  wipeBlocks()
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
function sampleAt(index: i32, length: i32): i32 {
  return ((2 * index + 1) * length) / (2 * SIDE)
}

/** How many pixels of a line the window holds once it has moved on to pixel `entering`, which may lie past the end. */
function heldAt(entering: i32, length: i32, window: i32): i32 {
  return min(entering, length - 1) - max(-1, entering - window)
}

@inline
function rowAt(y: i32): usize {
  return ring + <usize>(y % ringRows) * ringStride
}

/** Computes the luma of four rows and its average along rows, which it stores in the ring. Also sums up brightness, for `addBlocks`. */
@inline
function averageRows(kind: i32, from: usize): void {
  const rowBytes = <usize>(width * kind)
  const window = <usize>rowWindow << 4
  const inverse = f32x4.splat(1.0 / <f32>rowWindow)
  const divisor = f32x4.splat(<f32>rowWindow)
  const exact = (rowWindow & (rowWindow - 1)) == 0 // a power of two
  const back = <usize>rowAhead << 2
  const out0 = rowAt(rowsIn) - back
  const out1 = rowAt(rowsIn + 1) - back
  const out2 = rowAt(rowsIn + 2) - back
  const out3 = rowAt(rowsIn + 3) - back
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
    total = i32x4.add(total, i32x4.add(r0, i32x4.add(g0, b0)))
    v128.store(brightness + to, total, 16)
    total = i32x4.add(total, i32x4.add(r1, i32x4.add(g1, b1)))
    v128.store(brightness + to, total, 32)
    total = i32x4.add(total, i32x4.add(r2, i32x4.add(g2, b2)))
    v128.store(brightness + to, total, 48)
    total = i32x4.add(total, i32x4.add(r3, i32x4.add(g3, b3)))
    v128.store(brightness + to, total, 64)

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
}

/** The next four rows of the average along columns, and at once the second average along rows, kept at 64 columns. */
function averageColumns(): void {
  if (rowsOut == 0) {
    for (let y = 0; y < min(columnAhead, height); y++) {
      for (let x = 0; x < width; x += LANES) {
        const at = columnSums + (<usize>x << 2)
        v128.store(at, f32x4.add(v128.load(at), v128.load(rowAt(y) + (<usize>x << 2))))
      }
    }
  }
  const entering = rowsOut + columnAhead
  const enters0 = entering < height ? rowAt(entering) : zeros
  const enters1 = entering + 1 < height ? rowAt(entering + 1) : zeros
  const enters2 = entering + 2 < height ? rowAt(entering + 2) : zeros
  const enters3 = entering + 3 < height ? rowAt(entering + 3) : zeros
  const leaving = entering - columnWindow
  const leaves0 = leaving >= 0 ? rowAt(leaving) : zeros
  const leaves1 = leaving + 1 >= 0 ? rowAt(leaving + 1) : zeros
  const leaves2 = leaving + 2 >= 0 ? rowAt(leaving + 2) : zeros
  const leaves3 = leaving + 3 >= 0 ? rowAt(leaving + 3) : zeros
  const d0 = f32x4.splat(<f32>max(1, heldAt(entering, height, columnWindow)))
  const d1 = f32x4.splat(<f32>max(1, heldAt(entering + 1, height, columnWindow)))
  const d2 = f32x4.splat(<f32>max(1, heldAt(entering + 2, height, columnWindow)))
  const d3 = f32x4.splat(<f32>max(1, heldAt(entering + 3, height, columnWindow)))
  const inverse = f32x4.splat(1.0 / <f32>columnWindow)
  const whole = leaving >= -1 && entering + 3 < height
  const exact = (columnWindow & (columnWindow - 1)) == 0 && whole
  const window = <usize>rowWindow << 4
  let sum = f32x4.splat(0)
  for (let x = 0; x < width; x += LANES) {
    const at = <usize>x << 2
    const s0 = f32x4.sub(f32x4.add(v128.load(columnSums + at), v128.load(enters0 + at)), v128.load(leaves0 + at))
    const s1 = f32x4.sub(f32x4.add(s0, v128.load(enters1 + at)), v128.load(leaves1 + at))
    const s2 = f32x4.sub(f32x4.add(s1, v128.load(enters2 + at)), v128.load(leaves2 + at))
    const s3 = f32x4.sub(f32x4.add(s2, v128.load(enters3 + at)), v128.load(leaves3 + at))
    v128.store(columnSums + at, s3)
    let q0: v128, q1: v128, q2: v128, q3: v128
    if (exact) {
      q0 = f32x4.mul(s0, inverse)
      q1 = f32x4.mul(s1, inverse)
      q2 = f32x4.mul(s2, inverse)
      q3 = f32x4.mul(s3, inverse)
    } else {
      q0 = f32x4.div(s0, d0)
      q1 = f32x4.div(s1, d1)
      q2 = f32x4.div(s2, d2)
      q3 = f32x4.div(s3, d3)
    }
    const a = v128.shuffle<i32>(q0, q1, 0, 4, 1, 5)
    const b = v128.shuffle<i32>(q2, q3, 0, 4, 1, 5)
    const c = v128.shuffle<i32>(q0, q1, 2, 6, 3, 7)
    const d = v128.shuffle<i32>(q2, q3, 2, 6, 3, 7)
    const c0 = v128.shuffle<i64>(a, b, 0, 2)
    const c1 = v128.shuffle<i64>(a, b, 1, 3)
    const c2 = v128.shuffle<i64>(c, d, 0, 2)
    const c3 = v128.shuffle<i64>(c, d, 1, 3)
    const to = <usize>x << 4
    v128.store(line2 + to, c0)
    v128.store(line2 + to, c1, 16)
    v128.store(line2 + to, c2, 32)
    v128.store(line2 + to, c3, 48)
    const old = line2 + to - window
    const t0 = f32x4.sub(f32x4.add(sum, c0), v128.load(old))
    const t1 = f32x4.sub(f32x4.add(t0, c1), v128.load(old, 16))
    const t2 = f32x4.sub(f32x4.add(t1, c2), v128.load(old, 32))
    sum = f32x4.sub(f32x4.add(t2, c3), v128.load(old, 48))
    v128.store(sums + to, t0)
    v128.store(sums + to, t1, 16)
    v128.store(sums + to, t2, 32)
    v128.store(sums + to, sum, 48)
  }
  keepSamples()
  const rows = min(LANES, height - rowsOut)
  for (let y = 0; y < rows; y++) averageNarrow(rowsOut + y)
  rowsOut += rows
}

@inline
function narrowAt(y: i32): usize {
  return narrowRing + (<usize>(y % (columnWindow + 2 * LANES)) << 8)
}

/**
 * Samples the 64 columns of the four rows whose sums were just computed. At a sampled column the window is never cut off by an
 * end of the row, nor at a sampled row by an end of the column; so the second averages need not go on past the ends.
 */
function keepSamples(): void {
  for (let j = 0; j < SIDE; j += LANES) {
    const at = <usize>j << 2
    storeTransposed(
      sampleOf(at), sampleOf(at + 4), sampleOf(at + 8), sampleOf(at + 12),
      narrowAt(rowsOut) + at, narrowAt(rowsOut + 1) + at, narrowAt(rowsOut + 2) + at, narrowAt(rowsOut + 3) + at,
    )
  }
}

@inline
function sampleOf(at: usize): v128 {
  return f32x4.div(v128.load(sums + (<usize>load<i32>(SAMPLE_AT + at) << 4)), f32x4.splat(<f32>rowWindow))
}

/** The second average along columns, one step. */
function averageNarrow(entering: i32): void {
  for (let at: usize = 0; at < ROW_BYTES; at += 16) {
    let sum = v128.load(NARROW_SUM + at)
    sum = f32x4.add(sum, v128.load(narrowAt(entering) + at))
    if (entering >= columnWindow) sum = f32x4.sub(sum, v128.load(narrowAt(entering - columnWindow) + at))
    v128.store(NARROW_SUM + at, sum)
  }
  const divisor = f32x4.splat(<f32>columnWindow)
  while (sampleRow < SIDE && sampleAt(sampleRow, height) == entering - columnAhead) {
    const to = SAMPLES + (<usize>sampleRow << 8)
    for (let at: usize = 0; at < ROW_BYTES; at += 16) v128.store(to + at, f32x4.div(v128.load(NARROW_SUM + at), divisor))
    sampleRow++
  }
}

/** A picture of 64 × 64 is not averaged: its luma, which `averageRows` leaves in `line`, is the samples. */
function sampleRows(from: usize): void {
  if (channels == 3) averageRows(3, from)
  else if (channels == 4) averageRows(4, from)
  else averageRows(1, from)
  addBlocks(brightness, width, height, rowsIn, LANES)
  for (let x = 0; x < SIDE; x++) {
    for (let lane = 0; lane < LANES; lane++) {
      const to = SAMPLES + (<usize>((rowsIn + lane) * SIDE + x) << 2)
      store<f32>(to, load<f32>(line + (<usize>x << 4) + (<usize>lane << 2)))
    }
  }
  rowsIn += LANES
}

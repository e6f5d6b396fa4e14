// PDQ as a stream: four rows of pixels go in at a time, and never more of the picture is held than its averages need.
//
// The result must equal the oracle's (../pdq.ts) bit for bit, and the rounding errors of the running float32 sums are part
// of it. So sums are never reordered, only taken side by side: along rows for four rows at once (one lane each, after a
// 4 × 4 transposition), along columns for four columns at once. Adding the +0.0 that surrounds every line here changes no
// sum, and a division by a power of two is the same as the multiplication by its inverse; other divisions stay divisions.
//
//   pixels → luma → average along rows → ring of rows → average along columns
//                 → average along rows, kept at 64 columns → ring → average along columns, kept at 64 rows → samples

const SIDE: i32 = 64
const FREQUENCIES: i32 = 16
const LANES: i32 = 4
const ROW_BYTES: usize = <usize>SIDE * 4
const MIN_STRIP_BYTES: i32 = 32768

// Read and written by the loader.
export const MATRIX: usize = memory.data(FREQUENCIES * SIDE * 4, 16)
export const HASHES: usize = memory.data(8 * 32, 16)
export const BLOCKS: usize = memory.data(256 * 8, 16)

const SAMPLES: usize = memory.data(SIDE * SIDE * 4, 16)
const MATRIX_TURNED: usize = memory.data(FREQUENCIES * SIDE * 4, 16)
const HALF: usize = memory.data(FREQUENCIES * SIDE * 4, 16)
const COEFFICIENTS: usize = memory.data(256 * 4, 16)
const SORTED: usize = memory.data(256 * 4, 16)
const SAMPLE_AT: usize = memory.data(SIDE * 4, 16)
const SAMPLE_COUNT: usize = memory.data(SIDE * 4, 16)
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
let zeros: usize = 0 // a row of nothing
let columnSums: usize = 0
let ring: usize = 0
let ringRows: i32 = 0
let ringStride: usize = 0
let narrowRing: usize = 0
let end: usize = 0

/**
 * Prepares for a picture. The sizes have been checked by the loader.
 * @returns how many rows to write at `stripAt()` before each `push`; a multiple of four.
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
  strip = take(<usize>(stripRows * rowBytes) + 64)
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
  for (let j = 0; j < SIDE; j++) {
    const step = sampleAt(j, width) + rowAhead
    store<i32>(SAMPLE_AT + (<usize>j << 2), step)
    store<f32>(SAMPLE_COUNT + (<usize>j << 2), <f32>heldAt(step, width, rowWindow))
    for (let i = 0; i < FREQUENCIES; i++) {
      store<f32>(MATRIX_TURNED + (<usize>(j * FREQUENCIES + i) << 2), load<f32>(MATRIX + (<usize>(i * SIDE + j) << 2)))
    }
  }
  return stripRows
}

export function stripAt(): usize {
  return strip
}

/** Takes in the rows at `stripAt()`. Only the last call of a picture may bring a number that four does not divide. */
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
    addBlocks(min(LANES, rows - y))
    rowsIn = min(height, rowsIn + LANES)
    // Until the window has its first rows nothing comes out.
    while (rowsIn < height ? rowsOut + LANES + columnAhead <= rowsIn : rowsOut < height) averageColumns()
  }
}

/** Writes eight hashes to `HASHES`, in the order of `transforms`. @returns the quality. */
export function finish(): i32 {
  for (let y = height; y < height + columnAhead; y++) averageNarrow(y)
  transformSamples()
  writeHashes()
  return quality()
}

/** Forgets every pixel, and every sum that pixels went into. */
export function wipe(): void {
  const start = (__heap_base + 15) & ~15
  memory.fill(start, 0, end - start)
  memory.fill(SAMPLES, 0, SIDE * SIDE * 4)
  memory.fill(HALF, 0, FREQUENCIES * SIDE * 4)
  memory.fill(COEFFICIENTS, 0, 256 * 4)
  memory.fill(SORTED, 0, 256 * 4)
  memory.fill(NARROW_SUM, 0, SIDE * 4)
  memory.fill(HASHES, 0, 8 * 32)
  memory.fill(BLOCKS, 0, 256 * 8)
}

function take(bytes: usize): usize {
  const start = end
  end = (end + bytes + 15) & ~15
  return start
}

function windowOf(length: i32): i32 {
  return (length + 2 * SIDE - 1) / (2 * SIDE)
}

function aheadOf(window: i32): i32 {
  return ((window + 2) >> 1) - 1
}

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

/** Four pixels of a row as four words, red lowest; what is above blue is to be ignored. */
@inline
function pixelsAt(kind: i32, from: usize): v128 {
  if (kind == 4) return v128.load(from)
  const bytes = v128.load(from)
  if (kind == 3) return v128.shuffle<u8>(bytes, bytes, 0, 1, 2, 15, 3, 4, 5, 15, 6, 7, 8, 15, 9, 10, 11, 15)
  return v128.and(v128.shuffle<u8>(bytes, bytes, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3), i32x4.splat(0xff))
}

@inline
function lumaOf(kind: i32, red: v128, green: v128, blue: v128): v128 {
  if (kind == 1) return f32x4.convert_i32x4_s(red)
  const r = f32x4.mul(f32x4.splat(0.299), f32x4.convert_i32x4_s(red))
  const g = f32x4.mul(f32x4.splat(0.587), f32x4.convert_i32x4_s(green))
  return f32x4.add(f32x4.add(r, g), f32x4.mul(f32x4.splat(0.114), f32x4.convert_i32x4_s(blue)))
}

@inline
function lowByte(words: v128): v128 {
  return v128.and(words, i32x4.splat(0xff))
}

/** Luma and average along rows of four rows, into the ring; the sums for the block totals on the way. */
@inline
function averageRows(kind: i32, from: usize): void {
  const rowBytes = <usize>(width * kind)
  const window = <usize>rowWindow << 4
  const inverse = f32x4.splat(1.0 / <f32>rowWindow)
  const divisor = f32x4.splat(<f32>rowWindow)
  const exact = (rowWindow & (rowWindow - 1)) == 0
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
      b0 = lowByte(i32x4.shr_u(c0, 16))
      b1 = lowByte(i32x4.shr_u(c1, 16))
      b2 = lowByte(i32x4.shr_u(c2, 16))
      b3 = lowByte(i32x4.shr_u(c3, 16))
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
    const a = v128.shuffle<i32>(q0, q1, 0, 4, 1, 5)
    const b = v128.shuffle<i32>(q2, q3, 0, 4, 1, 5)
    const c = v128.shuffle<i32>(q0, q1, 2, 6, 3, 7)
    const d = v128.shuffle<i32>(q2, q3, 2, 6, 3, 7)
    const column = <usize>x << 2
    v128.store(out0 + column, v128.shuffle<i64>(a, b, 0, 2))
    v128.store(out1 + column, v128.shuffle<i64>(a, b, 1, 3))
    v128.store(out2 + column, v128.shuffle<i64>(c, d, 0, 2))
    v128.store(out3 + column, v128.shuffle<i64>(c, d, 1, 3))
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
  const in0 = entering < height ? rowAt(entering) : zeros
  const in1 = entering + 1 < height ? rowAt(entering + 1) : zeros
  const in2 = entering + 2 < height ? rowAt(entering + 2) : zeros
  const in3 = entering + 3 < height ? rowAt(entering + 3) : zeros
  const leaving = entering - columnWindow
  const out0 = leaving >= 0 ? rowAt(leaving) : zeros
  const out1 = leaving + 1 >= 0 ? rowAt(leaving + 1) : zeros
  const out2 = leaving + 2 >= 0 ? rowAt(leaving + 2) : zeros
  const out3 = leaving + 3 >= 0 ? rowAt(leaving + 3) : zeros
  const d0 = f32x4.splat(<f32>max(1, heldAt(entering, height, columnWindow)))
  const d1 = f32x4.splat(<f32>max(1, heldAt(entering + 1, height, columnWindow)))
  const d2 = f32x4.splat(<f32>max(1, heldAt(entering + 2, height, columnWindow)))
  const d3 = f32x4.splat(<f32>max(1, heldAt(entering + 3, height, columnWindow)))
  const inverse = f32x4.splat(1.0 / <f32>columnWindow)
  const exact = (columnWindow & (columnWindow - 1)) == 0 && leaving >= -1 && entering + 3 < height
  const window = <usize>rowWindow << 4
  const zero = f32x4.splat(0)
  let sum = zero
  for (let x = 0; x < width; x += LANES) {
    const at = <usize>x << 2
    const s0 = f32x4.sub(f32x4.add(v128.load(columnSums + at), v128.load(in0 + at)), v128.load(out0 + at))
    const s1 = f32x4.sub(f32x4.add(s0, v128.load(in1 + at)), v128.load(out1 + at))
    const s2 = f32x4.sub(f32x4.add(s1, v128.load(in2 + at)), v128.load(out2 + at))
    const s3 = f32x4.sub(f32x4.add(s2, v128.load(in3 + at)), v128.load(out3 + at))
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
    let c0 = v128.shuffle<i64>(a, b, 0, 2)
    let c1 = v128.shuffle<i64>(a, b, 1, 3)
    let c2 = v128.shuffle<i64>(c, d, 0, 2)
    let c3 = v128.shuffle<i64>(c, d, 1, 3)
    if (x + LANES > width) {
      if (x + 1 >= width) c1 = zero
      if (x + 2 >= width) c2 = zero
      c3 = zero
    }
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
  for (let x = (width + 3) & ~3; x < width + rowAhead; x++) {
    sum = f32x4.sub(sum, v128.load(line2 + (<usize>(x - rowWindow) << 4)))
    v128.store(sums + (<usize>x << 4), sum)
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

/** The 64 sampled columns of the four rows whose sums were just made. */
function keepSamples(): void {
  for (let j = 0; j < SIDE; j += LANES) {
    const at = <usize>j << 2
    const q0 = sampleOf(at)
    const q1 = sampleOf(at + 4)
    const q2 = sampleOf(at + 8)
    const q3 = sampleOf(at + 12)
    const a = v128.shuffle<i32>(q0, q1, 0, 4, 1, 5)
    const b = v128.shuffle<i32>(q2, q3, 0, 4, 1, 5)
    const c = v128.shuffle<i32>(q0, q1, 2, 6, 3, 7)
    const d = v128.shuffle<i32>(q2, q3, 2, 6, 3, 7)
    v128.store(narrowAt(rowsOut) + at, v128.shuffle<i64>(a, b, 0, 2))
    v128.store(narrowAt(rowsOut + 1) + at, v128.shuffle<i64>(a, b, 1, 3))
    v128.store(narrowAt(rowsOut + 2) + at, v128.shuffle<i64>(c, d, 0, 2))
    v128.store(narrowAt(rowsOut + 3) + at, v128.shuffle<i64>(c, d, 1, 3))
  }
}

@inline
function sampleOf(at: usize): v128 {
  return f32x4.div(v128.load(sums + (<usize>load<i32>(SAMPLE_AT + at) << 4)), v128.load32_splat(SAMPLE_COUNT + at))
}

/** The second average along columns, one step; `entering` may lie past the last row. */
function averageNarrow(entering: i32): void {
  const incoming = entering < height ? narrowAt(entering) : zeros
  const leaving = entering >= columnWindow ? narrowAt(entering - columnWindow) : zeros
  const some = entering < height
  const full = entering >= columnWindow
  for (let at: usize = 0; at < ROW_BYTES; at += 16) {
    let sum = v128.load(NARROW_SUM + at)
    if (some) sum = f32x4.add(sum, v128.load(incoming + at))
    if (full) sum = f32x4.sub(sum, v128.load(leaving + at))
    v128.store(NARROW_SUM + at, sum)
  }
  const divisor = f32x4.splat(<f32>heldAt(entering, height, columnWindow))
  while (sampleRow < SIDE && sampleAt(sampleRow, height) == entering - columnAhead) {
    const to = SAMPLES + (<usize>sampleRow << 8)
    for (let at: usize = 0; at < ROW_BYTES; at += 16) v128.store(to + at, f32x4.div(v128.load(NARROW_SUM + at), divisor))
    sampleRow++
  }
}

/** A picture of 64 × 64 is not averaged. */
function sampleRows(from: usize): void {
  if (channels == 3) averageRows(3, from)
  else if (channels == 4) averageRows(4, from)
  else averageRows(1, from)
  addBlocks(LANES)
  for (let x = 0; x < SIDE; x++) {
    for (let lane = 0; lane < LANES; lane++) {
      const to = SAMPLES + (<usize>((rowsIn + lane) * SIDE + x) << 2)
      store<f32>(to, load<f32>(line + (<usize>x << 4) + (<usize>lane << 2)))
    }
  }
  rowsIn += LANES
}

/**
 * Adds four rows to the totals of the 16 × 16 blocks that blockhash compares. A pixel that a border cuts counts for each
 * side by its part: borders lie at sixteenths of a pixel, so the totals are whole numbers of 1/256 and no sum rounds.
 */
function addBlocks(rows: i32): void {
  for (let block = 0; block < 16; block++) {
    const part = i32x4.sub(brightnessBefore((block + 1) * width), brightnessBefore(block * width))
    addToBlock(block, 0, rows, i32x4.extract_lane(part, 0))
    addToBlock(block, 1, rows, i32x4.extract_lane(part, 1))
    addToBlock(block, 2, rows, i32x4.extract_lane(part, 2))
    addToBlock(block, 3, rows, i32x4.extract_lane(part, 3))
  }
}

/** Sixteen times the brightness left of a place given in sixteenths of a pixel. */
@inline
function brightnessBefore(sixteenths: i32): v128 {
  const at = brightness + (<usize>(sixteenths >> 4) << 4)
  const whole = v128.load(at)
  const cut = i32x4.sub(v128.load(at, 16), whole)
  return i32x4.add(i32x4.shl(whole, 4), i32x4.mul(cut, i32x4.splat(sixteenths & 15)))
}

@inline
function addToBlock(block: i32, lane: i32, rows: i32, value: i32): void {
  if (lane >= rows) return
  const top = (rowsIn + lane) << 4
  const first = top / height
  const border = (first + 1) * height
  const above = min(16, border - top)
  const at = BLOCKS + (<usize>(first * 16 + block) << 3)
  store<f64>(at, load<f64>(at) + <f64>value * <f64>above)
  if (above < 16) store<f64>(at, load<f64>(at, 128) + <f64>value * <f64>(16 - above), 128)
}

function quality(): i32 {
  const hundred = f32x4.splat(100)
  const white = f32x4.splat(255)
  let total = i32x4.splat(0)
  for (let at: usize = 0; at < ROW_BYTES * <usize>(SIDE - 1); at += 16) {
    const difference = f32x4.sub(v128.load(SAMPLES + at), v128.load(SAMPLES + at, SIDE * 4))
    const steps = i32x4.trunc_sat_f32x4_s(f32x4.div(f32x4.mul(difference, hundred), white))
    total = i32x4.add(total, i32x4.abs(steps))
  }
  let sum =
    i32x4.extract_lane(total, 0) + i32x4.extract_lane(total, 1) + i32x4.extract_lane(total, 2) + i32x4.extract_lane(total, 3)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE - 1; x++) {
      const at = SAMPLES + (<usize>(y * SIDE + x) << 2)
      sum += abs(<i32>(((load<f32>(at) - load<f32>(at, 4)) * 100) / 255))
    }
  }
  return min(100, sum / 90)
}

/** Each product is rounded, then each sum, in the order of k: lanes are different columns. */
function transformSamples(): void {
  for (let i: usize = 0; i < <usize>FREQUENCIES; i++) {
    for (let j: usize = 0; j < ROW_BYTES; j += 64) {
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
      for (let k: usize = 0; k < <usize>SIDE; k++) {
        const factor = v128.load32_splat(MATRIX + (i << 8) + (k << 2))
        const at = SAMPLES + (k << 8) + j
        s0 = f32x4.add(s0, f32x4.mul(factor, v128.load(at)))
        s1 = f32x4.add(s1, f32x4.mul(factor, v128.load(at, 16)))
        s2 = f32x4.add(s2, f32x4.mul(factor, v128.load(at, 32)))
        s3 = f32x4.add(s3, f32x4.mul(factor, v128.load(at, 48)))
      }
      const to = HALF + (i << 8) + j
      v128.store(to, s0)
      v128.store(to, s1, 16)
      v128.store(to, s2, 32)
      v128.store(to, s3, 48)
    }
  }
  for (let i: usize = 0; i < <usize>FREQUENCIES; i++) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    for (let k: usize = 0; k < <usize>SIDE; k++) {
      const factor = v128.load32_splat(HALF + (i << 8) + (k << 2))
      const at = MATRIX_TURNED + (k << 6)
      s0 = f32x4.add(s0, f32x4.mul(factor, v128.load(at)))
      s1 = f32x4.add(s1, f32x4.mul(factor, v128.load(at, 16)))
      s2 = f32x4.add(s2, f32x4.mul(factor, v128.load(at, 32)))
      s3 = f32x4.add(s3, f32x4.mul(factor, v128.load(at, 48)))
    }
    const to = COEFFICIENTS + (i << 6)
    v128.store(to, s0)
    v128.store(to, s1, 16)
    v128.store(to, s2, 32)
    v128.store(to, s3, 48)
  }
}

/** Two ways that differ by an exchange of rows and columns negate the same coefficients, and so share a median. */
function writeHashes(): void {
  writePair(false, false, 0, 6)
  writePair(false, true, 5, 1)
  writePair(true, false, 4, 3)
  writePair(true, true, 2, 7)
}

/** `plain` and `turned` are places in `transforms`: the way that keeps rows, and the one that exchanges them with columns. */
function writePair(topBottom: bool, leftRight: bool, plain: i32, turned: i32): void {
  for (let k = 0; k < 256; k++) store<f32>(SORTED + (<usize>k << 2), signed(k, topBottom, leftRight))
  const median = lowerMedian()
  const to = HASHES + (<usize>plain << 5)
  const toTurned = HASHES + (<usize>turned << 5)
  for (let k = 0; k < 256; k++) {
    if (signed(k, topBottom, leftRight) <= median) continue
    setBit(to, k)
    setBit(toTurned, ((k & 15) << 4) | (k >> 4))
  }
}

@inline
function signed(k: i32, topBottom: bool, leftRight: bool): f32 {
  const value = load<f32>(COEFFICIENTS + (<usize>k << 2))
  const negated = (i32(topBottom) & ((k >> 4) ^ 1)) ^ (i32(leftRight) & (k ^ 1))
  return (negated & 1) != 0 ? -value : value
}

@inline
function setBit(hash: usize, k: i32): void {
  const at = hash + <usize>(k >> 3)
  store<u8>(at, load<u8>(at) | <u8>(1 << <u8>(k & 7)))
}

/** The 128th smallest of 256 (Hoare's selection). */
function lowerMedian(): f32 {
  let low = 0
  let high = 255
  const wanted = 127
  while (low < high) {
    const pivot = load<f32>(SORTED + (<usize>((low + high) >> 1) << 2))
    let i = low
    let j = high
    while (i <= j) {
      while (load<f32>(SORTED + (<usize>i << 2)) < pivot) i++
      while (load<f32>(SORTED + (<usize>j << 2)) > pivot) j--
      if (i > j) break
      const a = SORTED + (<usize>i << 2)
      const b = SORTED + (<usize>j << 2)
      const value = load<f32>(a)
      store<f32>(a, load<f32>(b))
      store<f32>(b, value)
      i++
      j--
    }
    if (wanted <= j) high = j
    else if (wanted >= i) low = i
    else break
  }
  return load<f32>(SORTED + (<usize>wanted << 2))
}

// PDQ averages twice along rows and twice along columns. This file has all but the first average along rows, which is in pdq-rows.ts. The second average
// along rows keeps 64 columns, the second along columns 64 rows.

import { LANES, storeTransposed } from './lanes'
import {
  columnAhead, columnSums, columnWindow, heldAt, height, line2, narrowAt, rowAt, rowWindow, SAMPLE_AT, sampleAt, sums, width, zeros,
} from './pdq-memory'
import { ROW_BYTES, SAMPLES, SIDE } from './samples'

const NARROW_SUM: usize = memory.data(SIDE * 4, 16)

let rowsOut: i32 = 0 // rows that left the first average along columns
let sampleRow: i32 = 0 // the next of the 64 sampled rows

export function beginColumns(): void {
  rowsOut = sampleRow = 0
}

/** Computes all rows of output that the first `rowsIn` rows of input allow. There is none until the window has its first rows. */
export function averageColumnsOf(rowsIn: i32): void {
  while (rowsIn < height ? rowsOut + LANES + columnAhead <= rowsIn : rowsOut < height) averageColumns()
}

/** Overwrites the sums that are outside the buffers of pdq-memory.ts. */
export function wipeColumns(): void {
  memory.fill(NARROW_SUM, 0, ROW_BYTES)
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

/**
 * Samples the 64 columns of the four rows whose sums were just computed. At a sampled column or row the window is never cut off by an end of the
 * line, so the second averages need no steps beyond the ends.
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

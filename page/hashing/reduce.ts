// Makes a large picture small in strips, so that its pixels are never in memory as a whole.

import type { Pixels } from '../../packages/hash/src/pixels.js'
import type { Grouping, Groupings } from './grouping.js'

type Size = Pick<Pixels, 'width' | 'height'>

/**
 * Reduces as the service's workers do, from whatever gives rows of the picture: groups of neighbours to their means, and those
 * with a triangle of two new pixels.
 *
 * Why not the browser's own scaling: each browser has another one, and hashes would differ between them by more bits.
 *
 * @param rowsAt gives `count` rows from row `top` as RGBA. What it gives is overwritten before the next call.
 * @param stripRows how many rows are asked for at a time.
 * @returns RGB.
 * Cost: about 8 ns a pixel.
 */
export function reduced(
  full: Size,
  target: Size,
  groupings: Groupings,
  stripRows: number,
  rowsAt: (top: number, count: number) => Uint8ClampedArray,
): Pixels {
  const across = weightsFor(full.width, target.width, groupings.across)
  const down = weightsFor(full.height, target.height, groupings.down)
  const line = new Float32Array(CHANNELS * (target.width + 2 * MARGIN))
  const sums = new Float32Array(line.length * (target.height + 2 * MARGIN))
  for (let top = 0; top < full.height; top += stripRows) {
    const count = Math.min(stripRows, full.height - top)
    const rows = rowsAt(top, count)
    for (let row = 0; row < count; row++) {
      reduceLine(rows, 4 * row * full.width, across, line)
      addLine(line, down, top + row, sums)
    }
    rows.fill(0)
  }
  const pixels = withoutMargin(sums, target)
  sums.fill(0)
  line.fill(0)
  return pixels
}

const CHANNELS = 3
/** New pixels beyond each border, so that no step has to ask whether it is at one. Nothing falls into them in the end. */
const MARGIN = 1

/** Of each full pixel: the first of the two new ones that it falls into, counted with the margin, and its share of both. */
interface Weights {
  readonly firsts: Int32Array
  readonly shares: Float32Array
}

/** Every new pixel's shares add up to 1, also at the borders, where a part of its triangle is missing. */
function weightsFor(fullPx: number, newPx: number, grouping: Grouping): Weights {
  const placed = placing(fullPx, newPx, grouping)
  const firsts = new Int32Array(fullPx)
  const shares = new Float32Array(2 * fullPx)
  const totals = new Float64Array(newPx + 2 * MARGIN)
  for (let i = 0; i < fullPx; i++) {
    const { first, beyond } = placed(i)
    firsts[i] = first + MARGIN
    shares[2 * i] = first < 0 ? 0 : 1 - beyond
    shares[2 * i + 1] = first + 1 < newPx ? beyond : 0
    for (const tap of [0, 1]) totals[first + MARGIN + tap] = (totals[first + MARGIN + tap] ?? 0) + (shares[2 * i + tap] ?? 0)
  }
  for (let k = 0; k < shares.length; k++) {
    const total = totals[(firsts[k >> 1] ?? 0) + (k & 1)] ?? 0
    shares[k] = total === 0 ? 0 : (shares[k] ?? 0) / total
  }
  return { firsts, shares }
}

interface Place {
  /** The first of the two new pixels that a full one falls into. */
  readonly first: number
  /** What of it falls into the second: 0…1. */
  readonly beyond: number
}

function placing(fullPx: number, newPx: number, grouping: Grouping): (i: number) => Place {
  if (grouping === 'areas') {
    return (i) => {
      const start = (i * newPx) / fullPx
      const first = Math.floor(start)
      const beyond = (start + newPx / fullPx - first - 1) * (fullPx / newPx)
      return { first, beyond: Math.max(0, beyond) }
    }
  }
  const groups = Math.ceil(fullPx / grouping)
  return (i) => {
    const at = ((Math.floor(i / grouping) + 0.5) * newPx) / groups - 0.5
    const first = Math.floor(at)
    return { first, beyond: at - first }
  }
}

/** Most neighbours fall into the same two new pixels: their sums are kept at hand and written once. */
function reduceLine(rows: Uint8ClampedArray, from: number, { firsts, shares }: Weights, line: Float32Array): void {
  line.fill(0)
  let [r0, g0, b0, r1, g1, b1] = [0, 0, 0, 0, 0, 0]
  for (let x = 0; x < firsts.length; x++) {
    const pixel = from + 4 * x
    const [red, green, blue] = [rows[pixel] ?? 0, rows[pixel + 1] ?? 0, rows[pixel + 2] ?? 0]
    const first = shares[2 * x] ?? 0
    const second = shares[2 * x + 1] ?? 0
    r0 += first * red
    g0 += first * green
    b0 += first * blue
    r1 += second * red
    g1 += second * green
    b1 += second * blue
    if (firsts[x] === firsts[x + 1]) continue
    const at = CHANNELS * (firsts[x] ?? 0)
    line[at] = (line[at] ?? 0) + r0
    line[at + 1] = (line[at + 1] ?? 0) + g0
    line[at + 2] = (line[at + 2] ?? 0) + b0
    line[at + 3] = (line[at + 3] ?? 0) + r1
    line[at + 4] = (line[at + 4] ?? 0) + g1
    line[at + 5] = (line[at + 5] ?? 0) + b1
    r0 = g0 = b0 = r1 = g1 = b1 = 0
  }
}

function addLine(line: Float32Array, { firsts, shares }: Weights, y: number, sums: Float32Array): void {
  for (const tap of [0, 1]) {
    const share = shares[2 * y + tap] ?? 0
    if (share === 0) continue
    const at = ((firsts[y] ?? 0) + tap) * line.length
    for (let k = 0; k < line.length; k++) sums[at + k] = (sums[at + k] ?? 0) + share * (line[k] ?? 0)
  }
}

function withoutMargin(sums: Float32Array, { width, height }: Size): Pixels {
  const data = new Uint8ClampedArray(CHANNELS * width * height) // which rounds
  const stride = CHANNELS * (width + 2 * MARGIN)
  for (let y = 0; y < height; y++) {
    const from = (y + MARGIN) * stride + CHANNELS * MARGIN
    data.set(sums.subarray(from, from + CHANNELS * width), CHANNELS * width * y)
  }
  return { data, width, height, channels: CHANNELS }
}

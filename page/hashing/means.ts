// Makes a picture smaller by means of its pixels, row by row.

import type { Pixels } from '../../packages/hash/src/pixels.js'
import type { Decoded } from './grouping.js'
import { CHANNELS, type Rows, type UseRow } from './resample.js'

type Size = Pick<Pixels, 'width' | 'height'>

/**
 * Takes the rows of a picture, four channels a pixel, and gives those of the size that `decoded` says.
 * Memory: three rows. Cost: about 8 ns a pixel.
 */
export function createMeans(full: Size, decoded: Decoded, use: UseRow): Rows {
  const across = weightsFor(full.width, decoded.width, decoded.groupPx)
  const down = weightsFor(full.height, decoded.height, decoded.groupPx)
  // One extra pixel at the end collects the pixels that are dropped.
  const line = new Float32Array(CHANNELS * (decoded.width + 1))
  let [current, next] = [new Float32Array(line.length), new Float32Array(line.length)]
  const row = new Uint8ClampedArray(CHANNELS * decoded.width) // which rounds
  let y = 0

  return {
    add(rgba, from) {
      reduceLine(rgba, from, across, line)
      addTo(current, line, down.shares[2 * y] ?? 0)
      addTo(next, line, down.shares[2 * y + 1] ?? 0)
      const first = down.firsts[y] ?? 0
      y++
      if (first === decoded.height || first === down.firsts[y]) return
      row.set(current.subarray(0, row.length))
      use(row)
      current.fill(0)
      ;[current, next] = [next, current]
    },
    wipe() {
      for (const used of [line, current, next, row]) used.fill(0)
    },
  }
}

/** For each full pixel: the first of the two new pixels that it falls into, and its share of both. */
interface Weights {
  readonly firsts: Int32Array
  readonly shares: Float32Array
}

/** Every new pixel's shares add up to 1. */
function weightsFor(fullPx: number, newPx: number, groupPx: Decoded['groupPx']): Weights {
  const firsts = new Int32Array(fullPx)
  const shares = new Float32Array(2 * fullPx)
  const totals = new Float64Array(newPx + 2)
  for (let i = 0; i < fullPx; i++) {
    const { first, beyond } = groupPx === 'areas' ? areaOf(i, fullPx, newPx) : { first: Math.floor(i / groupPx), beyond: 0 }
    const kept = Math.min(first, newPx)
    firsts[i] = kept
    shares[2 * i] = first < newPx ? 1 - beyond : 0
    shares[2 * i + 1] = first + 1 < newPx ? beyond : 0
    for (const tap of [0, 1]) totals[kept + tap] = (totals[kept + tap] ?? 0) + (shares[2 * i + tap] ?? 0)
  }
  for (let k = 0; k < shares.length; k++) {
    const total = totals[(firsts[k >> 1] ?? 0) + (k & 1)] ?? 0
    shares[k] = total === 0 ? 0 : (shares[k] ?? 0) / total
  }
  return { firsts, shares }
}

/** `first`: the first of the two new pixels that a full pixel falls into. `beyond`: the share of it that falls into the second, 0…1. */
function areaOf(i: number, fullPx: number, newPx: number): { readonly first: number; readonly beyond: number } {
  const start = (i * newPx) / fullPx
  const first = Math.floor(start)
  return { first, beyond: Math.max(0, (start + newPx / fullPx - first - 1) * (fullPx / newPx)) }
}

/** Most neighbours fall into the same two new pixels, so their sums stay in local variables and are written once. */
function reduceLine(rgba: Uint8ClampedArray, from: number, { firsts, shares }: Weights, line: Float32Array): void {
  line.fill(0)
  let [r0, g0, b0, r1, g1, b1] = [0, 0, 0, 0, 0, 0]
  for (let x = 0; x < firsts.length; x++) {
    const pixel = from + 4 * x
    const [red, green, blue] = [rgba[pixel] ?? 0, rgba[pixel + 1] ?? 0, rgba[pixel + 2] ?? 0]
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

function addTo(sums: Float32Array, line: Float32Array, share: number): void {
  if (share === 0) return
  for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] ?? 0) + share * (line[k] ?? 0)
}

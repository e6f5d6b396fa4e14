// Reduces a picture exactly as libvips does it for the service, to the last bit.

import type { Pixels } from '../../packages/hash/src/pixels.js'

type Size = Pick<Pixels, 'width' | 'height'>

/** Of what is given out: red, green, blue. */
export const CHANNELS = 3

/** Uses a row. It is overwritten afterwards. */
export type UseRow = (row: Uint8ClampedArray) => void

/** Takes the rows of a picture from top to bottom. */
export interface Rows {
  /** @param from index of the row's first value. */
  add(row: Uint8ClampedArray, from: number): void
  /** Overwrites all that is kept of pixels. */
  wipe(): void
}

/**
 * `vips_resize` with a triangle filter, for 8-bit integers: first down, then across. Each direction has two steps: groups of pixels become their
 * mean, then a filter two new pixels wide is applied at one of 64 offsets. All four steps round.
 *
 * It has to be exact, because single levels decide which rectangle looks most like a picture in the picture, and where a shape begins.
 *
 * @param full each side at least as long as that of `target`.
 * @param stride values of a pixel: 3 or 4, red, green and blue first.
 * Memory: nine rows of the full picture, and three of sums. Cost: 3 ns a pixel, and 20 ns a pixel of the full width and the target's height.
 */
export function createResampler(full: Size, target: Size, stride: 3 | 4, use: UseRow): Rows {
  const down = sideOf(full.height, target.height)
  const across = sideOf(full.width, target.width)
  const values = CHANNELS * full.width
  const grouped = createGroups(full, down, stride)
  const kept = Array.from({ length: down.taps }, () => new Uint8ClampedArray(values))
  const sums = new Int32Array(values)
  const line = new Uint8ClampedArray(values)
  const groups = new Uint8ClampedArray(CHANNELS * across.groups)
  const row = new Uint8ClampedArray(CHANNELS * target.width)
  let [groupsMade, rowsMade] = [0, 0]

  return {
    add(pixels, from) {
      const into = kept[groupsMade % down.taps]
      if (into === undefined || !grouped.add(pixels, from, into)) return
      groupsMade++
      for (; rowsMade < target.height && lastOf(down, rowsMade) < groupsMade; rowsMade++) {
        filterDown(down, rowsMade, kept, sums, line)
        if (across.groupPx > 1) groupAcross(line, across, groups)
        filterAcross(across.groupPx > 1 ? groups : line, across, row)
        use(row)
      }
    },
    wipe() {
      grouped.wipe()
      for (const used of [...kept, sums, line, groups, row]) used.fill(0)
    },
  }
}

/** How one side is reduced. */
interface Side {
  /** How many neighbours first become their mean. At the end the last pixel is repeated for those that are missing. */
  readonly groupPx: number
  readonly groups: number
  /** For each new pixel, the first group under the filter. Negative at the start: there the first group is repeated. */
  readonly firsts: Int32Array
  /** Of each new pixel. In 4,096ths. */
  readonly weights: readonly Int32Array[]
  readonly taps: number
}

/** The triangle does so much at least. */
const REDUCED_AT_ONCE = 2
const OFFSETS = 64
const WEIGHT_BITS = 12
const HALF = 1 << (WEIGHT_BITS - 1)

function sideOf(fullPx: number, newPx: number): Side {
  const shrink = 1 / (1 / (fullPx / newPx)) // sharp gives the inverse, which is rounded
  const groupPx = Math.max(1, Math.floor(fullPx / newPx / REDUCED_AT_ONCE))
  const residual = shrink / groupPx
  const taps = residual === 1 ? 1 : 2 * roundedToEven(residual) + 1
  const filters = Array.from({ length: OFFSETS + 1 }, (_, k) => triangle(taps, residual, k / OFFSETS))
  const firsts = new Int32Array(newPx)
  const weights: Int32Array[] = []
  const beyond = (newPx * shrink - fullPx) / groupPx
  for (let k = 0; k < newPx; k++) {
    const at = (k + 0.5) * residual - beyond / 2
    const offset = (Math.trunc(at * OFFSETS * 2) & (2 * OFFSETS - 1)) + 1
    firsts[k] = Math.trunc(at) - (taps >> 1)
    weights.push(filters[offset >> 1] ?? new Int32Array(taps))
  }
  return { groupPx, groups: Math.ceil(fullPx / groupPx), firsts, weights, taps }
}

function triangle(taps: number, residual: number, offset: number): Int32Array {
  const middle = offset + taps / 2 - 1
  const shares = Array.from({ length: taps }, (_, i) => Math.max(0, 1 - Math.abs((i - middle) / residual)))
  const total = shares.reduce((sum, share) => sum + share, 0)
  return Int32Array.from(shares, (share) => (share / total) * (1 << WEIGHT_BITS)) // which cuts off
}

function roundedToEven(value: number): number {
  return value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value)
}

function lastOf({ firsts, taps, groups }: Side, k: number): number {
  return Math.min((firsts[k] ?? 0) + taps, groups) - 1
}

/** The mean, rounded. */
function meanOf(sum: number, groupPx: number): number {
  return ((sum + (groupPx >> 1)) * Math.floor(2 ** 24 / groupPx)) >>> 24
}

/** Takes rows; `add` writes the mean of a group into `into` and returns true when one is complete. */
function createGroups({ width, height }: Size, { groupPx }: Side, stride: 3 | 4) {
  const sums = new Uint32Array(CHANNELS * width)
  let [inGroup, left] = [0, height]
  const addRow = (row: Uint8ClampedArray, from: number, times: number) => {
    for (let to = 0, at = from; to < sums.length; to += CHANNELS, at += stride) {
      sums[to] = (sums[to] ?? 0) + times * (row[at] ?? 0)
      sums[to + 1] = (sums[to + 1] ?? 0) + times * (row[at + 1] ?? 0)
      sums[to + 2] = (sums[to + 2] ?? 0) + times * (row[at + 2] ?? 0)
    }
  }
  return {
    add(row: Uint8ClampedArray, from: number, into: Uint8ClampedArray): boolean {
      left--
      const times = left === 0 ? groupPx - inGroup : 1
      addRow(row, from, times)
      inGroup += times
      if (inGroup < groupPx) return false
      for (let k = 0; k < sums.length; k++) into[k] = meanOf(sums[k] ?? 0, groupPx)
      sums.fill(0)
      inGroup = 0
      return true
    },
    wipe: () => sums.fill(0),
  }
}

function filterDown(
  { firsts, weights, taps, groups }: Side,
  k: number,
  kept: readonly Uint8ClampedArray[],
  sums: Int32Array,
  into: Uint8ClampedArray,
): void {
  sums.fill(HALF)
  for (let tap = 0; tap < taps; tap++) {
    const weight = weights[k]?.[tap] ?? 0
    const row = kept[within((firsts[k] ?? 0) + tap, groups) % taps]
    if (weight === 0 || row === undefined) continue
    for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + weight * (row[at] ?? 0)
  }
  for (let at = 0; at < sums.length; at++) into[at] = (sums[at] ?? 0) >> WEIGHT_BITS
}

function groupAcross(line: Uint8ClampedArray, { groupPx, groups }: Side, into: Uint8ClampedArray): void {
  const last = line.length - CHANNELS
  for (let group = 0; group < groups; group++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      let sum = 0
      const from = CHANNELS * group * groupPx
      for (let k = 0; k < groupPx; k++) sum += line[Math.min(from + CHANNELS * k, last) + channel] ?? 0
      into[CHANNELS * group + channel] = meanOf(sum, groupPx)
    }
  }
}

function filterAcross(line: Uint8ClampedArray, { firsts, weights, taps, groups }: Side, into: Uint8ClampedArray): void {
  for (let k = 0; k < firsts.length; k++) {
    const own = weights[k]
    let [red, green, blue] = [HALF, HALF, HALF]
    for (let tap = 0; tap < taps; tap++) {
      const weight = own?.[tap] ?? 0
      const at = CHANNELS * within((firsts[k] ?? 0) + tap, groups)
      red += weight * (line[at] ?? 0)
      green += weight * (line[at + 1] ?? 0)
      blue += weight * (line[at + 2] ?? 0)
    }
    into[CHANNELS * k] = red >> WEIGHT_BITS
    into[CHANNELS * k + 1] = green >> WEIGHT_BITS
    into[CHANNELS * k + 2] = blue >> WEIGHT_BITS
  }
}

function within(group: number, groups: number): number {
  return Math.max(0, Math.min(group, groups - 1))
}

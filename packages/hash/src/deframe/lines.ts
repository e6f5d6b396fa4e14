// Finds long straight edges along rows and columns, which may be the sides of a picture inside the picture.

import type { Raster } from '../raster.js'

/** An edge between two neighbouring rows or columns. */
export interface Line {
  /** Index of the row or column after the edge; 0 and the full length are the picture's own borders. */
  readonly at: number
  /** [length of the line + 1] running count of its edge pixels, from which `coverageOf` computes the share of a stretch. */
  readonly edges: Uint16Array
  readonly isBorder: boolean
}

export interface Lines {
  /** Left to right. */
  readonly columns: readonly Line[]
  /** Top to bottom. */
  readonly rows: readonly Line[]
}

/** @returns the longest straight edges, at most `MAX_LINES` in each direction, and the picture's four borders. */
export function linesOf(raster: Raster): Lines {
  const { width, height } = raster
  const steps = stepsOf(raster)
  const edgePixels = edgePixelsOf(steps, width, height)
  const transposedRows = transposed(edgePixels.rows, width, height)
  return {
    columns: strongest(stretchScores(edgePixels.columns, width, height), height, (at) =>
      edgesAlong(edgePixels.columns, width, height, at),
    ),
    rows: strongest(stretchScores(transposedRows, height, width), width, (at) =>
      edgesAlong(transposedRows, height, width, at),
    ),
  }
}

/**
 * Chooses the lines with the highest scores, no two of them neighbours.
 * @param scores `stretchScores` of lines of this length.
 * @returns at most `MAX_LINES` lines in order of position, between the picture's two borders.
 */
export function strongest(scores: Int16Array, length: number, edgesOf: (at: number) => Uint16Array): Line[] {
  const count = scores.length
  const minScore = (length * (EDGE_GAIN - GAP_COST)) / MIN_LENGTH_PART
  const order = Array.from(scores.keys())
    .filter((at) => at >= 2 && at <= count - 2 && (scores[at] ?? 0) >= minScore)
    .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
  const chosen: number[] = []
  for (const at of order) {
    if (chosen.length === MAX_LINES) break
    if (chosen.every((other) => Math.abs(other - at) > NEIGHBOURS_PX)) chosen.push(at)
  }
  const none = new Uint16Array(length + 1)
  return [
    { at: 0, edges: none, isBorder: true },
    ...chosen.sort((a, b) => a - b).map((at) => ({ at, edges: edgesOf(at), isBorder: false })),
    { at: count, edges: none, isBorder: true },
  ]
}

/** @returns the share of edge pixels between two pixels of a line: 0…1; `undefined` for the picture's own borders. */
export function coverageOf({ edges, isBorder }: Line, from: number, to: number): number | undefined {
  if (isBorder) return undefined
  return ((edges[to] ?? 0) - (edges[from] ?? 0)) / Math.max(1, to - from)
}

const MAX_LINES = 18
const MIN_STEP = 6
/** An edge pixel adds this to the score of its line; any other pixel subtracts `GAP_COST`. */
const EDGE_GAIN = 10
const GAP_COST = 7
/** The minimum score of a line is `EDGE_GAIN - GAP_COST` for a sixteenth of its pixels. */
const MIN_LENGTH_PART = 16
const NEIGHBOURS_PX = 2

interface Maps {
  readonly columns: Uint8Array
  readonly rows: Uint8Array
}

/** For each pixel, the largest difference of its three colours from the pixel to the left (`columns`) and from the one above (`rows`). */
function stepsOf({ width, height, rgb }: Raster): Maps {
  const columns = new Uint8Array(width * height)
  const rows = new Uint8Array(width * height)
  const stride = 3 * width
  for (let y = 0; y < height; y++) {
    let k = y * stride
    let i = y * width
    for (let x = 0; x < width; x++, k += 3, i++) {
      const r = rgb[k] ?? 0
      const g = rgb[k + 1] ?? 0
      const b = rgb[k + 2] ?? 0
      if (x > 0) columns[i] = largest(r - (rgb[k - 3] ?? 0), g - (rgb[k - 2] ?? 0), b - (rgb[k - 1] ?? 0))
      if (y > 0)
        rows[i] = largest(r - (rgb[k - stride] ?? 0), g - (rgb[k - stride + 1] ?? 0), b - (rgb[k - stride + 2] ?? 0))
    }
  }
  return { columns, rows }
}

function largest(a: number, b: number, c: number): number {
  return Math.max(Math.abs(a), Math.abs(b), Math.abs(c))
}

/** 1 where a difference is a local maximum and clearly larger than those two and three pixels away; 0 elsewhere. */
function edgePixelsOf(steps: Maps, width: number, height: number): Maps {
  const columns = new Uint8Array(width * height)
  const rows = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    const i = y * width
    for (let x = 1; x < width; x++) {
      if (isEdgePixel(steps.columns, i + x, 1, x, width)) columns[i + x] = 1
      if (y > 0 && isEdgePixel(steps.rows, i + x, width, y, height)) rows[i + x] = 1
    }
  }
  for (let y = 1; y < height; y++) if (isEdgePixel(steps.rows, y * width, width, y, height)) rows[y * width] = 1
  return { columns, rows }
}

function isEdgePixel(steps: Uint8Array, i: number, stride: number, position: number, length: number): boolean {
  const step = steps[i] ?? 0
  if (step <= MIN_STEP) return false
  if (position > 1 && (steps[i - stride] ?? 0) > step) return false
  if (position + 1 < length && (steps[i + stride] ?? 0) > step) return false
  const before = position > 3 ? (steps[i - 2 * stride] ?? 0) + (steps[i - 3 * stride] ?? 0) : 0
  const after = position + 3 < length ? (steps[i + 2 * stride] ?? 0) + (steps[i + 3 * stride] ?? 0) : 0
  return 4 * step > before + after + 8
}

function transposed(map: Uint8Array, width: number, height: number): Uint8Array {
  const result = new Uint8Array(map.length)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) result[x * height + y] = map[y * width + x] ?? 0
  return result
}

/**
 * The score of each line's best stretch: the gains of its edge pixels minus the costs of its gaps (Kadane's algorithm).
 * @param edgeMap [length × count] ones and zeros; line `at` is column `at`.
 */
function stretchScores(edgeMap: Uint8Array, count: number, length: number): Int16Array {
  const here = new Int16Array(count)
  const best = new Int16Array(count)
  for (let along = 0; along < length; along++) {
    const i = along * count
    for (let at = 0; at < count; at++) {
      const sum = Math.max(0, (here[at] ?? 0) + ((edgeMap[i + at] ?? 0) === 1 ? EDGE_GAIN : -GAP_COST))
      here[at] = sum
      if (sum > (best[at] ?? 0)) best[at] = sum
    }
  }
  return best
}

/** Running counts of one line's edge pixels. The edge may deviate by one pixel to either side. */
function edgesAlong(edgeMap: Uint8Array, count: number, length: number, at: number): Uint16Array {
  const edges = new Uint16Array(length + 1)
  for (let along = 0; along < length; along++) {
    const i = along * count + at
    const isEdge = ((edgeMap[i] ?? 0) | (edgeMap[i - 1] ?? 0) | (edgeMap[i + 1] ?? 0)) === 1
    edges[along + 1] = (edges[along] ?? 0) + (isEdge ? 1 : 0)
  }
  return edges
}

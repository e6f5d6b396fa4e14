// Enumerates the rectangles between long edges. Up to three sides may be the picture's own borders.

import type { Rectangle } from '../rectangle.js'
import type { Line, Lines } from './lines.js'
import { type Spans, spansOf } from './spans.js'
import { densityOf, type Texture } from './texture.js'

/** A rectangle and the measures that tell whether it is a picture. */
export interface Candidate extends Rectangle {
  /** The share of edge pixels of a side, 0…1: minimum and mean over the sides that are not the picture's own borders. */
  readonly minCoverage: number
  readonly meanCoverage: number
  /** How many sides are the picture's own borders: 0…3. */
  readonly borders: number
  /** Share of pixels with fine structure in the rectangle, and in strips around it. */
  readonly inside: number
  readonly outside: number
  /** Share of edge pixels where its sides are extended beyond its corners: 0…1. */
  readonly beyond: number
  /** Coverage of the strongest line through it, from side to side: 0…1. A single picture rarely has such a line. */
  readonly split: number
  /** Share of the whole picture's area: 0…1. */
  readonly area: number
}

const MIN_SIDE = 0.07
const MIN_COVERAGE = 0.3
const STRIP = 0.02

/**
 * Calls `see` for each rectangle, at most 36,100 times, always with the same object: copy its numbers to keep them.
 *
 * Cost: about 0.1 µs for each rectangle, so the loop allocates nothing. Sums are always added in the order left, right, top,
 * bottom: another order would round differently.
 */
export function eachCandidate({ columns, rows }: Lines, texture: Texture, see: (candidate: Candidate) => void): void {
  const { width, height } = texture
  const upright = uprightOf(columns, rows, texture)
  const level = levelOf(columns, rows, texture)
  const counts = cornersOf(columns, rows, texture)
  const splitUpright = throughOf(upright.coverage, columns.length, rows.length)
  const splitLevel = throughOf(level.coverage, rows.length, columns.length)
  const sketch = { ...EMPTY }
  const [n, m] = [columns.length, rows.length]
  for (let l = 0; l < n; l++) {
    for (let r = l + 1; r < n; r++) {
      const left = columns[l]?.at ?? 0
      const right = columns[r]?.at ?? 0
      if (right - left < MIN_SIDE * width) continue
      for (let t = 0; t < m; t++) {
        const onTop = (t * n + l) * n + r
        const topCoverage = level.coverage[onTop] ?? 0
        const isTopBorder = t === 0 || t === m - 1
        if (!isTopBorder && topCoverage < MIN_COVERAGE) continue
        const top = rows[t]?.at ?? 0
        for (let b = t + 1; b < m; b++) {
          const bottom = rows[b]?.at ?? 0
          if (bottom - top < MIN_SIDE * height) continue
          const onLeft = (l * m + t) * m + b
          const leftCoverage = upright.coverage[onLeft] ?? 0
          if (l > 0 && leftCoverage < MIN_COVERAGE) continue
          const onRight = (r * m + t) * m + b
          const rightCoverage = upright.coverage[onRight] ?? 0
          if (r < n - 1 && rightCoverage < MIN_COVERAGE) continue
          const onBottom = (b * n + l) * n + r
          const bottomCoverage = level.coverage[onBottom] ?? 0
          if (b < m - 1 && bottomCoverage < MIN_COVERAGE) continue
          const borders = (l === 0 ? 1 : 0) + (r === n - 1 ? 1 : 0) + (isTopBorder ? 1 : 0) + (b === m - 1 ? 1 : 0)
          if (borders === 4) continue
          const sides = 4 - borders
          const area = (right - left) * (bottom - top)
          sketch.left = left
          sketch.top = top
          sketch.right = right
          sketch.bottom = bottom
          sketch.borders = borders
          sketch.minCoverage = Math.min(
            l > 0 ? leftCoverage : 1,
            r < n - 1 ? rightCoverage : 1,
            isTopBorder ? 1 : topCoverage,
            b < m - 1 ? bottomCoverage : 1,
          )
          sketch.meanCoverage = (leftCoverage + rightCoverage + topCoverage + bottomCoverage) / sides
          const outside =
            (upright.textureBefore[onLeft] ?? 0) +
            (upright.textureAfter[onRight] ?? 0) +
            (level.textureBefore[onTop] ?? 0) +
            (level.textureAfter[onBottom] ?? 0)
          sketch.outside = outside / sides
          const beyond =
            (upright.edgeBefore[l * m + t] ?? 0) +
            (upright.edgeAfter[l * m + b] ?? 0) +
            (upright.edgeBefore[r * m + t] ?? 0) +
            (upright.edgeAfter[r * m + b] ?? 0) +
            (level.edgeBefore[t * n + l] ?? 0) +
            (level.edgeAfter[t * n + r] ?? 0) +
            (level.edgeBefore[b * n + l] ?? 0) +
            (level.edgeAfter[b * n + r] ?? 0)
          sketch.beyond = beyond / (2 * sides)
          const inside =
            (counts[b * n + r] ?? 0) - (counts[t * n + r] ?? 0) - (counts[b * n + l] ?? 0) + (counts[t * n + l] ?? 0)
          sketch.inside = inside / area
          sketch.split = Math.max(
            splitUpright[(l * n + r) * m * m + t * m + b] ?? 0,
            splitLevel[(t * m + b) * n * n + l * n + r] ?? 0,
          )
          sketch.area = area / (width * height)
          see(sketch)
        }
      }
    }
  }
}

const EMPTY: { -readonly [key in keyof Candidate]: number } = {
  left: 0,
  top: 0,
  right: 0,
  bottom: 0,
  minCoverage: 0,
  meanCoverage: 0,
  borders: 0,
  inside: 0,
  outside: 0,
  beyond: 0,
  split: 0,
  area: 0,
}

/** [lines × lines × crossing × crossing] the largest coverage of any line that lies between two lines, over the span between two crossing lines. */
function throughOf(coverage: Float64Array, count: number, crossing: number): Float32Array {
  const square = crossing * crossing
  const through = new Float32Array(count * count * square)
  for (let from = 0; from < count; from++) {
    for (let to = from + 2; to < count; to++) {
      const at = (from * count + to) * square
      for (let k = 0; k < square; k++) {
        through[at + k] = Math.max(through[at - square + k] ?? 0, coverage[(to - 1) * square + k] ?? 0)
      }
    }
  }
  return through
}

function uprightOf(columns: readonly Line[], rows: readonly Line[], texture: Texture): Spans {
  return spansOf(columns, rows, {
    stripPx: stripOf(texture.width),
    beyondPx: 2 * stripOf(texture.height),
    lengthPx: texture.height,
    densityOf: (left, right, top, bottom) => densityOf(texture, { left, top, right, bottom }),
  })
}

function levelOf(columns: readonly Line[], rows: readonly Line[], texture: Texture): Spans {
  return spansOf(rows, columns, {
    stripPx: stripOf(texture.height),
    beyondPx: 2 * stripOf(texture.width),
    lengthPx: texture.width,
    densityOf: (top, bottom, left, right) => densityOf(texture, { left, top, right, bottom }),
  })
}

function stripOf(lengthPx: number): number {
  return Math.max(3, Math.round(STRIP * lengthPx))
}

/** [rows × columns] the counts of `texture` at each crossing of lines, copied so that they are close together in memory. */
function cornersOf(columns: readonly Line[], rows: readonly Line[], { width, counts }: Texture): Float64Array {
  return Float64Array.from(rows.flatMap((row) => columns.map((column) => counts[row.at * (width + 1) + column.at] ?? 0)))
}

// A span is the part of a line between two lines that cross it: a possible side of the picture inside a screenshot. Each span is measured once,
// because the search for the best rectangle reads it thousands of times.

import { coverageOf, type Line } from './lines.js'

/** Measures of all spans. They are 0 on the borders of the picture itself, which are not edges. */
export interface Spans {
  /** [lines × crossing × crossing] the share of edge pixels of each span, 0…1, by its line and its first and last crossing line. */
  readonly coverage: Float64Array
  /** The same shape: the share of pixels with fine structure, 0…1, in the strip on either side of each span. */
  readonly textureBefore: Float64Array
  readonly textureAfter: Float64Array
  /** [lines × crossing] the share of edge pixels, 0…1, within `beyondPx` before and after a crossing line. High if the edge goes on there. */
  readonly edgeBefore: Float64Array
  readonly edgeAfter: Float64Array
}

/** How far around a span is measured. */
export interface Surroundings {
  /** Width of the strips beside a line. */
  readonly stripPx: number
  /** How far a line is measured on either side of a crossing line. */
  readonly beyondPx: number
  /** Length of a line, from border to border. */
  readonly lengthPx: number
  /** The share of pixels with fine structure in a rectangle: `from` and `to` across the lines, `start` and `end` along them. */
  readonly densityOf: (from: number, to: number, start: number, end: number) => number
}

export function spansOf(lines: readonly Line[], crossing: readonly Line[], around: Surroundings): Spans {
  const { stripPx, beyondPx, lengthPx, densityOf } = around
  const count = crossing.length
  const coverage = new Float64Array(lines.length * count * count)
  const textureBefore = new Float64Array(coverage.length)
  const textureAfter = new Float64Array(coverage.length)
  const edgeBefore = new Float64Array(lines.length * count)
  const edgeAfter = new Float64Array(lines.length * count)
  for (const [i, line] of lines.entries()) {
    if (line.isBorder) continue
    for (const [j, { at: start }] of crossing.entries()) {
      edgeBefore[i * count + j] = coverageOf(line, Math.max(0, start - beyondPx), start) ?? 0
      edgeAfter[i * count + j] = coverageOf(line, start, Math.min(lengthPx, start + beyondPx)) ?? 0
      for (let k = j + 1; k < count; k++) {
        const end = crossing[k]?.at ?? start
        const at = (i * count + j) * count + k
        coverage[at] = coverageOf(line, start, end) ?? 0
        textureBefore[at] = densityOf(line.at - stripPx, line.at, start, end)
        textureAfter[at] = densityOf(line.at, line.at + stripPx, start, end)
      }
    }
  }
  return { coverage, textureBefore, textureAfter, edgeBefore, edgeAfter }
}

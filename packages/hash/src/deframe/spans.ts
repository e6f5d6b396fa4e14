// What is known of each line between any two lines that cross it: asked thousands of times, so worked out once.

import { coverageOf, type Line } from './lines.js'

/** Of the picture's own borders, which have no edge and nothing beside them, all is 0. */
export interface Spans {
  /** [lines × crossing × crossing] the share that is an edge, from an earlier crossing line to a later one: 0…1. */
  readonly coverage: Float64Array
  /** The same, of pixels with fine structure in a strip before the line, and in one after it. */
  readonly textureBefore: Float64Array
  readonly textureAfter: Float64Array
  /** [lines × crossing] the share that is an edge a little way before a crossing line, and after one. */
  readonly edgeBefore: Float64Array
  readonly edgeAfter: Float64Array
}

export interface Surroundings {
  /** How wide a strip beside a line is. */
  readonly stripPx: number
  /** How far a line is followed beyond a corner. */
  readonly beyondPx: number
  /** How long the lines can be. */
  readonly lengthPx: number
  /** The share of pixels with fine structure, between two places across the lines and two along them. */
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

// Rectangles that four long edges, or three and a border, enclose.

import type { Rectangle } from '../rectangle.js'
import { coverageOf, type Line, type Lines } from './lines.js'
import { densityOf, type Texture } from './texture.js'

/** A rectangle with what speaks for a picture in it. */
export interface Candidate extends Rectangle {
  /** For each side but the picture's own borders, the share that is an edge: the least, and the mean. */
  readonly leastCoverage: number
  readonly meanCoverage: number
  readonly borders: number
  /** Share of its pixels with fine structure, and of those in strips around it. */
  readonly inside: number
  readonly outside: number
  /** How far its sides go on beyond its corners: 0…1. */
  readonly beyond: number
  /** Its part of the whole area. */
  readonly area: number
}

const LEAST_SIDE = 0.12
const LEAST_COVERAGE = 0.3
const STRIP = 0.02

export function candidatesOf({ columns, rows }: Lines, texture: Texture): Candidate[] {
  const { width, height } = texture
  const candidates: Candidate[] = []
  for (const [i, left] of columns.entries()) {
    for (const right of columns.slice(i + 1)) {
      if (right.at - left.at < LEAST_SIDE * width) continue
      for (const [j, top] of rows.entries()) {
        const topCoverage = coverageOf(top, left.at, right.at)
        if (topCoverage !== undefined && topCoverage < LEAST_COVERAGE) continue
        for (const bottom of rows.slice(j + 1)) {
          if (bottom.at - top.at < LEAST_SIDE * height) continue
          const sides = [
            coverageOf(left, top.at, bottom.at),
            coverageOf(right, top.at, bottom.at),
            topCoverage,
            coverageOf(bottom, left.at, right.at),
          ].filter((side) => side !== undefined)
          const leastCoverage = Math.min(...sides)
          if (sides.length === 0 || leastCoverage < LEAST_COVERAGE) continue
          candidates.push(described(left, top, right, bottom, sides, leastCoverage, texture))
        }
      }
    }
  }
  return candidates
}

function described(
  left: Line,
  top: Line,
  right: Line,
  bottom: Line,
  sides: readonly number[],
  leastCoverage: number,
  texture: Texture,
): Candidate {
  const { width, height } = texture
  const edges = { left: left.at, top: top.at, right: right.at, bottom: bottom.at }
  const dx = Math.max(3, Math.round(STRIP * width))
  const dy = Math.max(3, Math.round(STRIP * height))
  const strips = [
    { ...edges, left: edges.left - dx, right: edges.left },
    { ...edges, left: edges.right, right: edges.right + dx },
    { ...edges, top: edges.top - dy, bottom: edges.top },
    { ...edges, top: edges.bottom, bottom: edges.bottom + dy },
  ].filter((_, side) => ![left, right, top, bottom][side]?.isBorder)
  const beyond = [
    coverageOf(left, Math.max(0, edges.top - 2 * dy), edges.top),
    coverageOf(left, edges.bottom, Math.min(height, edges.bottom + 2 * dy)),
    coverageOf(right, Math.max(0, edges.top - 2 * dy), edges.top),
    coverageOf(right, edges.bottom, Math.min(height, edges.bottom + 2 * dy)),
    coverageOf(top, Math.max(0, edges.left - 2 * dx), edges.left),
    coverageOf(top, edges.right, Math.min(width, edges.right + 2 * dx)),
    coverageOf(bottom, Math.max(0, edges.left - 2 * dx), edges.left),
    coverageOf(bottom, edges.right, Math.min(width, edges.right + 2 * dx)),
  ].filter((share) => share !== undefined)
  return {
    ...edges,
    leastCoverage,
    meanCoverage: meanOf(sides),
    borders: 4 - sides.length,
    inside: densityOf(texture, edges),
    outside: meanOf(strips.map((strip) => densityOf(texture, strip))),
    beyond: meanOf(beyond),
    area: ((edges.right - edges.left) * (edges.bottom - edges.top)) / (width * height),
  }
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

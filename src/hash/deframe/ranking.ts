// Which of many rectangles are likely to hold a picture.

import { overlapOf, type Rectangle } from '../rectangle.js'
import { descending } from './descending.js'
import type { Line, Lines } from './lines.js'
import { type Candidate, eachCandidate } from './rectangles.js'
import type { Texture } from './texture.js'

/**
 * Fitted by `bench/robustness/fit-ranking.mjs` to frames of the tuning photographs: a linear score under which the
 * rectangles that were the picture come before those that were not. Only its order means anything.
 */
const WEIGHTS = {
  leastCoverage: 5.66,
  leastCoverageSquared: 1.309,
  meanCoverage: 7.905,
  meanCoverageWithBorder: -6.008,
  borders: [0, 2.001, 3.543, 1.893, 0],
  inside: -3.158,
  insideUpTo30: 21.797,
  insideUpTo10: 55.089,
  outside: 0.275,
  outsideRoot: -7.393,
  insideBeyondOutside: 12.23,
  beyond: -2.312,
  logArea: -1.571,
  logAreaSquared: -0.804,
} as const

export function scoreOf(candidate: Candidate): number {
  const { leastCoverage, meanCoverage, borders, inside, outside, beyond } = candidate
  const logArea = Math.log(candidate.area)
  return (
    WEIGHTS.leastCoverage * leastCoverage +
    WEIGHTS.leastCoverageSquared * leastCoverage * leastCoverage +
    WEIGHTS.meanCoverage * meanCoverage +
    (borders > 0 ? WEIGHTS.meanCoverageWithBorder * meanCoverage : 0) +
    (WEIGHTS.borders[borders] ?? 0) +
    WEIGHTS.inside * inside +
    WEIGHTS.insideUpTo30 * Math.min(0.3, inside) +
    WEIGHTS.insideUpTo10 * Math.min(0.1, inside) +
    WEIGHTS.outside * outside +
    WEIGHTS.outsideRoot * Math.sqrt(outside) +
    WEIGHTS.insideBeyondOutside * Math.max(0, inside - outside) +
    WEIGHTS.beyond * beyond +
    WEIGHTS.logArea * logArea +
    WEIGHTS.logAreaSquared * logArea * logArea
  )
}

/**
 * Rectangles that share more than this are one. Of the first few the neighbours may be the better ones by a hair; further down only
 * another place is worth a look, such as the other pictures of a collage.
 */
const SAME_OVERLAP = 0.8
const SAME_OVERLAP_LATER = 0.65
const FIRST_FEW = 4
const WHOLE_OVERLAP = 0.97

export interface Ranked extends Rectangle {
  readonly score: number
}

/**
 * The best rectangles that lines enclose, best first, none of them nearly another one or nearly everything; of equal ones the
 * first.
 */
export function bestOf(lines: Lines, texture: Texture, count: number): Ranked[] {
  const most = pairsOf(lines.columns) * pairsOf(lines.rows)
  const scores = new Float64Array(most)
  const edges = new Uint16Array(4 * most)
  let seen = 0
  eachCandidate(lines, texture, (candidate) => {
    if (candidate.area > WHOLE_OVERLAP) return
    edges[4 * seen] = candidate.left
    edges[4 * seen + 1] = candidate.top
    edges[4 * seen + 2] = candidate.right
    edges[4 * seen + 3] = candidate.bottom
    scores[seen++] = scoreOf(candidate)
  })
  const best: Ranked[] = []
  for (const i of descending(scores.subarray(0, seen))) {
    if (best.length === count) break
    const [left = 0, top = 0, right = 0, bottom = 0] = edges.subarray(4 * i, 4 * i + 4)
    const candidate = { left, top, right, bottom, score: scores[i] ?? 0 }
    const same = best.length < FIRST_FEW ? SAME_OVERLAP : SAME_OVERLAP_LATER
    if (best.every((other) => overlapOf(candidate, other) < same)) best.push(candidate)
  }
  return best
}

function pairsOf({ length }: readonly Line[]): number {
  return (length * (length - 1)) / 2
}

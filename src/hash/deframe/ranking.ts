// Which of many rectangles are likely to hold a picture.

import { overlapOf, type Rectangle } from '../rectangle.js'
import type { Candidate } from './rectangles.js'

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
    WEIGHTS.leastCoverageSquared * leastCoverage ** 2 +
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
    WEIGHTS.logAreaSquared * logArea ** 2
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

/** The best ones, best first, none of them nearly another one or nearly everything. */
export function bestOf(candidates: readonly Candidate[], whole: Rectangle, count: number): Ranked[] {
  const ranked = candidates.map((candidate) => ({ ...candidate, score: scoreOf(candidate) }))
  ranked.sort((a, b) => b.score - a.score)
  const best: Ranked[] = []
  for (const candidate of ranked) {
    if (best.length === count) break
    if (overlapOf(candidate, whole) > WHOLE_OVERLAP) continue
    const same = best.length < FIRST_FEW ? SAME_OVERLAP : SAME_OVERLAP_LATER
    if (best.every((other) => overlapOf(candidate, other) < same)) best.push(candidate)
  }
  return best
}

// Ranks rectangles by how likely they contain a picture.

import { overlapOf, type Rectangle } from '../rectangle.js'
import { descending } from './descending.js'
import type { Line, Lines } from './lines.js'
import { type Candidate, eachCandidate } from './rectangles.js'
import type { Texture } from './texture.js'

/** The features of a rectangle that its score is computed from, in the order of `WEIGHTS`. */
export const FEATURE_NAMES = [
  'least coverage',
  'least coverage, squared',
  'mean coverage',
  'mean coverage, with a border',
  'one border',
  'two borders',
  'three borders',
  'inside',
  'inside, up to 0.3',
  'inside, up to 0.1',
  'outside',
  'outside, root',
  'inside beyond outside',
  'beyond',
  'split',
  'split, squared',
  'log area',
  'log area, squared',
] as const

/**
 * Weights of a linear score, fitted by `bench/archive/fit-ranking.mjs` on framed pictures made from the tuning photographs, so that the rectangle
 * that is the picture ranks before the others. New weights need new values of `MIN_SCORE`, `FRAMED_SCORE` and `MIN_BEHIND_SCORE`.
 */
const WEIGHTS: readonly number[] = [
  1.176, 3.262, 12.45, -1.754, -0.7109, -1.769, -4.251, -5.901, 14.44, 3.814, 10.36, -11.99, 12.68, -3.588, 6.986, -10.72,
  0.4493, -0.2771,
]

/** @returns the weighted sum of a rectangle's features, without unit: the higher, the likelier it is the picture. */
export function scoreOf(candidate: Candidate): number {
  writeFeatures(candidate, features)
  let score = 0
  for (let i = 0; i < features.length; i++) score += (WEIGHTS[i] ?? 0) * (features[i] ?? 0)
  return score
}

const features = new Float64Array(FEATURE_NAMES.length)

/** @param into as long as `FEATURE_NAMES`. */
export function writeFeatures(candidate: Candidate, into: Float64Array): void {
  const { minCoverage, meanCoverage, borders, inside, outside, beyond, split } = candidate
  const logArea = Math.log(candidate.area)
  into[0] = minCoverage
  into[1] = minCoverage * minCoverage
  into[2] = meanCoverage
  into[3] = borders > 0 ? meanCoverage : 0
  into[4] = borders === 1 ? 1 : 0
  into[5] = borders === 2 ? 1 : 0
  into[6] = borders === 3 ? 1 : 0
  into[7] = inside
  into[8] = Math.min(0.3, inside)
  into[9] = Math.min(0.1, inside)
  into[10] = outside
  into[11] = Math.sqrt(outside)
  into[12] = Math.max(0, inside - outside)
  into[13] = beyond
  into[14] = split
  into[15] = split * split
  into[16] = logArea
  into[17] = logArea * logArea
}

/**
 * Rectangles that overlap more than this count as the same. For the first few the limit is higher, because a similar rectangle may fit slightly
 * better. Later only distinct places are useful, such as the other pictures of a collage.
 */
const SAME_OVERLAP = 0.8
const SAME_OVERLAP_LATER = 0.65
const FIRST_FEW = 4
/** Rectangles with a lower score are hardly ever the picture. The best `ALWAYS_KEPT` are kept anyway. */
const MIN_SCORE = 5
const ALWAYS_KEPT = 2
/** Share of the picture's area. A larger rectangle is nearly the whole picture, which is hashed anyway. */
const MAX_AREA = 0.97

export interface Ranked extends Rectangle {
  readonly score: number
}

/**
 * @returns the rectangles between lines with the highest scores, best first, at most `count`. No two overlap too much, and none is nearly the
 *   whole picture.
 */
export function bestOf(lines: Lines, texture: Texture, count: number): Ranked[] {
  const maxCandidates = pairsOf(lines.columns) * pairsOf(lines.rows)
  const scores = new Float64Array(maxCandidates)
  const edges = new Uint16Array(4 * maxCandidates)
  let seen = 0
  eachCandidate(lines, texture, (candidate) => {
    if (candidate.area > MAX_AREA) return
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
    if (best.length >= ALWAYS_KEPT && candidate.score < MIN_SCORE) break
    const same = best.length < FIRST_FEW ? SAME_OVERLAP : SAME_OVERLAP_LATER
    if (best.every((other) => overlapOf(candidate, other) < same)) best.push(candidate)
  }
  return best
}

function pairsOf({ length }: readonly Line[]): number {
  return (length * (length - 1)) / 2
}

// Finds candidates: registered pictures whose details agree on a common pose in the queried picture.

import { ANGLES } from './describe.js'
import { LEVEL_FACTOR } from './features.js'
import type { PlacedFeature } from './kept.js'

/** A detail of the query that is similar to a registered one. */
export interface FeatureMatch {
  /** Index of the query's feature within its view. */
  readonly needle: number
  /** Index of the registered feature within its picture. */
  readonly row: number
  readonly distanceBits: number
  /** Number of pictures that this needle is near to. A needle that is near to many is weak evidence for each. */
  readonly pictures: number
  readonly asked: PlacedFeature
  readonly registered: PlacedFeature
}

export interface Vote {
  /** Number of distinct registered features that agree, each with a different needle. */
  readonly agreeing: number
  /** Strength of the evidence; higher is stronger. Only for ranking candidates. */
  readonly weight: number
}

/** Scale, rotation and centre of the registered picture in the query, as one match event suggests. */
interface Pose {
  readonly levels: number
  readonly angle: number
  readonly x: number
  readonly y: number
}

/** Maximum differences between two poses of the same picture. Each feature may be detected one level off, and positions are rounded to cells. */
const LEVELS_APART = 2.04
const ANGLES_APART = (25 / 360) * ANGLES
const CENTRE_APART = 0.12

/**
 * @returns the largest group of match events of one registered picture in one view that agree on a pose.
 *
 * @param view size of the query's view in pixels.
 * @param centre centre of the registered picture, in its pixels.
 * Cost: quadratic in the number of match events, which is rarely above ten.
 */
export function voteOf(
  matchEvents: readonly FeatureMatch[],
  view: { readonly width: number; readonly height: number },
  centre: { readonly x: number; readonly y: number },
): Vote {
  const poses = matchEvents.map((matchEvent) => poseOf(matchEvent, centre))
  const reach = CENTRE_APART * Math.max(view.width, view.height)
  let best: Vote = { agreeing: 0, weight: 0 }
  for (const pose of poses) {
    const agreeing = matchEvents.filter((_, i) => poses[i] !== undefined && agree(pose, poses[i], reach))
    const rows = new Set(agreeing.map(({ row }) => row)).size
    const needles = new Set(agreeing.map(({ needle }) => needle)).size
    const vote = { agreeing: Math.min(rows, needles), weight: weightOf(agreeing) }
    if (vote.agreeing > best.agreeing || (vote.agreeing === best.agreeing && vote.weight > best.weight)) best = vote
  }
  return best
}

function poseOf({ asked, registered }: FeatureMatch, centre: { readonly x: number; readonly y: number }): Pose {
  const levels = asked.level - registered.level
  const angle = asked.angle - registered.angle
  const scale = LEVEL_FACTOR ** levels
  const radians = (2 * Math.PI * angle) / ANGLES
  const [dx, dy] = [centre.x - registered.x, centre.y - registered.y]
  return {
    levels,
    angle,
    x: asked.x + scale * (dx * Math.cos(radians) - dy * Math.sin(radians)),
    y: asked.y + scale * (dx * Math.sin(radians) + dy * Math.cos(radians)),
  }
}

function agree(a: Pose, b: Pose | undefined, reachPx: number): boolean {
  if (b === undefined || Math.abs(a.levels - b.levels) > LEVELS_APART) return false
  const rotated = Math.abs(a.angle - b.angle) % ANGLES
  if (Math.min(rotated, ANGLES - rotated) > ANGLES_APART) return false
  return Math.hypot(a.x - b.x, a.y - b.y) <= reachPx
}

/**
 * Weight of a row at distance 0, and what each bit of distance subtracts. The weight is about −log₁₀ of the probability that chance gives the row.
 */
const EXACT_WEIGHT = 7.3
const WEIGHT_PER_BIT = 0.12

/** Counts each row once, by its best match event. */
function weightOf(matchEvents: readonly FeatureMatch[]): number {
  const byRow = new Map<number, number>()
  for (const { row, distanceBits, pictures } of matchEvents) {
    const weight = EXACT_WEIGHT - WEIGHT_PER_BIT * distanceBits - Math.log10(pictures)
    byRow.set(row, Math.max(byRow.get(row) ?? 0, weight))
  }
  return Array.from(byRow.values()).reduce((sum, weight) => sum + weight, 0)
}

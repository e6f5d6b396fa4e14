// Which registered pictures may be in the one that is asked about: those whose details lie to one another as they should.

import { ANGLES } from './describe.js'
import { LEVEL_FACTOR } from './features.js'
import type { PlacedFeature } from './kept.js'

/** A detail of the query that looks like one that is registered. */
export interface MatchEvent {
  /** The number of the query's feature within its view. */
  readonly needle: number
  /** The number of the registered feature within its picture. */
  readonly row: number
  readonly distanceBits: number
  /** How many pictures this needle was near to: what is near to many says little about one. */
  readonly pictures: number
  readonly asked: PlacedFeature
  readonly registered: PlacedFeature
}

export interface Vote {
  /** Distinct registered features that agree, each with a needle of its own. */
  readonly agreeing: number
  /** How surprising that is; larger is more. Only for putting candidates in order. */
  readonly weight: number
}

/** Where the sighting puts the registered picture: how large, how turned, and where its centre. */
interface Pose {
  readonly levels: number
  readonly angle: number
  readonly x: number
  readonly y: number
}

/** Within these two sightings are of one picture: features are found at most a level off, and places are known to a cell. */
const LEVELS_APART = 2.04
const ANGLES_APART = (25 / 360) * ANGLES
const CENTRE_APART = 0.12

/**
 * The sightings of one registered picture in one view that agree best with one another.
 *
 * @param view of the query, in pixels.
 * @param centre of the registered picture, in its pixels.
 * Cost: the square of the number of sightings, of which there are seldom more than ten.
 */
export function voteOf(
  matchEvents: readonly MatchEvent[],
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

function poseOf({ asked, registered }: MatchEvent, centre: { readonly x: number; readonly y: number }): Pose {
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

/** About the logarithm of how unlikely it is to see a row by chance: fewer bits and rarer rows count more. */
const CERTAIN = 7.3
const EACH_BIT = 0.12

/** Each row once, by its best sighting. */
function weightOf(matchEvents: readonly MatchEvent[]): number {
  const byRow = new Map<number, number>()
  for (const { row, distanceBits, pictures } of matchEvents) {
    const weight = CERTAIN - EACH_BIT * distanceBits - Math.log10(pictures)
    byRow.set(row, Math.max(byRow.get(row) ?? 0, weight))
  }
  return Array.from(byRow.values()).reduce((sum, weight) => sum + weight, 0)
}

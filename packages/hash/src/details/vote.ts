// Which registered pictures may be in the one that is asked about: those whose details lie to one another as they should.

import { TURNS } from './describe.js'
import { LEVEL_FACTOR } from './features.js'
import type { PlacedFeature } from './kept.js'

/** A detail of the query that looks like one that is registered. */
export interface Sighting {
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
  readonly turn: number
  readonly x: number
  readonly y: number
}

/** Within these two sightings are of one picture: features are found at most a level off, and places are known to a cell. */
const LEVELS_APART = 2.04
const TURNS_APART = (25 / 360) * TURNS
const CENTRE_APART = 0.12

/**
 * The sightings of one registered picture in one view that agree best with one another.
 *
 * @param view of the query, in pixels.
 * @param centre of the registered picture, in its pixels.
 * Cost: the square of the number of sightings, of which there are seldom more than ten.
 */
export function voteOf(
  sightings: readonly Sighting[],
  view: { readonly width: number; readonly height: number },
  centre: { readonly x: number; readonly y: number },
): Vote {
  const poses = sightings.map((sighting) => poseOf(sighting, centre))
  const reach = CENTRE_APART * Math.max(view.width, view.height)
  let best: Vote = { agreeing: 0, weight: 0 }
  for (const pose of poses) {
    const agreeing = sightings.filter((_, i) => poses[i] !== undefined && agree(pose, poses[i], reach))
    const rows = new Set(agreeing.map(({ row }) => row)).size
    const needles = new Set(agreeing.map(({ needle }) => needle)).size
    const vote = { agreeing: Math.min(rows, needles), weight: weightOf(agreeing) }
    if (vote.agreeing > best.agreeing || (vote.agreeing === best.agreeing && vote.weight > best.weight)) best = vote
  }
  return best
}

function poseOf({ asked, registered }: Sighting, centre: { readonly x: number; readonly y: number }): Pose {
  const levels = asked.level - registered.level
  const turn = asked.turn - registered.turn
  const scale = LEVEL_FACTOR ** levels
  const angle = (2 * Math.PI * turn) / TURNS
  const [dx, dy] = [centre.x - registered.x, centre.y - registered.y]
  return {
    levels,
    turn,
    x: asked.x + scale * (dx * Math.cos(angle) - dy * Math.sin(angle)),
    y: asked.y + scale * (dx * Math.sin(angle) + dy * Math.cos(angle)),
  }
}

function agree(a: Pose, b: Pose | undefined, reachPx: number): boolean {
  if (b === undefined || Math.abs(a.levels - b.levels) > LEVELS_APART) return false
  const turned = Math.abs(a.turn - b.turn) % TURNS
  if (Math.min(turned, TURNS - turned) > TURNS_APART) return false
  return Math.hypot(a.x - b.x, a.y - b.y) <= reachPx
}

/** About the logarithm of how unlikely it is to see a row by chance: fewer bits and rarer rows count more. */
const CERTAIN = 7.3
const EACH_BIT = 0.12

/** Each row once, by its best sighting. */
function weightOf(sightings: readonly Sighting[]): number {
  const byRow = new Map<number, number>()
  for (const { row, distanceBits, pictures } of sightings) {
    const weight = CERTAIN - EACH_BIT * distanceBits - Math.log10(pictures)
    byRow.set(row, Math.max(byRow.get(row) ?? 0, weight))
  }
  return Array.from(byRow.values()).reduce((sum, weight) => sum + weight, 0)
}

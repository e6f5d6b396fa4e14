// What one query reveals of one registered image. A video with several near frames gives one observation.

import { EDGE_BITS, type Edge } from '../../../../packages/core/src/matching/edges.js'
import type { Grade } from '../../../../packages/core/src/matching/grade.js'
import { EDGES, type Observation } from '../observing.js'

/** What is observed of one frame, or of a picture. */
export interface FrameObservation {
  readonly observation: Observation
  /** `undefined` when it is no match. */
  readonly grade: Grade | undefined
  /** Could a few bits make it strong, or keep it from that? */
  readonly isStrongClose: boolean
}

/**
 * One observation of each image.
 * @param frames by ordinal.
 * @param reported the ordinals in the answer.
 */
export function observationsOfImages(
  frames: ReadonlyMap<number, FrameObservation>,
  reported: ReadonlySet<number>,
): readonly Observation[] {
  const byImage = new Map<string, [number, FrameObservation][]>()
  for (const entry of frames) {
    const { imageId } = entry[1].observation
    const own = byImage.get(imageId)
    if (own === undefined) byImage.set(imageId, [entry])
    else own.push(entry)
  }
  return Array.from(byImage.values(), (own) => {
    const [first] = own
    if (first !== undefined && own.length === 1) return first[1].observation
    const inAnswer = own.find(([ordinal]) => reported.has(ordinal))?.[1]
    const { decisive, observation } = together(
      own.map(([, one]) => one),
      inAnswer,
    )
    const ordinals = own.flatMap(([ordinal, one]) => (one === decisive || one === inAnswer ? [ordinal] : []))
    return { ...observation, ordinals }
  })
}

/** Edges, the least revealing first. */
/**
 * A query tells something about a frame that is not in the answer only if a few bits could have put it there. Which frame is in the answer is told by
 * the moment, too.
 */
function together(
  frames: readonly FrameObservation[],
  reported: FrameObservation | undefined,
): { readonly observation: Observation; readonly decisive: FrameObservation } {
  const marks: [number, number] = [0, 0]
  for (const { observation } of frames) {
    marks[0] = (marks[0] + observation.marks[0]) | 0
    marks[1] = (marks[1] + observation.marks[1]) | 0
  }
  const edgeOf = (one: FrameObservation) =>
    reported === undefined || one === reported ? one.observation.edge : edgeBeside(reported, one)
  const [first] = reported === undefined ? frames : [reported]
  if (first === undefined) throw new RangeError('an image has at least one frame')
  const decisive = frames.reduce(
    (most, one) => (EDGES.indexOf(edgeOf(one)) > EDGES.indexOf(edgeOf(most)) ? one : most),
    first,
  )
  const { imageId, distanceBits, plain } = first.observation
  return { observation: { imageId, distanceBits, plain, edge: edgeOf(decisive), marks }, decisive }
}

/** What a frame that is not in the answer reveals beside the one that is. */
function edgeBeside({ observation: reported, grade }: FrameObservation, other: FrameObservation): Edge {
  const { edge, distanceBits } = other.observation
  if (reported.distanceBits === undefined || reported.distanceBits === 0) return 'none'
  if (grade === 'review' || (grade === 'near' && other.isStrongClose)) return edge
  return distanceBits !== undefined && Math.abs(distanceBits - reported.distanceBits) <= EDGE_BITS ? 'inner' : 'none'
}

/** Marks images whose distances are nearly equal: the order of the answer, nearest first, reveals which one is nearer. */
export function withOrder(all: readonly Observation[]): readonly Observation[] {
  if (all.length < 2) return all
  return all.map((one) => {
    const bits = one.distanceBits
    if (one.edge !== 'none' || bits === undefined || bits === 0) return one
    const isClose = all.some((other) => other !== one && Math.abs((other.distanceBits ?? -EDGE_BITS) - bits) <= EDGE_BITS)
    return isClose ? { ...one, edge: 'inner' as const } : one
  })
}

// Chooses the frame of a video that a match reports.

import { GRADES } from '../../../packages/core/src/matching/grade.js'
import type { Match } from './match.js'

interface Answered {
  readonly imageId: string
  readonly match: Pick<Match, 'grade' | 'distanceBits' | 'atMs'>
}

/**
 * The best frame of each video, and all pictures. The best frame has the best grade, and of those the smallest distance. If an animation is found
 * best as a picture, its best frame tells the moment.
 */
export function bestFrames<T extends Answered>(answer: readonly T[]): T[] {
  const best = new Map<string, T>()
  const timed = new Map<string, T>()
  for (const one of answer) {
    for (const known of one.match.atMs === undefined ? [best] : [best, timed]) {
      const other = known.get(one.imageId)
      if (other === undefined || isBetter(one.match, other.match)) known.set(one.imageId, one)
    }
  }
  return [...best.values()].map((one) => {
    const atMs = one.match.atMs ?? timed.get(one.imageId)?.match.atMs
    return atMs === one.match.atMs ? one : { ...one, match: { ...one.match, atMs } }
  })
}

/** Whether a match is better than another of the same image. */
export function isBetter(one: Answered['match'], other: Answered['match']): boolean {
  const grades = GRADES.indexOf(one.grade) - GRADES.indexOf(other.grade)
  return (grades || one.distanceBits - other.distanceBits || (one.atMs ?? 0) - (other.atMs ?? 0)) < 0
}

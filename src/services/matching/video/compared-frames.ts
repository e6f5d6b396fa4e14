// Compares a few frames of a query video in full, as pictures: the nearest ones to each registered picture or video.

import { GRADES } from '../../../../packages/core/src/matching/grade.js'
import { isBetter } from '../best-frames.js'
import { matchesByHashes } from '../match-by-hashes.js'
import type { Observation } from '../observing.js'
import type { AskedFrame, Searched, Target } from './near-frames.js'
import type { AskedTarget, FrameMatch } from './target-match.js'

/** Maximum frames compared for one target, and for a query. The nearest decide the grade. Each costs some twenty searches. */
export const MAX_COMPARED = { perTarget: 3, inAll: 48 } as const

export interface Compared {
  readonly targets: readonly AskedTarget[]
  /** Whether matches of a frame were left out because there were too many. */
  readonly isTruncated: boolean
}

interface Open extends AskedTarget {
  readonly frameMatches: FrameMatch[]
  readonly observations: Observation[]
  /** The nearest first. */
  readonly candidates: readonly AskedFrame[]
}

/**
 * Compares the nearest frame of each target, then the second one of targets that are not strong, then the third. A frame's matches count for all
 * targets that it matches. Pauses whenever it may yield. Cost: at most 48 times `matchesByHashes`.
 */
export function* framesCompared(
  near: ReadonlyMap<number, Target>,
  { asking, ahead, observe, observed, blur }: Searched,
): Generator<void, Compared, void> {
  const open = new Map(Array.from(near, ([ordinal, target]) => [ordinal, opened(target)]))
  const byNearness = [...open.values()].sort((a, b) => nearnessOf(b) - nearnessOf(a) || (a.image.id < b.image.id ? -1 : 1))
  const compared = new Set<AskedFrame>()
  let isTruncated = false
  for (let rank = 0; rank < MAX_COMPARED.perTarget; rank++) {
    for (const { candidates, frameMatches } of byNearness) {
      yield
      const frame = candidates[rank]
      if (frame === undefined || compared.has(frame) || isStrong(frameMatches) || compared.size >= MAX_COMPARED.inAll)
        continue
      compared.add(frame)
      const ofFrame = observe()
      const found = yield* matchesByHashes(ownViews(frame), ahead, asking, { observed: ofFrame, blur, looks: frame })
      isTruncated ||= found.isTruncated
      const observations = ofFrame.all(new Set(found.answer.map(({ ordinal }) => ordinal)))
      for (const one of found.answer) {
        const observation = observations.find(({ imageId }) => imageId === one.imageId)
        open.get(asking.searcher.imageOrdinal(one.ordinal))?.frameMatches.push({ frame, found: one, observation })
      }
      noteAll(open, observations)
    }
  }
  noteAll(open, observed.all(new Set()))
  for (const { frameMatches } of byNearness) frameMatches.sort((a, b) => (isBetter(a.found.match, b.found.match) ? -1 : 1))
  return { targets: byNearness, isTruncated }
}

/**
 * The signals without crops and rotated views. These may decide alone or make lines, but must not corroborate other views, because they show nearly
 * the same. Among 1.01 million unrelated pairs, the only false match came about in this way, and no copy was found by it (bench/record/video.md).
 */
function ownViews({ signals }: AskedFrame): AskedFrame['signals'] {
  return signals.filter(({ view }) => view !== 'tilted')
}

function opened(target: Target): Open {
  const nearest = new Map<AskedFrame, number>()
  for (const { frame, isWithin, surplusBits } of target.near)
    if (isWithin) nearest.set(frame, Math.max(surplusBits, nearest.get(frame) ?? Number.NEGATIVE_INFINITY))
  const candidates = [...nearest].sort(([, a], [, b]) => b - a).map(([frame]) => frame)
  return { ...target, candidates, frameMatches: [], observations: [] }
}

function nearnessOf({ near }: Target): number {
  return near.reduce((most, { surplusBits }) => Math.max(most, surplusBits), Number.NEGATIVE_INFINITY)
}

function isStrong(frameMatches: readonly FrameMatch[]): boolean {
  return frameMatches.some(({ found: { match } }) => GRADES.indexOf(match.grade) <= GRADES.indexOf('strong'))
}

function noteAll(open: ReadonlyMap<number, Open>, observations: readonly Observation[]): void {
  if (observations.length === 0) return
  const byId = new Map(Array.from(open.values(), (target) => [target.image.id, target]))
  for (const one of observations) byId.get(one.imageId)?.observations.push(one)
}

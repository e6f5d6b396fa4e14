// Acts on an organisation whose queries reveal too much about stored hashes: its answers about an image become coarser, and those
// near an edge pseudo-random (blur.ts). The operator is notified. No key is suspended, because uploaders choose what a platform asks.

import { distanceBandOf, worseGrade } from '../../../../packages/core/src/matching/grade.js'
import { MATCH_BITS as MAX_DETAIL_BITS, MIN_INLIERS } from '../../../../packages/hash/src/details/verify.js'
import type { Events } from '../../../store/webhooks/events.js'
import { transformName } from '../graded.js'
import type { Match } from '../match.js'
import { NO_PROBING, type ProbingStep, type Screen } from '../match-steps.js'
import type { CountedObservation } from '../observing.js'
import { createBlur } from './blur.js'
import { createObserved } from './observed.js'
import type { ProbingBudget, ProbingRestriction } from './probing.js'

/**
 * limit: answers become coarser. notify: only the operator is notified, at most once a day, as with `limit`. off: nothing is
 * counted.
 */
export const PROBING_MODES = ['limit', 'notify', 'off'] as const
export type ProbingMode = (typeof PROBING_MODES)[number]

export interface ProbingGuard extends ProbingStep {
  /** Resolves when all started work is done. */
  close(): Promise<void>
}

export interface ProbingGuardParts {
  readonly budget: ProbingBudget
  /** Keys the blur. */
  readonly secret: Buffer
  readonly mode: ProbingMode
  readonly events: Pick<Events, 'add'>
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

/** Minimum time between two reports about an organisation. The store applies it across processes. */
const QUIET_MS = 86_400_000
/** Maximum reports remembered in memory. For older ones only the store prevents a second report. */
const MAX_QUIET = 1000

export function createProbingGuard(parts: ProbingGuardParts): ProbingGuard {
  const { budget, secret, mode, events, now, onError } = parts
  if (mode === 'off') return { ...NO_PROBING, close: () => budget.close() }
  const reportedAtMs = new Map<string, number>()
  let last: Promise<void> = Promise.resolve()
  const behind = (work: () => Promise<void>) => {
    last = last.then(work).catch(onError)
  }
  const notify = (orgId: string) => {
    const nowMs = now()
    const lastAtMs = reportedAtMs.get(orgId)
    if (lastAtMs !== undefined && Math.abs(nowMs - lastAtMs) < QUIET_MS) return
    const [oldest] = reportedAtMs.size >= MAX_QUIET ? reportedAtMs.keys() : []
    if (oldest !== undefined) reportedAtMs.delete(oldest)
    reportedAtMs.delete(orgId)
    reportedAtMs.set(orgId, nowMs)
    behind(async () => {
      try {
        await events.add('key.suspected', { orgId }, nowMs, QUIET_MS / 1000)
      } catch (error) {
        if (reportedAtMs.get(orgId) === nowMs) reportedAtMs.delete(orgId) // report it at the next query
        throw error
      }
    })
  }

  const screenOf = (orgId: string, observations: readonly CountedObservation[]): Screen | undefined => {
    const restrictions = observations.flatMap(({ imageId, plain, moments }) => {
      const restriction = budget.restrictionOf(orgId, imageId, moments)
      return restriction === undefined ? [] : [[imageId, { ...restriction, plain }] as const]
    })
    const isSuspect = budget.isSuspect(
      orgId,
      observations.map(({ imageId }) => imageId),
    )
    if (isSuspect) notify(orgId)
    if (mode === 'notify') return undefined
    if (!restrictions.some(([, { isCoarse }]) => isCoarse)) return undefined
    return coarseScreen(new Map(restrictions))
  }

  return {
    isOn: true,
    observe: createObserved,
    count(orgId, observations, knowsDistance) {
      if (observations.length === 0) return undefined
      const wait = budget.charge(orgId, observations, knowsDistance)
      return wait === undefined ? screenOf(orgId, observations) : wait.then(() => screenOf(orgId, observations))
    },
    blurOf(orgId, digestOf) {
      const blurred = mode === 'limit' ? budget.blurredFor(orgId) : undefined
      return blurred && createBlur(secret, (imageId) => blurred.has(imageId), digestOf)
    },
    async close() {
      await last
      await budget.close()
    },
  }
}

type ImageScreen = ProbingRestriction & Pick<CountedObservation, 'plain'>

/** Makes matches of restricted images coarser: with the largest distance of a range and without agreement. */
function coarseScreen(restrictions: ReadonlyMap<string, ImageScreen>): Screen {
  return (imageId, match) => {
    const restriction = restrictions.get(imageId)
    if (restriction === undefined || !restriction.isCoarse || match.grade === 'exact') return match
    if (match.details !== undefined) return coarseByDetails(match)
    const { isBlurred, plain } = restriction
    const distanceBits = coarseBits(match)
    const { agreement: _, ...rest } = withoutMoments(match)
    return {
      ...rest,
      distanceBits,
      distanceBand: distanceBandOf(distanceBits),
      ...(isBlurred && { grade: worseGrade(match.grade, 'near') }),
      ...(plain !== undefined && { view: plain.view, transform: transformName(plain.orientation) }),
    }
  }
}

/** Removes segments, because they tell which frames of a query are near, as if each were a query; and times, which tell the nearest frame. */
function withoutMoments({ segments: _, queryMs: __, atMs: ___, ...rest }: Match): Match {
  return rest
}

/** Hides how many details agree and which part of the query they cover. */
function coarseByDetails(match: Match): Match {
  const distanceBits = MAX_DETAIL_BITS
  const details = { inliers: MIN_INLIERS, surplus: 0, region: { left: 0, top: 0, right: 1, bottom: 1 } }
  return { ...match, distanceBits, distanceBand: distanceBandOf(distanceBits), details }
}

/** The distance that a coarse match shows: the largest of a range, so that all bands within the range look the same. */
function coarseBits({ signalType, distanceBits }: Match): number {
  if (signalType === 'pdq-area') return 60
  return distanceBits <= 31 ? 31 : 90
}

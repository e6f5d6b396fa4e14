// A matcher alone: without details, recorded matches and limits on probing.

import { createEventLoopScheduler, LOOP } from '../../src/services/load/event-loop-scheduler.js'
import { harmlessStep } from '../../src/services/matching/harmless/harmless-filter.js'
import type { Match, MatchOptions, QueryPicture } from '../../src/services/matching/match.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { NO_PROBING } from '../../src/services/matching/match-steps.js'
import { createMatcher, type Matcher, type MatcherParts } from '../../src/services/matching/matcher.js'
import type { CountedObservation } from '../../src/services/matching/observing.js'
import { createObserved } from '../../src/services/matching/probing/observed.js'
import type { ProbingGuard } from '../../src/services/matching/probing/probing-guard.js'
import { createViewIds } from '../../src/services/matching/stopped-views.js'
import type { AskedVideo, VideoMatcher, VideoMatchOptions } from '../../src/services/matching/video/video-matcher.js'

export const viewIdOf = createViewIds(Buffer.alloc(32, 2))

export const BARE: Omit<MatcherParts, 'replica'> = {
  matchIds: createMatchIds(Buffer.alloc(32, 1)),
  viewIdOf,
  harmless: harmlessStep,
  details: undefined,
  matchEvents: { note() {} },
  probing: NO_PROBING,
  scheduler: createEventLoopScheduler(LOOP, () => performance.now()),
}

export function bareMatcher(parts: Pick<MatcherParts, 'replica'> & Partial<MatcherParts>): Matcher {
  return createMatcher({ ...BARE, ...parts })
}

/** A probing guard that passes observations to a function, which may return how to show matches. */
export function probingThatSees(
  see: (observations: readonly CountedObservation[]) => ReturnType<ProbingGuard['count']>,
): MatcherParts['probing'] {
  return { ...NO_PROBING, isOn: true, observe: createObserved, count: (_, observations) => see(observations) }
}

/** @param pictures or only their signals. */
export async function matchesOf(
  matcher: Pick<Matcher, 'match'>,
  pictures: Iterable<QueryPicture | QueryPicture['signals']>,
  options: MatchOptions,
): Promise<(readonly Match[])[]> {
  const results = await matcher.match(
    Array.from(pictures, (picture) => ('signals' in picture ? picture : { signals: picture })),
    options,
  )
  return results.map(({ matches }) => matches)
}

export async function matchesOfVideos(
  matcher: VideoMatcher,
  videos: readonly AskedVideo[],
  options: VideoMatchOptions,
): Promise<(readonly Match[])[]> {
  const results = await matcher.matchVideos(videos, options)
  return results.map(({ matches }) => matches)
}

// A matcher with nothing around it: no details, nobody who notes what was met or looks for probing.

import { createEventLoopScheduler, LOOP } from '../../src/services/load/event-loop-scheduler.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { createMatcher, type Matcher, type MatcherParts } from '../../src/services/matching/matcher.js'
import { NO_PROBING } from '../../src/services/matching/probing/probing-guard.js'
import { createViewIds } from '../../src/services/matching/stopped-views.js'

export const viewIdOf = createViewIds(Buffer.alloc(32, 2))

export const BARE: Omit<MatcherParts, 'replica'> = {
  matchIds: createMatchIds(Buffer.alloc(32, 1)),
  viewIdOf,
  finder: undefined,
  matchEvents: { note() {} },
  probing: NO_PROBING,
  scheduler: createEventLoopScheduler(LOOP, () => performance.now()),
}

export function bareMatcher(parts: Pick<MatcherParts, 'replica'> & Partial<MatcherParts>): Matcher {
  return createMatcher({ ...BARE, ...parts })
}

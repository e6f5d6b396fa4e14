// A matcher with nothing around it: no details, nobody who notes what was met or looks for probing.

import { LOOP, turnsOfLoop } from '../../src/services/load/event-loop-scheduler.js'
import { matchIdsWith } from '../../src/services/matching/match-ids.js'
import { type Matcher, type MatcherParts, matcherOver } from '../../src/services/matching/matcher.js'
import { NO_PROBING } from '../../src/services/matching/probing-guard.js'

export function bareMatcher(parts: Pick<MatcherParts, 'replica'> & Partial<MatcherParts>): Matcher {
  return matcherOver({
    matchIds: matchIdsWith(Buffer.alloc(32, 1)),
    finder: undefined,
    sightings: { note() {} },
    probing: NO_PROBING,
    turns: turnsOfLoop(LOOP, () => performance.now()),
    ...parts,
  })
}

// A matcher with nothing around it: no details, nobody who notes what was met or looks for probing.

import { matchIdsWith } from '../../src/services/match-ids.js'
import { type Matcher, type MatcherParts, matcherOver } from '../../src/services/matcher.js'
import { NO_PROBING } from '../../src/services/probing-guard.js'
import { LOOP, turnsOfLoop } from '../../src/services/turns-of-loop.js'

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

// The matching parts: queries by hashes and details, and detection of probing.

import { createDetailing } from '../services/intake/prepare-details.js'
import { createBitPermutation } from '../services/matching/details/bit-permutation.js'
import { createCommonRows } from '../services/matching/details/common-rows.js'
import { createDetailFinder } from '../services/matching/details/detail-finder.js'
import { createDetailsStep } from '../services/matching/details/match-by-details.js'
import { harmlessStep } from '../services/matching/harmless/harmless-filter.js'
import { refusingUnknownBanks } from '../services/matching/match-scope.js'
import { NO_PROBING } from '../services/matching/match-steps.js'
import { createMatcher } from '../services/matching/matcher.js'
import { createProbingBudget } from '../services/matching/probing/probing.js'
import { createProbingGuard } from '../services/matching/probing/probing-guard.js'
import { createVideoMatcher } from '../services/matching/video/video-matcher.js'
import { createProbingCounts } from '../store/trust/probing.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'
import type { TrustParts } from './trust-parts.js'

export type MatchParts = ReturnType<typeof createMatchParts>

export function createMatchParts(parts: StoreParts, index: IndexParts, { matchEvents, events, dailyCounts }: TrustParts) {
  const { options, lifecycle, matchIds, viewIdOf, scheduler } = parts
  const { replica } = index
  const details = options.extendedProtection ? detailParts(parts, index) : undefined
  const probing = lifecycle.keep('probing', openProbingGuard(parts, events))
  const common = { replica, matchIds, viewIdOf, scheduler, harmless: harmlessStep }
  const matcher = createMatcher({ ...common, details: details?.step, matchEvents, probing })
  const videoMatcher = createVideoMatcher({ ...common, matchEvents, probing })
  return {
    /** Matchers whose matches are not counted in statistics. */
    uncounted: { ...matcher, ...videoMatcher },
    /** Matcher for internal checks: its matches are not counted and have no effects. */
    quiet: createMatcher({ ...common, details: undefined, matchEvents: { note() {} }, probing: NO_PROBING }),
    /** Undefined if no details are kept. */
    detailing: details?.detailing,
    services: {
      matcher: dailyCounts.counted(matcher),
      videoMatcher: dailyCounts.countedVideos(videoMatcher),
      refuseUnknownBanks: refusingUnknownBanks(replica),
      matchIds,
      scheduler,
    },
  }
}

function openProbingGuard({ options, store, secrets }: StoreParts, events: TrustParts['events']) {
  const { now, onError } = options
  return createProbingGuard({
    budget: createProbingBudget({ counts: createProbingCounts(store), secret: secrets.pseudonym, now, onError }),
    secret: secrets.pseudonym,
    mode: options.probing ?? 'notify',
    events,
    now,
    onError,
  })
}

function detailParts({ options, secrets, images }: StoreParts, { replica }: IndexParts) {
  const permutation = createBitPermutation(secrets.details)
  const common = createCommonRows(permutation)
  return {
    step: createDetailsStep(createDetailFinder({ images, permutation, common })),
    detailing: createDetailing({ replica, permutation, common, clock: options.clock }),
  }
}

// The matching parts: queries by hashes and by details, and the look-out for searches for what is stored.

import { detailingWith } from '../services/intake/prepare-details.js'
import { commonRowsUnder } from '../services/matching/common-rows.js'
import { veilFrom } from '../services/matching/descriptor-permutation.js'
import { detailFinderWith } from '../services/matching/detail-finder.js'
import { matcherOver } from '../services/matching/matcher.js'
import { createProbingBudget } from '../services/matching/probing.js'
import { NO_PROBING, probingGuard } from '../services/matching/probing-guard.js'
import { createTurnedBits } from '../services/matching/turned-bits.js'
import { createProbingCounts } from '../store/trust/probing.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'
import type { TrustParts } from './trust-parts.js'

export type MatchParts = ReturnType<typeof createMatchParts>

export function createMatchParts(parts: StoreParts, index: IndexParts, { sightings, events, tallies }: TrustParts) {
  const { options, lifecycle, matchIds, turns } = parts
  const { replica } = index
  const details = options.extendedProtection ? detailParts(parts, index) : undefined
  const probing = lifecycle.keep('probing', createProbingGuard(parts, index, events))
  const common = { replica, matchIds, turns }
  const matcher = matcherOver({ ...common, finder: details?.finder, sightings, probing })
  return {
    /** Whose answers are not counted for people to look at. */
    uncounted: matcher,
    /** Says whether a picture is there, and is nobody's question: nothing follows from what it finds. */
    quiet: matcherOver({ ...common, finder: undefined, sightings: { note() {} }, probing: NO_PROBING }),
    /** Undefined where no details are kept. */
    detailing: details?.detailing,
    services: { matcher: tallies.counted(matcher), matchIds, turns },
  }
}

function createProbingGuard(
  { options, store, secrets, apiKeys }: StoreParts,
  { replica }: IndexParts,
  events: TrustParts['events'],
) {
  const { now, onTrouble } = options
  return probingGuard({
    budget: createProbingBudget({ counts: createProbingCounts(store), secret: secrets.party, now, onTrouble }),
    turnedBits: createTurnedBits({ now }),
    mode: options.probing ?? 'tell',
    apiKeys,
    known: () => replica.catalogue.apiKeys.values(),
    events,
    now,
    onTrouble,
  })
}

function detailParts({ options, secrets, images }: StoreParts, { replica }: IndexParts) {
  const veil = veilFrom(secrets.details)
  const common = commonRowsUnder(veil)
  return {
    finder: detailFinderWith({ images, veil, common }),
    detailing: detailingWith({ replica, veil, common, clock: options.clock }),
  }
}

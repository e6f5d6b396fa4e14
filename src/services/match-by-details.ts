// Matches by details: where hashes find nothing, or when the caller wants to know it all.

import type { Bank } from '../domain/bank.js'
import { distanceBandOf } from '../domain/grade.js'
import type { AskedView } from '../hash/details/features.js'
import type { DetailFinder, FoundByDetails } from './detail-finder.js'
import type { Match } from './matcher.js'
import type { Searcher } from './searcher.js'
import { harmlessBanks } from './veto.js'

/** What a match by details says besides. */
export interface MatchedDetails {
  /** How many details agree: 8 at least, where chance agrees in 7 at most. */
  readonly inliers: number
  /** What they cover of the picture that was asked about, in parts of its sides, 0…1. */
  readonly region: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }
}

export interface AskingByDetails {
  readonly searcher: Searcher
  readonly banks: ReadonlyMap<string, Bank>
  /** Also as a mirror shows it? */
  readonly mirrors: boolean
  /** Images that hashes found already, by ordinal. */
  readonly except: ReadonlySet<number>
  readonly giveWay: () => Promise<void> | undefined
  readonly matchIdOf: (imageId: string) => string
}

/** @throws {Problem} store-away */
export async function matchesByDetails(finder: DetailFinder, views: readonly AskedView[], asking: AskingByDetails) {
  const { searcher, banks, mirrors, except, giveWay, matchIdOf } = asking
  const vetoing = harmlessBanks(searcher)
  const role = (ordinal: number) => {
    const bank = searcher.factsOf(ordinal)?.bank ?? ''
    if (vetoing.has(bank)) return 'harmless'
    return banks.has(bank) && !except.has(ordinal) ? 'wanted' : undefined
  }
  const found = await finder.find(views, { searcher, mirrors, role, giveWay })
  return found.map((each) => ({
    ordinal: each.ordinal,
    imageId: each.image.id,
    match: describe(each, matchIdOf(each.image.id)),
  }))
}

/** Never strong: whether details are as sure as two algorithms that agree has not been shown over as many pairs. */
function describe({ image, inliers, distanceBits, region, isMirrored }: FoundByDetails, matchId: string): Match {
  return {
    matchId,
    grade: 'near',
    distanceBits,
    distanceBand: distanceBandOf(distanceBits),
    signalType: 'detail',
    view: 'details',
    transform: isMirrored ? 'flipY' : 'original',
    bank: image.bank,
    tier: image.tier,
    category: image.category,
    disputed: image.disputed,
    details: { inliers, region },
  }
}

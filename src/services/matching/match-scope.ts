// Decides with which banks a query is compared, how far to search, and what the caller may see.

import {
  type Bank,
  isAnswering,
  isVisibleTo,
  ownerReviewBits,
  widestThresholdOf,
} from '../../../packages/core/src/matching/bank.js'
import { marginBits } from '../../../packages/core/src/matching/edges.js'
import { comparedImages, PER_PAIR, perUpload, type Strictness } from '../../../packages/core/src/matching/registry-size.js'
import { SIGNAL_TYPES } from '../../../packages/core/src/matching/signal-types.js'
import { Problem } from '../../domain/problem.js'
import type { Catalogue } from '../index/catalogue.js'
import type { RegistrySize } from '../index/image-facts.js'
import type { Replica } from '../index/replica.js'
import type { Answer } from './answer.js'
import type { Radius, WidestOf } from './batch-search.js'
import type { Match, MatchOptions } from './match.js'

/** @throws {Problem} bank-unknown */
export function banksAsked(
  catalogue: Catalogue,
  { banks: names, orgId }: Pick<MatchOptions, 'banks' | 'orgId'>,
): ReadonlyMap<string, Bank> {
  const asked = new Map<string, Bank>()
  if (names === undefined) {
    for (const [name, bank] of catalogue.banks) if (isAnswering(bank) && isVisibleTo(bank, orgId)) asked.set(name, bank)
    return asked
  }
  for (const name of names) {
    const bank = catalogue.banks.named(orgId, name)
    if (bank?.purpose !== 'match' || bank.removedAtMs !== undefined || !isVisibleTo(bank, orgId))
      throw new Problem('bank-unknown')
    if (isAnswering(bank)) asked.set(bank.name, bank)
  }
  return asked
}

/**
 * Checks the banks of a query before its upload is read. Queries without banks ask all that answer.
 * @throws {Problem} bank-unknown, index-loading, store-unavailable
 */
export type RefuseUnknownBanks = (asked: Pick<MatchOptions, 'banks' | 'orgId'>) => void

export function refusingUnknownBanks(replica: Pick<Replica, 'catalogue'>): RefuseUnknownBanks {
  return (asked) => {
    if (asked.banks !== undefined) banksAsked(replica.catalogue, asked)
  }
}

/** The widest radius that any of the banks needs, by type, computed once for all pictures. @param withMargin whether to search slightly farther. */
export function widestIn(
  banks: ReadonlyMap<string, Bank>,
  { thresholdBits, orgId }: Pick<MatchOptions, 'thresholdBits' | 'orgId'>,
  withMargin: boolean,
): WidestOf {
  const widest = new Map<string, Radius>()
  return (type, view, rotated) => {
    const key = `${type} ${view} ${rotated}`
    const known = widest.get(key)
    if (known !== undefined) return known
    const reachOf = (bank: Bank) =>
      Math.max(widestThresholdOf(bank, type, view, rotated), ownerReviewBits(bank, type, orgId))
    const asked = thresholdBits ?? Math.max(...Array.from(banks.values(), reachOf))
    const bits = Math.min(asked, SIGNAL_TYPES[type].maxThresholdBits)
    const radius = { bits, marginBits: withMargin ? marginBits(type, bits) : 0 }
    widest.set(key, radius)
    return radius
  }
}

/**
 * How strict the grades are. All registered images count, also those of banks that are not queried, because counting one bank takes milliseconds.
 * Recent ones count only for each other: one case could make all other matches weaker.
 * @param shown how many pictures an upload shows: 1, or the frames of a video.
 */
export function strictnessIn(catalogue: Catalogue, { grading }: Pick<MatchOptions, 'grading'>, shown = 1): Strictness {
  if (grading !== 'per-upload') return PER_PAIR
  const { images, recent } = catalogue
  const pdqRows = catalogue.index('pdq').liveRows
  const among = (size: RegistrySize) => perUpload(shown * comparedImages(size.images, size.pdqRows), size.images)
  const ofRecent = among({ images, pdqRows })
  if (recent.images === 0) return ofRecent
  const settled = among({ images: images - recent.images, pdqRows: pdqRows - recent.pdqRows })
  return settled === ofRecent ? settled : { ...settled, ofRecent }
}

/** Matches with bank names as the caller sees them. */
export function matchesIn(answer: Answer, { banks }: Catalogue, orgId: string): Match[] {
  if (!banks.isAnyShared) return answer.map(({ match }) => match)
  return answer.map(({ match }) => {
    const bank = banks.get(match.bank)
    return bank === undefined ? match : { ...match, bank: banks.shownTo(orgId, bank) }
  })
}

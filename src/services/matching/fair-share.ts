// How much a picture is answered with, where very much is near: a bounded number of matches, the nearest of each owner first. Many copies that one
// person or organisation registers neither fill the memory nor push out what others registered.

import { type Origin, sharedOut } from '../../domain/cases/share.js'
import { CASES_BANK_NAME } from '../../domain/organisations/bank.js'
import type { Hit } from '../../search/hit.js'
import { originIn } from '../index/image-ids.js'
import type { Searcher } from '../index/searcher.js'
import type { Match } from './match.js'

/** Matches: of one picture, of all pictures of a call, and of one case for a picture. A match takes some 250 bytes of an answer. */
export const MAX_MATCHES = { perPicture: 100, perCall: 20_000, perCase: 5 } as const

/** Hits of a search that are looked at one by one, however they are shared. */
const FEW_HITS = 512
/** Images that are looked at more closely, because a nearer one may turn out to be no match: of a case, of a bank, and in all. */
const MAX_CANDIDATES = { perCase: 8, perBank: 400, inAll: 2000 } as const
/** Of a bank, or of all cases: the nearest of so many are shared out among the cases. */
const MAX_SHARED = 8192
const HITS_AT_ONCE = 1024

/** How many matches each of so many pictures may have. */
export function maxMatchesOf(pictures: number): number {
  const share = Math.floor(MAX_MATCHES.perCall / Math.max(1, pictures))
  return Math.max(MAX_MATCHES.perCase, Math.min(MAX_MATCHES.perPicture, share))
}

interface SharedHits {
  readonly hits: readonly Hit[]
  readonly isAll: boolean
}

/**
 * All hits if they are few; else those of the images that are nearest, of each case, bank and organisation some.
 * @param isNear says whether a hit is near enough for its bank.
 */
export function* shareOfHits(
  searcher: Pick<Searcher, 'factsOf' | 'originOf' | 'banks'>,
  hits: readonly Hit[],
  isNear: (hit: Hit) => boolean,
): Generator<void, SharedHits, void> {
  if (hits.length <= FEW_HITS) return { hits, isAll: true }
  const near: Hit[] = []
  for (const [i, hit] of hits.entries()) {
    if (i % HITS_AT_ONCE === HITS_AT_ONCE - 1) yield
    if (isNear(hit)) near.push(hit)
  }
  near.sort((a, b) => a.distanceBits - b.distanceBits)
  yield
  const seen = new Set<number>()
  const ofBank = new Map<string, { readonly image: number; readonly origin: Origin }[]>()
  const ofCase = new Map<number, number>()
  for (const [i, { image }] of near.entries()) {
    if (i % HITS_AT_ONCE === HITS_AT_ONCE - 1) yield
    if (seen.has(image)) continue
    seen.add(image)
    const bank = searcher.factsOf(image)?.bank ?? ''
    const isCase = bank === CASES_BANK_NAME
    const part = isCase ? searcher.originOf(image) : bank
    if (typeof part === 'number') {
      const count = (ofCase.get(part) ?? 0) + 1
      ofCase.set(part, count)
      if (count > MAX_CANDIDATES.perCase) continue
    }
    const own = ofBank.get(bank) ?? []
    ofBank.set(bank, own)
    if (own.length < (isCase ? MAX_SHARED : MAX_CANDIDATES.perBank))
      own.push({ image, origin: { party: searcher.banks.get(bank)?.orgId ?? '', part } })
  }
  const candidates = [...ofBank.values()].flatMap((own) => sharedOut(own, MAX_CANDIDATES.perBank, ({ origin }) => origin))
  yield
  const chosen = new Set(sharedOut(candidates, MAX_CANDIDATES.inAll, ({ origin }) => origin).map(({ image }) => image))
  return { hits: near.filter(({ image }) => chosen.has(image)), isAll: chosen.size === seen.size }
}

interface Answered {
  readonly imageId: string
  readonly match: Pick<Match, 'bank' | 'grade'>
}

/**
 * At most so many of what is in order: a few of each case, and where that is still too much, the first of each party before the second of any.
 * What is for review alone takes no place of another.
 * @param pseudonymOf whose a bank is.
 */
export function shareOfMatches<T extends Answered>(
  inOrder: readonly T[],
  most: number,
  pseudonymOf: (bank: string) => string | undefined,
): readonly T[] {
  if (inOrder.length <= MAX_MATCHES.perCase) return inOrder
  const isReview = ({ match }: T) => match.grade === 'review'
  const ofCase = new Map<string, number>()
  const isOfFew = ({ imageId, match }: T) => {
    if (match.bank !== CASES_BANK_NAME) return true
    const count = (ofCase.get(originIn(imageId)) ?? 0) + 1
    ofCase.set(originIn(imageId), count)
    return count <= MAX_MATCHES.perCase
  }
  const sure = inOrder.filter((one) => !isReview(one)).filter(isOfFew)
  const unsure = inOrder.filter(isReview).filter(isOfFew)
  const originOf = ({ imageId, match: { bank } }: T): Origin => ({
    party: pseudonymOf(bank) ?? '',
    part: bank === CASES_BANK_NAME ? originIn(imageId) : bank,
  })
  const kept = new Set(sharedOut(sure, most, originOf))
  for (const one of sharedOut(unsure, most - kept.size, originOf)) kept.add(one)
  return kept.size === inOrder.length ? inOrder : inOrder.filter((one) => kept.has(one))
}

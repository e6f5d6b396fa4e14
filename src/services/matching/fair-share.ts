// Bounds the matches of a picture, the nearest of each owner first. So many copies registered by one person or organisation
// neither fill the memory nor displace matches of others.

import { CASES_BANK_NAME } from '../../../packages/core/src/matching/bank.js'
import { fairShareOf, type Origin } from '../../../packages/core/src/matching/share.js'
import type { Hit } from '../../../packages/core/src/search/hit.js'
import { originIn } from '../index/image-ids.js'
import type { Searcher } from '../index/searcher.js'
import type { Match } from './match.js'

/**
 * Maximum matches of one picture, of all pictures of a call, and of one case for one picture. A match takes about 250 bytes in
 * an answer.
 */
export const MAX_MATCHES = { perPicture: 100, perCall: 20_000, perCase: 5 } as const

/** If there are at most this many hits, all are examined. */
const FEW_HITS = 512
/**
 * Maximum images examined per case, per bank and in all. More than the maximum matches, because a near image may turn out not
 * to match.
 */
const MAX_CANDIDATES = { perCase: 8, perBank: 400, inAll: 2000 } as const
/** Maximum frames examined of a video, the nearest. */
const MAX_FRAMES_OF_VIDEO = 8
/** Maximum images of all cases together, the nearest, from which the share of each case is taken. */
const MAX_SHARED = 8192
const HITS_AT_ONCE = 1024

/** Maximum matches of each picture in a call with this number of pictures. */
export function maxMatchesOf(pictures: number): number {
  const share = Math.floor(MAX_MATCHES.perCall / Math.max(1, pictures))
  return Math.max(MAX_MATCHES.perCase, Math.min(MAX_MATCHES.perPicture, share))
}

interface SharedHits {
  readonly hits: readonly Hit[]
  readonly isAll: boolean
}

/**
 * All hits if they are few. Otherwise those of the nearest images, a fair share of each case, bank and organisation.
 * @param isNear whether a hit is near enough for its bank.
 */
export function* shareOfHits(
  searcher: Pick<Searcher, 'factsOf' | 'originOf' | 'imageOrdinal' | 'banks'>,
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
  const frames = new Map<number, Set<number>>()
  const seen = new Set<number>()
  const ofBank = new Map<string, { readonly image: number; readonly origin: Origin }[]>()
  const ofCase = new Map<number, number>()
  for (const [i, hit] of near.entries()) {
    if (i % HITS_AT_ONCE === HITS_AT_ONCE - 1) yield
    const image = searcher.imageOrdinal(hit.image)
    if (image !== hit.image) addFrame(frames, image, hit.image)
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
      own.push({ image, origin: { owner: searcher.banks.get(bank)?.orgId ?? '', part } })
  }
  const candidates = [...ofBank.values()].flatMap((own) => fairShareOf(own, MAX_CANDIDATES.perBank, ({ origin }) => origin))
  yield
  const chosen = new Set(fairShareOf(candidates, MAX_CANDIDATES.inAll, ({ origin }) => origin).map(({ image }) => image))
  const isChosen = ({ image: ordinal }: Hit) => {
    const image = searcher.imageOrdinal(ordinal)
    return chosen.has(image) && (image === ordinal || frames.get(image)?.has(ordinal) === true)
  }
  return { hits: near.filter(isChosen), isAll: chosen.size === seen.size }
}

/** Keeps the first frames of each video. */
function addFrame(frames: Map<number, Set<number>>, video: number, frame: number): void {
  const known = frames.get(video) ?? new Set<number>()
  frames.set(video, known)
  if (known.size < MAX_FRAMES_OF_VIDEO) known.add(frame)
}

interface Answered {
  readonly imageId: string
  readonly match: Pick<Match, 'bank' | 'grade'>
}

/**
 * At most `maxMatches` matches, in order. Each case gets a few. If there are still too many, organisations share: the first match of
 * each comes before the second of any. Matches of the grade `review` never displace others.
 * @param ownerOf the organisation that owns a bank.
 */
export function shareOfMatches<T extends Answered>(
  inOrder: readonly T[],
  maxMatches: number,
  ownerOf: (bank: string) => string | undefined,
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
    owner: ownerOf(bank) ?? '',
    part: bank === CASES_BANK_NAME ? originIn(imageId) : bank,
  })
  const kept = new Set(fairShareOf(sure, maxMatches, originOf))
  for (const one of fairShareOf(unsure, maxMatches - kept.size, originOf)) kept.add(one)
  return kept.size === inOrder.length ? inOrder : inOrder.filter((one) => kept.has(one))
}

// Finds registered pictures and changed copies of them, using only memory.

import { hasPieces } from '../../../packages/core/src/matching/agreement.js'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import { strictnessFor } from '../../../packages/core/src/matching/registry-size.js'
import type { AskedView } from '../../../packages/hash/src/details/features.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { Problem } from '../../domain/problem.js'
import { DETAILS_VIEW, lookOf } from '../../domain/trust/flood.js'
import type { Catalogue } from '../index/catalogue.js'
import type { CatalogueImage } from '../index/image-facts.js'
import type { Replica } from '../index/replica.js'
import type { Searcher } from '../index/searcher.js'
import type { EventLoopScheduler } from '../load/event-loop-scheduler.js'
import { tickEnds } from '../load/yielding.js'
import {
  type FoundAhead,
  firstPassBitsAmong,
  gathered,
  isNowhere,
  NOTHING_AHEAD,
  runCooperatively,
  searchAhead,
} from './batch-search.js'
import type { DetailFinder } from './detail-finder.js'
import { maxMatchesOf } from './fair-share.js'
import { inOrder, type Looks, type Match, type MatchOptions, type QueryPicture, type QueryResult } from './match.js'
import { accountOfDetails, digestOfDetails, matchesByDetails } from './match-by-details.js'
import { type Answer, type AskingByHashes, type FoundByHashes, matchesByHashes, NOTHING_FOUND } from './match-by-hashes.js'
import type { MatchIds } from './match-ids.js'
import type { MatchEvents } from './match-recorder.js'
import { banksAsked, matchesIn, strictnessIn, widestIn } from './match-scope.js'
import { type CountedObservation, withMoments } from './observation.js'
import { createObserved, NOT_OBSERVED, type Observed } from './observed.js'
import { type Blur, digestOf, isBlurredSince } from './probing/blur.js'
import type { ProbingGuard, Screen } from './probing/probing-guard.js'
import { createActiveViews, type ViewIdOf } from './stopped-views.js'

export interface Matcher {
  /** Whether it can match by details. If not, views are ignored. */
  readonly knowsDetails: boolean
  /** Whether any image has details. If not, a query needs none. @throws {Problem} index-loading, store-unavailable */
  hasDetails(): boolean
  /**
   * @returns for each picture the registered images within the threshold, nearest first, each once; then those that details find. At most
   *   `MAX_MATCHES`, shared fairly. For a picture with few views the search is complete. For one with many it is complete within
   *   `firstPassBitsAmong`, and farther images may rarely be missed (`firstPassOf`).
   * @throws {Problem} bank-unknown, index-loading, store-unavailable
   * Yields about every millisecond, also while it reads `pictures`. Searches for all pictures before it answers the first.
   */
  match(pictures: Iterable<QueryPicture>, options: MatchOptions): Promise<QueryResult[]>
}

export interface MatcherParts {
  readonly replica: Pick<Replica, 'catalogue'>
  readonly matchIds: MatchIds
  readonly viewIdOf: ViewIdOf
  /** `undefined` where extended protection is off. */
  readonly finder: DetailFinder | undefined
  /** Called with each answer; returns at once. */
  readonly matchEvents: Pick<MatchEvents, 'note'>
  /** Called with each query before it is answered. */
  readonly probing: Pick<ProbingGuard, 'isOn' | 'count' | 'blurOf'>
  /** Yields the event loop during long work. */
  readonly scheduler: Pick<EventLoopScheduler, 'yielder' | 'atEndOfTick'>
}

export function createMatcher(parts: MatcherParts): Matcher {
  const tickEnd = tickEnds(parts.scheduler.atEndOfTick)
  return {
    knowsDetails: parts.finder !== undefined,
    hasDetails: () => parts.finder !== undefined && parts.replica.catalogue.index('detail').liveRows > 0,
    async match(pictures, options) {
      await tickEnd()
      const catalogue = parts.replica.catalogue
      const searcher = catalogue.searcher()
      try {
        return await matchIn({ parts, catalogue, searcher, options }, pictures)
      } finally {
        searcher.release()
      }
    },
  }
}

interface Call {
  readonly parts: MatcherParts
  readonly catalogue: Catalogue
  readonly searcher: Searcher
  readonly options: MatchOptions
}

/** A call whose pictures have been searched for. */
interface Searched extends Call {
  readonly yieldIfNeeded: () => Promise<void> | undefined
  readonly ahead: FoundAhead
  readonly asking: AskingByHashes
}

async function matchIn(call: Call, pictures: Iterable<QueryPicture>): Promise<QueryResult[]> {
  const { parts, catalogue, searcher, options } = call
  const { matchIds, viewIdOf, probing, replica } = parts
  const banks = banksAsked(catalogue, options)
  const widestOf = widestIn(banks, options, probing.isOn)
  const yieldIfNeeded = parts.scheduler.yielder()
  const all = Array.isArray(pictures) ? pictures : await runCooperatively(gathered(pictures), yieldIfNeeded)
  const isNarrowed = (imageId: string) => catalogue.isNarrowed(imageId)
  // Computed once for all pictures, because the registry may grow while this yields.
  const firstPassBits =
    options.thresholdBits === undefined ? firstPassBitsAmong(catalogue.index('pdq-area').liveRows) : undefined
  const strictness = strictnessIn(catalogue, options)
  // No object spread here and below: V8 keeps a hidden class for each object that a spread creates, until the next full garbage collection.
  const asking = {
    searcher,
    banks,
    widestOf,
    firstPassBits,
    options,
    matchIds,
    most: maxMatchesOf(all.length),
    isNarrowed,
    activeViews: createActiveViews(catalogue, searcher, viewIdOf),
    viewIdOf,
    strictness,
  }
  const isAhead = all.length > 1
  const ahead = isAhead
    ? await runCooperatively(searchAhead(searcher, all, widestOf, firstPassBits), yieldIfNeeded)
    : NOTHING_AHEAD
  const searched = { parts, catalogue, searcher, options, yieldIfNeeded, ahead, asking }
  const answers: FoundByHashes[] = []
  for (const picture of all) {
    // Yields only when it is time, because yielding costs more than answering a picture without matches.
    const pause = yieldIfNeeded()
    if (pause !== undefined) await pause
    const found = isNowhere(picture.signals, ahead) ? NOTHING_FOUND : await answerByHashes(searched, picture)
    const views = viewsAsked(searched, picture, found.answer)
    const answer = views === undefined ? found.answer : await withDetails(searched, views, found.answer)
    answers.push({ answer, isTruncated: found.isTruncated })
  }
  await options.beforeAnswer?.()
  // The replica may have loaded a new catalogue while a long batch yielded.
  if (replica.catalogue !== catalogue) throw new Problem('index-loading', { retryAfterS: 1 })
  return answers.map(({ answer, isTruncated }, i) => ({
    matches: answer.length === 0 ? [] : noteAnswer(searched, answer, all[i]),
    isTruncated,
  }))
}

/** Removes images that were withdrawn while a long batch yielded, and records the other matches. */
function noteAnswer(
  { parts, catalogue, searcher, options: { orgId } }: Searched,
  answer: Answer,
  picture: QueryPicture | undefined,
): Match[] {
  const remaining = answer.filter(({ ordinal }) => searcher.has(ordinal))
  const recorded = remaining.filter(({ match }) => match.grade !== 'review')
  const seen = shownBy(picture?.signals ?? [])
  const noted = recorded.map(({ ordinal, imageId, view, areSeveral, isCopy = false }) => {
    const isSeen = !isCopy && (areSeveral === true || view !== undefined)
    return { imageId, look: isSeen && seen !== undefined ? lookOf(seen, searcher.frameNumberOf(ordinal)) : undefined, view }
  })
  parts.matchEvents.note(orgId, noted, picture?.context)
  return matchesIn(remaining, catalogue, orgId)
}

/** The rule for forms compares pieces. So it does not apply to a query without pieces. */
function looksIn({ signals, isForm = false, isObject = false }: QueryPicture): Looks {
  return { isForm: isForm && hasPieces(signals), isObject }
}

async function answerByHashes(searched: Searched, picture: QueryPicture): Promise<FoundByHashes> {
  const { signals } = picture
  const { parts, options, yieldIfNeeded, ahead, asking } = searched
  const { probing } = parts
  const looks = looksIn(picture)
  const blurNow = () => probing.blurOf(options.orgId, () => digestOf(signals))
  const judge = (observed: Observed, blur: Blur | undefined) =>
    runCooperatively(matchesByHashes(signals, ahead, asking, { observed, blur, looks }), yieldIfNeeded)

  const observed = probing.isOn ? createObserved(options.thresholdBits, asking.strictness) : NOT_OBSERVED
  const blur = blurNow()
  const found = await judge(observed, blur)
  const observations = observationsIn(searched, observed, found.answer)
  if (found.answer.length === 0 && observations.length === 0) return found
  const counted = probing.count(options.orgId, observations, options.knowsDistance === true)
  const screen = counted instanceof Promise ? await counted : counted
  if (screen === undefined) return found
  const blurred = blurNow()
  const { isTruncated, answer } = isBlurredSince(blur, blurred, found.answer) ? await judge(NOT_OBSERVED, blurred) : found
  return { isTruncated, answer: screened(screen, answer).sort((a, b) => inOrder(a.match, b.match)) }
}

/** What the answer to a picture reveals, as the probing budget counts it. */
function observationsIn({ catalogue, asking }: Searched, observed: Observed, answer: Answer): CountedObservation[] {
  const all = observed.all(new Set(answer.map(({ ordinal }) => ordinal)))
  return all.map((each) => {
    const one = withMoments(each, (ordinal) => asking.searcher.frameOf(ordinal))
    // A narrowed image stops matching at the edge of a distance band, so for it that is an outer edge.
    return one.edge === 'inner' && catalogue.isNarrowed(one.imageId) ? { ...one, edge: 'outer' as const } : one
  })
}

/** The views of a picture to search by details; `undefined` when details are not needed. */
function viewsAsked(
  { parts, options, asking }: Searched,
  { views }: QueryPicture,
  byHashes: Answer,
): readonly AskedView[] | undefined {
  const { depth = 'auto', thresholdBits } = options
  if (parts.finder === undefined || depth === 'hashes') return undefined
  // Matches by details would be graded `review`, and the caller did not ask for those.
  if (!asking.strictness.trustsDetails && thresholdBits === undefined) return undefined
  const isFound = byHashes.some(({ match }) => match.grade !== 'review')
  return depth === 'auto' && isFound ? undefined : views
}

/** Adds matches by details. They replace matches by hashes of the grade `review` for the same image. */
async function withDetails(searched: Searched, views: readonly AskedView[], byHashes: Answer): Promise<Answer> {
  const { parts, catalogue, searcher, options, yieldIfNeeded, asking } = searched
  const { finder, matchIds, probing } = parts
  if (finder === undefined) return byHashes
  const { orgId, mirrors = true } = options
  const except = new Set(byHashes.filter(({ match }) => match.grade !== 'review').map(({ ordinal }) => ordinal))
  const matchIdOf = (imageId: string) => matchIds.idFor(orgId, imageId)
  const isStopped = (ordinal: number) =>
    catalogue.isAnyViewStopped && catalogue.stoppedViewsOf(searcher.image(ordinal)?.id ?? '').includes(DETAILS_VIEW)
  const gradeOf = (image: CatalogueImage) => (strictnessFor(asking.strictness, image).trustsDetails ? 'near' : 'review')
  const asked = { searcher, banks: asking.banks, mirrors, except, isStopped, yieldIfNeeded, matchIdOf, gradeOf } as const
  const { answer, observations } = await matchesByDetails(finder, views, asked)
  const counted = probing.count(orgId, observations, options.knowsDistance === true)
  const screen = counted instanceof Promise ? await counted : counted
  const blur = probing.blurOf(orgId, () => digestOfDetails(views))
  const sure = answer.filter(
    ({ imageId, match }) =>
      (match.grade !== 'review' || options.thresholdBits !== undefined) &&
      (match.details?.surplus ?? 0) >= (blur?.detailsOf(accountOfDetails(imageId)) ?? 0),
  )
  const found = screen === undefined ? sure : screened(screen, sure, accountOfDetails)
  const byDetails = new Set(found.map(({ ordinal }) => ordinal))
  return [
    ...byHashes.filter(({ ordinal }) => !byDetails.has(ordinal)),
    ...found.filter(({ imageId }) => !catalogue.isNarrowed(imageId)),
  ]
}

/** Applies the probing guard's restrictions: matches become coarser. */
function screened(screen: Screen, answer: Answer, accountOf = (imageId: string) => imageId): Answer[number][] {
  return answer.map((each) => ({ ...each, match: screen(accountOf(each.imageId), each.match) }))
}

/** The hash for the flood guard's looks: PDQ of the whole if the upload has it; `undefined` without any hash. */
function shownBy(signals: readonly HashedSignal[]): Hash256 | undefined {
  const { hashes: [hash] = [] } = signals.find(({ type }) => type === 'pdq') ?? signals[0] ?? {}
  return hash
}

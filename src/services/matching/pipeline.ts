// Answers one picture of a query, step by step. What each step may take away:
//
// 1. hashes: finds near images. Of hits that a harmless picture is nearer to, none match (`HarmlessStep`); nor those of stopped views, nor of
//    narrowed images unless they are copies (flood guard). A part that differs lowers the grade (`graded.ts`). Too many are cut, fairly by owner.
// 2. probing budget: an organisation that could find out a stored hash gets coarser matches, and near an edge fewer (`ProbingStep`).
// 3. details: adds images that hashes miss (`DetailsStep`), counted and made coarser as above.
//
// `matcher.ts` then leaves out what was withdrawn meanwhile. Videos go through steps 1 and 2 frame by frame (`video/video-matcher.ts`).

import { hasPieces } from '../../../packages/core/src/matching/agreement.js'
import { strictnessFor } from '../../../packages/core/src/matching/registry-size.js'
import type { AskedView } from '../../../packages/hash/src/details/features.js'
import { DETAILS_VIEW } from '../../domain/trust/flood.js'
import type { Catalogue } from '../index/catalogue.js'
import type { CatalogueImage } from '../index/image-facts.js'
import { type Answer, type FoundByHashes, NOTHING_FOUND } from './answer.js'
import { type FoundAhead, isNowhere, runCooperatively } from './batch-search.js'
import { type Blur, isBlurredSince } from './hit-distance.js'
import { inOrder, type Looks, type MatchOptions, type QueryPicture } from './match.js'
import { type AskingByHashes, matchesByHashes } from './match-by-hashes.js'
import type { DetailsStep, ProbingStep, Screen } from './match-steps.js'
import { countedIn, NOT_OBSERVED, type Observed } from './observing.js'
import { digestOf } from './query-digest.js'

/** A call whose pictures have been searched for. */
export interface Asking {
  readonly probing: ProbingStep
  /** `undefined` where extended protection is off. */
  readonly details: DetailsStep | undefined
  readonly catalogue: Catalogue
  readonly options: MatchOptions
  readonly yieldIfNeeded: () => Promise<void> | undefined
  readonly ahead: FoundAhead
  readonly byHashes: AskingByHashes
}

export async function answerPicture(asking: Asking, picture: QueryPicture): Promise<FoundByHashes> {
  const found = isNowhere(picture.signals, asking.ahead) ? NOTHING_FOUND : await answerByHashes(asking, picture)
  const views = viewsAsked(asking, picture, found.answer)
  if (views === undefined) return found
  return { answer: await withDetails(asking, views, found.answer), isTruncated: found.isTruncated }
}

/** Steps 1 and 2. */
async function answerByHashes(asking: Asking, { signals, isForm = false, isObject }: QueryPicture): Promise<FoundByHashes> {
  const { probing, catalogue, options, yieldIfNeeded, ahead, byHashes } = asking
  // The rule for forms compares pieces. So it does not apply to a query without pieces.
  const looks: Looks = { isForm: isForm && hasPieces(signals), isObject }
  const blurNow = () => probing.blurOf(options.orgId, () => digestOf(signals))
  const judge = (observed: Observed, blur: Blur | undefined) =>
    runCooperatively(matchesByHashes(signals, ahead, byHashes, { observed, blur, looks }), yieldIfNeeded)

  const observed = probing.observe(options.thresholdBits, byHashes.strictness)
  const blur = blurNow()
  const found = await judge(observed, blur)
  const observations = observed
    .all(new Set(found.answer.map(({ ordinal }) => ordinal)))
    .map((each) => countedIn(catalogue, byHashes.searcher, each))
  if (found.answer.length === 0 && observations.length === 0) return found
  const counted = probing.count(options.orgId, observations, options.knowsDistance === true)
  const screen = counted instanceof Promise ? await counted : counted
  if (screen === undefined) return found
  const blurred = blurNow()
  const { isTruncated, answer } = isBlurredSince(blur, blurred, found.answer) ? await judge(NOT_OBSERVED, blurred) : found
  return { isTruncated, answer: screened(screen, answer).sort((a, b) => inOrder(a.match, b.match)) }
}

/** The views to search by details; `undefined` when step 3 is not needed. */
function viewsAsked(
  { details, options: { depth = 'auto', thresholdBits }, byHashes }: Asking,
  { views }: QueryPicture,
  answer: Answer,
): readonly AskedView[] | undefined {
  if (details === undefined || depth === 'hashes') return undefined
  // Matches by details would be graded `review`, and the caller did not ask for those.
  if (!byHashes.strictness.trustsDetails && thresholdBits === undefined) return undefined
  const isFound = answer.some(({ match }) => match.grade !== 'review')
  return depth === 'auto' && isFound ? undefined : views
}

/** Step 3. Matches by details replace matches by hashes of the grade `review` for the same image. */
async function withDetails(asking: Asking, views: readonly AskedView[], known: Answer): Promise<Answer> {
  const { probing, details, catalogue, options, yieldIfNeeded, byHashes } = asking
  if (details === undefined) return known
  const { searcher, strictness, banks, harmless, matchIds } = byHashes
  const { orgId, mirrors = true, thresholdBits } = options
  const { answer, observations } = await details.find(views, {
    searcher,
    banks,
    vetoing: harmless.banksIn(searcher),
    mirrors,
    except: new Set(known.filter(({ match }) => match.grade !== 'review').map(({ ordinal }) => ordinal)),
    isStopped: (ordinal: number) =>
      catalogue.isAnyViewStopped && catalogue.stoppedViewsOf(searcher.image(ordinal)?.id ?? '').includes(DETAILS_VIEW),
    yieldIfNeeded,
    matchIdOf: (imageId: string) => matchIds.idFor(orgId, imageId),
    gradeOf: (image: CatalogueImage) => (strictnessFor(strictness, image).trustsDetails ? 'near' : 'review'),
  })
  const counted = probing.count(orgId, observations, options.knowsDistance === true)
  const screen = counted instanceof Promise ? await counted : counted
  const blur = probing.blurOf(orgId, () => details.digestOf(views))
  const sure = answer.filter(
    ({ imageId, match }) =>
      (match.grade !== 'review' || thresholdBits !== undefined) &&
      (match.details?.surplus ?? 0) >= (blur?.detailsOf(details.accountOf(imageId)) ?? 0),
  )
  const found = screen === undefined ? sure : screened(screen, sure, details.accountOf)
  const byDetails = new Set(found.map(({ ordinal }) => ordinal))
  return [
    ...known.filter(({ ordinal }) => !byDetails.has(ordinal)),
    ...found.filter(({ imageId }) => !catalogue.isNarrowed(imageId)),
  ]
}

/** Applies the probing guard's restrictions: matches become coarser. */
function screened(screen: Screen, answer: Answer, accountOf = (imageId: string) => imageId): Answer[number][] {
  return answer.map((each) => ({ ...each, match: screen(accountOf(each.imageId), each.match) }))
}

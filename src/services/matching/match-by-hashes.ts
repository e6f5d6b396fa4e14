// Matches by hashes: finds near images, looks for corroborating views, grades and describes the matches.

import { aloneThresholdOf, type Bank, ownerReviewBits, thresholdOf } from '../../../packages/core/src/matching/bank.js'
import { Corroborations, type ViewObservation } from '../../../packages/core/src/matching/corroborations.js'
import { EDGE_BITS } from '../../../packages/core/src/matching/edges.js'
import {
  type ComparedViews,
  contentOf,
  dependsOnContent,
  maxCorroboratingBits,
  reviewBits,
} from '../../../packages/core/src/matching/evidence.js'
import { isProven, mayBeExact, nearAloneBits } from '../../../packages/core/src/matching/grade.js'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import { PER_PAIR, type Strictness, strictnessFor } from '../../../packages/core/src/matching/registry-size.js'
import { viewOf } from '../../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPES } from '../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../packages/core/src/search/hit.js'
import type { ImageFacts } from '../index/image-facts.js'
import type { Searcher } from '../index/searcher.js'
import { type FoundByHashes, NOTHING_FOUND } from './answer.js'
import {
  type Compared,
  comparedWith,
  type FoundAhead,
  firstPass,
  firstPassOf,
  hasManyViews,
  MAX_CORROBORATED,
  searchInTwo,
  type WidestOf,
} from './batch-search.js'
import { bestFrames } from './best-frames.js'
import { shareOfHits, shareOfMatches } from './fair-share.js'
import {
  agreed,
  agreementIn,
  copySurplusIn,
  corroborationOf,
  describe,
  type Found,
  factsOf,
  graded,
  isNearer,
  isOtherFile,
} from './graded.js'
import { type Blur, blurredHits, exactBits, halfBlurred, isCopyAt, narrowBits } from './hit-distance.js'
import { inOrder, type Looks, type MatchOptions } from './match.js'
import type { MatchIds } from './match-ids.js'
import type { HarmlessStep } from './match-steps.js'
import type { Observed } from './observing.js'
import { type OrientationGroup, orientationGroupsOf } from './orientations.js'
import { type ActiveViews, doSeveralAgree, type ViewIdOf, viewToCount } from './stopped-views.js'
import { isAtVetoEdge, isUnvetoed, isVetoed } from './veto.js'

/** What all pictures of a call share. */
export interface AskingByHashes {
  readonly searcher: Searcher
  readonly harmless: HarmlessStep
  readonly banks: ReadonlyMap<string, Bank>
  readonly widestOf: WidestOf
  /** As for `firstPassOf`. */
  readonly firstPassBits: number | undefined
  readonly options: Pick<MatchOptions, 'orgId' | 'thresholdBits' | 'imageId'>
  readonly matchIds: Pick<MatchIds, 'idFor'>
  /** Maximum matches of one picture. */
  readonly most: number
  /** Do only copies match this image? */
  readonly isNarrowed: (imageId: string) => boolean
  readonly activeViews: ActiveViews
  readonly viewIdOf: ViewIdOf
  readonly strictness: Strictness
}

/**
 * All registered images that are near, nearest first, each once; a fair share if there are too many. Like all generators below,
 * pauses wherever it yields. Frames of a video are compared like pictures, so views that corroborate one another are of one frame.
 *
 * These are functions of the module and not closures made for each call: V8 gives each generator closure a hidden class in the
 * old generation, which keeps all data of the call alive until the next full garbage collection (decision 0086).
 */
export function* matchesByHashes(
  signals: readonly HashedSignal[],
  ahead: FoundAhead,
  asking: AskingByHashes,
  query: Query,
): Generator<void, FoundByHashes, void> {
  if (asking.firstPassBits === undefined || !hasManyViews(signals))
    return yield* judged({ asking, signals, ahead, query, compared: undefined })
  const { found, images } = yield* firstPass(asking.searcher, signals, ahead, asking)
  const compared = comparedWith(asking.searcher, images)
  if (compared !== undefined) {
    // Most of what a first pass meets is near by chance, which shows without searching farther. A match needs all that is near: a harmless picture may be, too.
    const trial = yield* judged({ asking, signals, ahead: found, query, compared })
    if (trial.answer.length === 0) return trial
    query.observed.forget()
  }
  return yield* judged({ asking, signals, ahead: found, query, compared: undefined })
}

interface Query {
  readonly observed: Observed
  /** Of the whole query, so that all frames of a video have the same; `undefined` if no image is blurred. */
  readonly blur: Blur | undefined
  readonly looks?: Looks
}

/** A picture whose first pass is done. */
interface Judging {
  readonly asking: AskingByHashes
  readonly signals: readonly HashedSignal[]
  readonly ahead: FoundAhead
  readonly query: Query
  /** Compares with the images that the first pass met; `undefined` to search the whole radius wherever it met one. */
  readonly compared: Compared | undefined
}

function* judged(judging: Judging): Generator<void, FoundByHashes, void> {
  const { asking, signals, query } = judging
  const { observed, blur, looks = {} } = query
  const { searcher, banks, options, matchIds, most, isNarrowed, activeViews } = asking
  const corroborations = new Corroborations()
  const { found, isAll } = yield* findNearest(judging, corroborations)
  if (found.size === 0) return NOTHING_FOUND
  const isCorroborated = yield* corroborationOf(searcher, found, signals, query)
  yield* lookForCorroborations(judging, found, corroborations, isCorroborated)
  const answer = []
  for (const each of found.values()) {
    yield
    const corroborated = isCorroborated(each)
    const together = corroborations.together(each.hit.image)
    const alone = graded(each, corroborated, together, asking.strictness)
    const agreement = agreementIn(activeViews, signals, alone)
    const atMs = searcher.frameOf(each.hit.image)?.atMs
    const blurBits = alone.reported.hit.distanceBits === 0 ? 0 : (blur?.bitsOf(each.image.id) ?? 0)
    const copySurplus = copySurplusIn(activeViews, signals, alone, { agreement, looks, together, atMs, blurBits })
    const ofKind = agreed(alone, agreement, copySurplus)
    const { reported } = ofKind
    const grade = isOtherFile(searcher, signals, reported) ? 'review' : ofKind.grade
    const isStrong = alone.grade === 'strong'
    observed.found(each, reported, together, { agreement, signals, isStrong, copySurplus, atMs, grade })
    const match = describe(reported, grade, matchIds.idFor(options.orgId, each.image.id), agreement, atMs)
    if (isNarrowed(each.image.id) && !isCopyAt(reported, narrowBits)) continue
    const isCopy = isCopyAt(reported, exactBits)
    const view = viewToCount(asking, signals, { reported, match, agreement })
    const areSeveral = doSeveralAgree(together, strictnessFor(asking.strictness, each.image))
    // Without a threshold, the caller sees only matches that it may act on, and those that its own bank is to show. Never one by
    // an algorithm that does not decide alone: one pair of unrelated pictures in 2,000 is that near.
    const isWorthALook = SIGNAL_TYPES[each.type].decidesAlone || corroborated
    const isAskedFor = options.thresholdBits !== undefined || each.isInOwnReach
    if (match.grade !== 'review' || (isAskedFor && isWorthALook))
      answer.push({ ordinal: each.hit.image, imageId: each.image.id, match, isCopy, view, areSeveral })
  }
  const best = bestFrames(answer).sort((a, b) => inOrder(a.match, b.match))
  const share = shareOfMatches(best, most, (bank) => banks.get(bank)?.orgId)
  return { answer: share, isTruncated: !isAll || share.length < best.length }
}

function* findNearest(
  { asking, signals, ahead, query: { observed, blur }, compared }: Judging,
  corroborations: Corroborations,
): Generator<void, { readonly found: ReadonlyMap<number, Found>; readonly isAll: boolean }, void> {
  const { searcher, banks, widestOf, firstPassBits, activeViews, strictness } = asking
  const { orgId, thresholdBits, imageId } = asking.options
  const nearest = new Map<number, Found>()
  let isAll = true
  for (const [place, signal] of signals.entries()) {
    const { type, view } = signal
    const isCorroborating = maxCorroboratingBits(type, view) !== undefined
    for (const [group, { orientations, rotated, hashes }] of orientationGroupsOf(signal).entries()) {
      const radius = widestOf(type, view, rotated)
      const first = firstPassOf(radius, type, signals, firstPassBits)
      const isNarrow = first !== radius
      const isTrial = isNarrow && compared !== undefined
      const measured = isTrial
        ? compared.near(type, hashes, radius)
        : yield* searchInTwo(searcher, type, hashes, radius, first, ahead.get(signal)?.[group])
      const hits = blurredHits(searcher, measured, blur)
      const content = hits.length === 0 || !dependsOnContent(type) ? 'full' : contentOf(signal)
      const viewsOf = (hit: Hit, { isByHashes }: Pick<ImageFacts, 'isByHashes'>): ComparedViews => {
        return { asked: view, registered: viewOf(hit.view), rotated, content, isByHashes }
      }
      const veto = asking.harmless.vetoOf(searcher, type, { asked: view, rotated }, hits)
      const isNear = (hit: Hit, views: ComparedViews, bank: Bank) => {
        const askedBits = Math.min(thresholdBits ?? ownerReviewBits(bank, type, orgId), reviewBits(type, views))
        const farthestBits = thresholdBits === undefined ? Math.max(thresholdOf(bank, type, views), askedBits) : askedBits
        const hash = hashes[hit.transform]
        if (hit.distanceBits <= farthestBits) return isUnvetoed(veto, hit, { searcher, type, hash, observed })
        if (isVetoed(veto, hit) || hit.distanceBits > farthestBits + EDGE_BITS || farthestBits <= 0) return false
        const image = searcher.image(hit.image)
        if (image !== undefined) observed.missed(hit.image, image.id, type, hash)
        return false
      }
      const share = yield* shareOfHits(searcher, hits, (hit) => {
        const facts = searcher.factsOf(hit.image)
        const bank = banks.get(facts?.bank ?? '')
        if (imageId !== undefined && searcher.image(hit.image)?.id !== imageId) return false
        return facts !== undefined && bank !== undefined && isNear(hit, viewsOf(hit, facts), bank)
      })
      isAll &&= share.isAll
      for (const hit of share.hits) {
        const image = searcher.image(hit.image)
        const bank = banks.get(image?.bank ?? '')
        if (image === undefined || bank === undefined || (imageId !== undefined && image.id !== imageId)) continue
        const hash = hashes[hit.transform]
        const views = viewsOf(hit, image)
        if (!isNear(hit, views, bank) || activeViews.isStopped(image.id, hit, type, hash)) continue
        const isWithin = hit.distanceBits <= thresholdOf(bank, type, views)
        if (isCorroborating && !rotated)
          noteHit(corroborations, hit, { type, views, signal: place, orientations, hashes, isWithin })
        const isDecided = hit.distanceBits <= aloneThresholdOf(bank, type, views)
        const own = strictnessFor(strictness, image)
        const isStrictlyDecided = own === PER_PAIR || hit.distanceBits <= nearAloneBits(bank, type, views, own)
        const isInOwnReach = hit.distanceBits <= ownerReviewBits(bank, type, orgId)
        const orientation = orientations[hit.transform] ?? 0
        const decided = { isDecided, isStrictlyDecided }
        const found = { hit, type, views, isWithin, isInOwnReach, ...decided, orientation, hash, image, bank }
        const known = nearest.get(hit.image)
        observed.seen(found)
        if (known === undefined || isNearer(found, known)) nearest.set(hit.image, found)
      }
    }
  }
  return { found: nearest, isAll }
}

/** Looks for views that corroborate found images, beyond the search radius. Only of images that are not strong yet, which are few. */
function* lookForCorroborations(
  { asking, signals: asked, query: { observed, blur }, compared: trial }: Judging,
  found: ReadonlyMap<number, Found>,
  corroborations: Corroborations,
  isCorroborated: (match: Found) => boolean,
): Generator<void, void, void> {
  const { searcher, activeViews, strictness } = asking
  if (asked.filter(({ type, view }) => maxCorroboratingBits(type, view) !== undefined).length < 2) return
  const isDone = (match: Found) => {
    const own = strictnessFor(strictness, match.image)
    const isExact = isProven(factsOf(match, isCorroborated(match))) && mayBeExact(match.type, own)
    return isExact || corroborations.togetherBits(match.hit.image) <= own.pairSumBits.strong
  }
  const open = new Set([...found.values()].filter((match) => !isDone(match)).map(({ hit }) => hit.image))
  if (open.size === 0) return
  const compared = comparedWith(searcher, open, trial === undefined ? undefined : MAX_CORROBORATED)
  for (const [signal, { type, view, ...rest }] of asked.entries()) {
    const widest = maxCorroboratingBits(type, view)
    if (widest === undefined) continue
    const upright = orientationGroupsOf({ type, view, ...rest }).find(({ rotated }) => !rotated)
    yield
    if (upright === undefined) continue
    const radius = { bits: widest, marginBits: 0 }
    const near = trial !== undefined || compared?.hasRows() ? compared?.near(type, upright.hashes, radius) : undefined
    if (near?.length === 0) continue
    const measured =
      trial !== undefined && near !== undefined ? near : yield* searchInTwo(searcher, type, upright.hashes, radius)
    const hits = blurredHits(searcher, measured, blur)
    const veto = asking.harmless.vetoOf(searcher, type, { asked: view, rotated: false }, hits)
    for (const hit of hits) {
      const known = open.has(hit.image) ? found.get(hit.image) : undefined
      if (known === undefined) continue
      const hash = upright.hashes[hit.transform]
      if (isAtVetoEdge(veto, hit)) observed.screened(hit.image, known.image.id, type, hash, 'alone')
      if (isVetoed(veto, hit) || activeViews.isStopped(known.image.id, hit, type, hash)) continue
      const { isByHashes } = known.image
      const views = { asked: view, registered: viewOf(hit.view), rotated: false, isByHashes }
      const isWithin = hit.distanceBits <= thresholdOf(known.bank, type, views)
      noteHit(corroborations, hit, { type, views, signal, ...upright, isWithin })
    }
  }
}

function noteHit(
  corroborations: Corroborations,
  hit: Hit,
  {
    orientations,
    hashes,
    ...asked
  }: Pick<ViewObservation, 'type' | 'views' | 'signal' | 'isWithin'> & Pick<OrientationGroup, 'orientations' | 'hashes'>,
): void {
  const [hash, orientation = 0] = [hashes[hit.transform], orientations[hit.transform]]
  if (hash !== undefined) corroborations.note(hit.image, { ...asked, ...halfBlurred(hit), orientation, hash })
}

// Finds registered videos and pictures in videos, using only memory.

import type { HashedSignal } from '../../../../packages/core/src/matching/hashed-image.js'
import { strictnessFor } from '../../../../packages/core/src/matching/registry-size.js'
import { Problem } from '../../../domain/problem.js'
import { lookOf } from '../../../domain/trust/flood.js'
import type { Catalogue } from '../../index/catalogue.js'
import type { Searcher } from '../../index/searcher.js'
import type { Answer } from '../answer.js'
import { type FoundAhead, runCooperatively, searchAhead } from '../batch-search.js'
import { maxMatchesOf, shareOfMatches } from '../fair-share.js'
import { type Blur, isBlurredSince } from '../hit-distance.js'
import { inOrder, type Match, type MatchOptions, type QueryResult } from '../match.js'
import { type AskingByHashes, matchesByHashes } from '../match-by-hashes.js'
import { banksAsked, matchesIn, strictnessIn, widestIn } from '../match-scope.js'
import type { Screen } from '../match-steps.js'
import type { MatcherParts } from '../matcher.js'
import { countedIn, NOT_OBSERVED, type Observed } from '../observing.js'
import { digestSteps } from '../query-digest.js'
import { createActiveViews } from '../stopped-views.js'
import { framesCompared } from './compared-frames.js'
import { type AskedFrame, nearFramesOf, widestOfFrames } from './near-frames.js'
import { answerOf, type TargetAnswer } from './target-match.js'

/** A video that is queried. */
export interface AskedVideo {
  /** At most a few thousand. Several frames may have the same time. */
  readonly frames: readonly AskedFrame[]
  /** Hashes of the whole file. */
  readonly file?: readonly HashedSignal[]
  /** As for a picture. */
  readonly context?: string | undefined
}

export type VideoMatchOptions = Pick<
  MatchOptions,
  'orgId' | 'banks' | 'thresholdBits' | 'grading' | 'knowsDistance' | 'imageId'
>

export interface VideoMatcher {
  /**
   * Matches videos, each given by the signals of its frames. One video is one query for the probing guard and for match events.
   * @returns for each video the registered videos, with segments, and the pictures that it shows, with `queryMs`; the nearest first, each once.
   *   At most a fair share (`MAX_MATCHES`). Never by details.
   * @throws {Problem} bank-unknown, index-loading, store-unavailable
   * It yields about every millisecond. Cost: a search for each signal; for what is found, that of `framesCompared` and `evidenceOf`.
   */
  matchVideos(videos: readonly AskedVideo[], options: VideoMatchOptions): Promise<QueryResult[]>
}

export type VideoMatcherParts = Omit<MatcherParts, 'details'>

export function createVideoMatcher(parts: VideoMatcherParts): VideoMatcher {
  return {
    async matchVideos(videos, options) {
      const catalogue = parts.replica.catalogue
      const searcher = catalogue.searcher()
      try {
        return await matchIn({ parts, catalogue, searcher, options }, videos)
      } finally {
        searcher.release()
      }
    },
  }
}

interface Call {
  readonly parts: VideoMatcherParts
  readonly catalogue: Catalogue
  readonly searcher: Searcher
  readonly options: VideoMatchOptions
}

/** A match, and the upload's look for the flood guard. */
interface Visible {
  readonly ordinal: number
  readonly imageId: string
  readonly match: Match
  readonly look: number | undefined
}

async function matchIn(call: Call, videos: readonly AskedVideo[]): Promise<QueryResult[]> {
  const { parts, catalogue, searcher, options } = call
  const { probing, harmless, matchIds, viewIdOf } = parts
  const { orgId } = options
  const banks = banksAsked(catalogue, options)
  const widestOf = widestOfFrames(widestIn(banks, options, probing.isOn), options.thresholdBits, probing.isOn)
  const isNarrowed = (imageId: string) => catalogue.isNarrowed(imageId)
  const most = maxMatchesOf(videos.length)
  // All frames are searched for ahead, completely.
  const firstPassBits = undefined
  const activeViews = createActiveViews(catalogue, searcher, viewIdOf)
  const screens = { isNarrowed, activeViews, viewIdOf }
  const shared = { searcher, harmless, banks, widestOf, firstPassBits, options, matchIds, most, ...screens }
  const yieldIfNeeded = parts.scheduler.yielder()
  const answers: { readonly share: readonly Visible[]; readonly isTruncated: boolean }[] = []
  for (const asked of videos) {
    const asking = { ...shared, strictness: strictnessIn(catalogue, options, asked.frames.length) }
    const blurNow = blurring(probing, orgId, () => runCooperatively(digestSteps(signalsOf(asked)), yieldIfNeeded))
    const observing = probing.isOn ? () => probing.observe(options.thresholdBits, asking.strictness) : undefined
    const blur = await blurNow()
    let found = await runCooperatively(answersOf(asked, asking, { observing, blur }), yieldIfNeeded)
    const screen = await counted(call, found.answers)
    const blurred = await blurNow()
    const matched = found.answers.filter(({ match }) => match !== undefined)
    if (isBlurredSince(blur, blurred, matched))
      found = await runCooperatively(answersOf(asked, asking, { observing: undefined, blur: blurred }), yieldIfNeeded)
    const visible = visibleIn(call, found.answers, screen)
    const share = shareOfMatches(visible, most, (bank) => banks.get(bank)?.orgId)
    answers.push({ share, isTruncated: found.isTruncated || share.length < visible.length })
  }
  // The replica may have loaded a new catalogue while a long search yielded.
  if (parts.replica.catalogue !== catalogue) throw new Problem('index-loading', { retryAfterS: 1 })
  return answers.map(({ share, isTruncated }, i) => ({ matches: noteAnswer(call, share, videos[i]?.context), isTruncated }))
}

interface Answers {
  readonly answers: readonly (TargetAnswer & Pick<Answer[number], 'ordinal' | 'imageId'>)[]
  readonly isTruncated: boolean
}

function* answersOf(
  { frames, file = [] }: AskedVideo,
  asking: AskingByHashes,
  { observing, blur }: { readonly observing: (() => Observed) | undefined; readonly blur: Blur | undefined },
): Generator<void, Answers, void> {
  const { searcher, options, matchIds } = asking
  const ahead: FoundAhead = yield* searchAhead(searcher, frames, asking.widestOf)
  const observe = () => observing?.() ?? NOT_OBSERVED
  const isObserving = observing !== undefined
  const searched = { asking, ahead, observe, observed: observe(), blur, withMargin: isObserving }
  const near = yield* nearFramesOf(frames, searched)
  const { targets, isTruncated } = yield* framesCompared(near, searched)
  const matchIdOf = (imageId: string) => matchIds.idFor(options.orgId, imageId)
  const targetOptions = { searcher, matchIdOf, thresholdBits: options.thresholdBits, isObserving }
  const answers = []
  for (const target of targets) {
    yield
    const { ordinal, image } = target
    const { trustsLines } = strictnessFor(asking.strictness, image)
    answers.push({ ordinal, imageId: image.id, ...(yield* answerOf(target, { ...targetOptions, trustsLines })) })
  }
  const ofFile = yield* matchesByHashes(file, ahead, asking, { observed: NOT_OBSERVED, blur })
  return { answers: withFileMatches(answers, ofFile.answer), isTruncated: isTruncated || ofFile.isTruncated }
}

/**
 * An equal file is an exact match, whatever its frames found. The match reveals nothing about the stored hash, because the caller has the same hash.
 */
function withFileMatches(answers: Answers['answers'], ofFile: Answer): Answers['answers'] {
  const ids = new Map(answers.map((answer) => [answer.imageId, answer]))
  const added = ofFile.map(({ ordinal, imageId, match, isCopy = false }) => {
    const found = ids.get(imageId)
    const unseen = { seen: undefined, observation: undefined, ordinal, imageId }
    return { ...unseen, ...found, isCopy, isNarrowCopy: isCopy, match: { ...found?.match, ...match } }
  })
  const copies = new Set(ofFile.map(({ imageId }) => imageId))
  return [...answers.filter(({ imageId }) => !copies.has(imageId)), ...added]
}

/** Counts what the query reveals. */
async function counted(
  { parts, catalogue, searcher, options }: Call,
  answers: Answers['answers'],
): Promise<Screen | undefined> {
  const observations = answers.flatMap(({ observation }) =>
    observation === undefined ? [] : [countedIn(catalogue, searcher, observation)],
  )
  return await parts.probing.count(options.orgId, observations, options.knowsDistance === true)
}

/** The matches as the organisation may see them. */
function visibleIn({ catalogue, searcher }: Call, answers: Answers['answers'], screen: Screen | undefined): Visible[] {
  return answers
    .flatMap(({ ordinal, imageId, match, seen, isCopy, isNarrowCopy }): Visible[] => {
      if (match === undefined || (!isNarrowCopy && catalogue.isNarrowed(imageId))) return []
      const look = isCopy || seen === undefined ? undefined : lookOf(seen.hash, searcher.frameNumberOf(seen.ordinal))
      return [{ ordinal, imageId, match: screen?.(imageId, match) ?? match, look }]
    })
    .sort((a, b) => inOrder(a.match, b.match))
}

/** The blur at each call. The digest of a video takes tens of milliseconds, so it is computed in steps, once, and only if an image is blurred. */
function blurring(
  { blurOf }: VideoMatcherParts['probing'],
  orgId: string,
  digested: () => Promise<Uint8Array>,
): () => Promise<Blur | undefined> {
  let query: Uint8Array | undefined
  return async () => {
    const blur = blurOf(orgId, () => query ?? new Uint8Array())
    if (blur !== undefined) query ??= await digested()
    return blur
  }
}

function* signalsOf({ frames, file = [] }: AskedVideo): Generator<HashedSignal, void, void> {
  for (const { signals } of frames) yield* signals
  yield* file
}

/** Removes images that were withdrawn while a long search yielded, and records the other matches. */
function noteAnswer(
  { parts, catalogue, searcher, options }: Call,
  answer: readonly Visible[],
  context: string | undefined,
): Match[] {
  const remaining = answer.filter(({ ordinal }) => searcher.has(ordinal))
  const noted = remaining.filter(({ match }) => match.grade !== 'review').map(({ imageId, look }) => ({ imageId, look }))
  if (answer.length > 0) parts.matchEvents.note(options.orgId, noted, context)
  return matchesIn(remaining, catalogue, options.orgId)
}

// Finds registered pictures and changed copies of them, using only memory.

import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { Problem } from '../../domain/problem.js'
import { lookOf } from '../../domain/trust/flood.js'
import type { Catalogue } from '../index/catalogue.js'
import type { Replica } from '../index/replica.js'
import type { Searcher } from '../index/searcher.js'
import type { EventLoopScheduler } from '../load/event-loop-scheduler.js'
import { tickEnds } from '../load/yielding.js'
import type { Answer, FoundByHashes } from './answer.js'
import { firstPassBitsAmong, gathered, NOTHING_AHEAD, runCooperatively, searchAhead } from './batch-search.js'
import { maxMatchesOf } from './fair-share.js'
import type { Match, MatchOptions, QueryPicture, QueryResult } from './match.js'
import type { MatchIds } from './match-ids.js'
import type { MatchEvents } from './match-recorder.js'
import { banksAsked, matchesIn, strictnessIn, widestIn } from './match-scope.js'
import type { DetailsStep, HarmlessStep, ProbingStep } from './match-steps.js'
import { answerPicture } from './pipeline.js'
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
  readonly harmless: HarmlessStep
  /** `undefined` where extended protection is off. */
  readonly details: DetailsStep | undefined
  /** Called with each answer; returns at once. */
  readonly matchEvents: Pick<MatchEvents, 'note'>
  readonly probing: ProbingStep
  /** Yields the event loop during long work. */
  readonly scheduler: Pick<EventLoopScheduler, 'yielder' | 'atEndOfTick'>
}

export function createMatcher(parts: MatcherParts): Matcher {
  const tickEnd = tickEnds(parts.scheduler.atEndOfTick)
  return {
    knowsDetails: parts.details !== undefined,
    hasDetails: () => parts.details !== undefined && parts.replica.catalogue.index('detail').liveRows > 0,
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

async function matchIn(call: Call, pictures: Iterable<QueryPicture>): Promise<QueryResult[]> {
  const { parts, catalogue, searcher, options } = call
  const { matchIds, viewIdOf, harmless, details, probing, replica } = parts
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
  const byHashes = {
    searcher,
    harmless,
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
  const asking = { probing, details, catalogue, options, yieldIfNeeded, ahead, byHashes }
  const answers: FoundByHashes[] = []
  for (const picture of all) {
    // Yields only when it is time, because yielding costs more than answering a picture without matches.
    const pause = yieldIfNeeded()
    if (pause !== undefined) await pause
    answers.push(await answerPicture(asking, picture))
  }
  await options.beforeAnswer?.()
  // The replica may have loaded a new catalogue while a long batch yielded.
  if (replica.catalogue !== catalogue) throw new Problem('index-loading', { retryAfterS: 1 })
  return answers.map(({ answer, isTruncated }, i) => ({
    matches: answer.length === 0 ? [] : noteAnswer(call, answer, all[i]),
    isTruncated,
  }))
}

/** Removes images that were withdrawn while a long batch yielded, and records the other matches. */
function noteAnswer(
  { parts, catalogue, searcher, options: { orgId } }: Call,
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

/** The hash for the flood guard's looks: PDQ of the whole if the upload has it; `undefined` without any hash. */
function shownBy(signals: readonly HashedSignal[]): Hash256 | undefined {
  const { hashes: [hash] = [] } = signals.find(({ type }) => type === 'pdq') ?? signals[0] ?? {}
  return hash
}

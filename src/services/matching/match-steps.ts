// The steps of a match that can be left out, each by its null object: harmless pictures, the probing budget, details. `pipeline.ts` calls them.

import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { ComparedViews } from '../../../packages/core/src/matching/evidence.js'
import type { Grade } from '../../../packages/core/src/matching/grade.js'
import type { Strictness } from '../../../packages/core/src/matching/registry-size.js'
import type { SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../packages/core/src/search/hit.js'
import type { AskedView } from '../../../packages/hash/src/details/features.js'
import type { CatalogueImage } from '../index/image-facts.js'
import type { Searcher } from '../index/searcher.js'
import type { Answer } from './answer.js'
import type { Blur } from './hit-distance.js'
import type { Match } from './match.js'
import { type CountedObservation, NOT_OBSERVED, type Observation, type Observed } from './observing.js'
import type { DigestOfQuery } from './query-digest.js'
import type { Veto } from './veto.js'

/** Hides hits that are no nearer than a picture known to be harmless, because they show the same logo, form or meme. */
export interface HarmlessStep {
  /** @param hits of one view of the query. @returns `undefined` if no harmless picture is near. */
  vetoOf(
    searcher: Pick<Searcher, 'banks' | 'factsOf' | 'imageOrdinal'>,
    type: SignalType,
    asked: Pick<ComparedViews, 'asked' | 'rotated'>,
    hits: readonly Hit[],
  ): Veto | undefined
  /** The banks whose pictures veto, by name. */
  banksIn(searcher: Pick<Searcher, 'banks'>): ReadonlyMap<string, Bank>
}

/**
 * Makes answers coarser for an organisation whose queries reveal too much of a stored hash. It lowers `strong` to `near` and hides distances and
 * regions. Through `blurOf` it moves the edge of the radius of single images inwards, never by more than `MAX_BLUR_BITS`.
 */
export interface ProbingStep {
  readonly isOn: boolean
  /** The record of one query. @param thresholdBits the radius that the caller gave. */
  observe(thresholdBits: number | undefined, strictness: Strictness): Observed
  /**
   * The blur of a query by this organisation, as far as this process knows; `undefined` when none of its images is blurred. Ask again after `count`,
   * which may have blurred one.
   */
  blurOf(orgId: string, digestOf: DigestOfQuery): Blur | undefined
  /**
   * Counts a query before it is answered.
   * @param knowsDistance whether the caller sees distances instead of bands.
   * @returns how to show its matches; `undefined` to show them unchanged.
   */
  count(
    orgId: string,
    observations: readonly CountedObservation[],
    knowsDistance: boolean,
  ): Promise<Screen | undefined> | Screen | undefined
}

/** @returns the match as the organisation may see it. */
export type Screen = (imageId: string, match: Match) => Match

/** Adds images that hashes miss. It replaces matches of the grade `review` of the same image, and removes nothing. */
export interface DetailsStep {
  /** @throws {Problem} store-unavailable */
  find(views: readonly AskedView[], asking: AskingByDetails): Promise<ByDetails>
  /** The name of the probing account of an image's details, apart from that of its hashes. */
  accountOf(imageId: string): string
  digestOf(views: readonly AskedView[]): Uint8Array
}

export interface AskingByDetails {
  readonly searcher: Searcher
  readonly banks: ReadonlyMap<string, Bank>
  /** Banks of harmless pictures. */
  readonly vetoing: ReadonlyMap<string, Bank>
  /** Whether to search for the mirror image, too. */
  readonly mirrors: boolean
  /** Ordinals of images that hashes found already. */
  readonly except: ReadonlySet<number>
  /** Whether the details of this image are stopped (`flood.ts`). */
  readonly isStopped: (ordinal: number) => boolean
  readonly yieldIfNeeded: () => Promise<void> | undefined
  readonly matchIdOf: (imageId: string) => string
  readonly gradeOf: (image: CatalogueImage) => Grade
}

export interface ByDetails {
  readonly answer: Answer
  /** What the probing budget counts. */
  readonly observations: readonly Observation[]
}

export const NO_PROBING: ProbingStep = {
  isOn: false,
  observe: () => NOT_OBSERVED,
  blurOf: () => undefined,
  count: () => undefined,
}

// What a query reveals of registered images: the record that the steps of a match write, and that the probing budget counts.

import { randomInt } from 'node:crypto'
import type { Agreement } from '../../../packages/core/src/matching/agreement.js'
import type { CorroboratingPair } from '../../../packages/core/src/matching/corroborations.js'
import type { Edge } from '../../../packages/core/src/matching/edges.js'
import type { Grade } from '../../../packages/core/src/matching/grade.js'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import type { View } from '../../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES, type SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Found } from './graded.js'

/** Collects the observations of one query. */
export interface Observed {
  /** Records a view of an image within the radius. */
  seen(found: Found): void
  /** Records an image just beyond the radius. */
  missed(image: number, imageId: string, type: SignalType, hash: Hash256 | undefined): void
  /** Records an image that a harmless picture vetoes or nearly vetoes. */
  screened(image: number, imageId: string, type: SignalType, hash: Hash256 | undefined, edge: ScreenedEdge): void
  /** Records that the second algorithm is near the distance at which it starts to agree. */
  nearlyCorroborated(image: number, hash: Hash256): void
  /**
   * Records the answer for an image, before its grade decides whether it is reported.
   * @param found its nearest view.
   * @param reported the view that the match reports: `found`, or the nearer of two corroborating views.
   */
  found(found: Found, reported: Found, together: CorroboratingPair | undefined, agreed?: Agreed): void
  /** Forgets all that was recorded: the query is judged again. */
  forget(): void
  /** One observation of each image. @param reported the ordinals in the answer. */
  all(reported: ReadonlySet<number>): readonly Observation[]
}

/** How a query was compared with the registered picture. */
export interface Agreed {
  readonly agreement: Agreement | undefined
  /** The signals of the query. */
  readonly signals: readonly HashedSignal[]
  /** Would the grade be strong if all parts agreed? */
  readonly isStrong: boolean
  /** As `copySurplusIn`. */
  readonly copySurplus: number | undefined
  /** As `wholesSurplusOf`. */
  readonly atMs: number | undefined
  /** The grade of the answer. */
  readonly grade: Grade
}

/** alone: near the edge of a veto. */
export type ScreenedEdge = 'alone' | 'none'

/** Records nothing, for when probing is not counted. */
export const NOT_OBSERVED: Observed = {
  seen() {},
  missed() {},
  screened() {},
  nearlyCorroborated() {},
  found() {},
  forget() {},
  all: () => [],
}

/** What one query reveals of one registered image. A video with several near frames gives one observation. */
export interface Observation {
  readonly imageId: string
  readonly edge: Edge
  /** `undefined` when the image is not in the answer. */
  readonly distanceBits: number | undefined
  /** Two digests of the hashes near this image and of the radius. They do not depend on other hashes of the query. */
  readonly marks: readonly [number, number]
  /**
   * The first view and orientation within the radius, in the order of their tables. It need not be the nearest, so it reveals
   * less.
   */
  readonly plain: Plain | undefined
  /** Ordinals of what it is about: the picture, or those frames of a video whose distances decide what is told. All of them, if absent. */
  readonly ordinals?: readonly number[]
}

/** An observation as it is counted. */
export interface CountedObservation extends Observation {
  /** Moments of a video [ms] that it is about; absent for a picture, and for a video as a whole. */
  readonly moments?: readonly number[]
}

/** More moments of a video are counted as the video as a whole. */
const MAX_MOMENTS = 64

/** @param frameOf as of a searcher. */
export function withMoments(
  one: Observation,
  frameOf: (ordinal: number) => { readonly atMs: number } | undefined,
): CountedObservation {
  const moments = one.ordinals?.flatMap((ordinal) => frameOf(ordinal)?.atMs ?? []) ?? []
  if (moments.length === 0) return one
  const distinct = new Set(moments)
  return distinct.size > MAX_MOMENTS ? one : { ...one, moments: [...distinct] }
}

/** An observation as the budget counts it. */
export function countedIn(
  catalogue: { isNarrowed(imageId: string): boolean },
  searcher: { frameOf(ordinal: number): { readonly atMs: number } | undefined },
  observation: Observation,
): CountedObservation {
  const one = withMoments(observation, (ordinal) => searcher.frameOf(ordinal))
  // A narrowed image stops matching at the edge of a distance band, so for it that is an outer edge.
  return one.edge === 'inner' && catalogue.isNarrowed(one.imageId) ? { ...one, edge: 'outer' as const } : one
}

export interface Plain {
  readonly view: View
  readonly orientation: number
}

export const EDGES = ['none', 'inner', 'alone', 'outer'] as const satisfies readonly Edge[]

/** @returns the one with the most revealing edge, the first of several. */
export function mostRevealing(observations: readonly Observation[]): Observation | undefined {
  return [...observations].sort((a, b) => EDGES.indexOf(b.edge) - EDGES.indexOf(a.edge))[0]
}

/** As `Observation.marks`, of these hashes. */
export function marksOf(
  hashes: readonly { readonly type: SignalType; readonly hash: Hash256 }[],
  thresholdBits: number | undefined,
): Observation['marks'] {
  const marks: [number, number] = [thresholdBits ?? -1, thresholdBits ?? -1]
  for (const { type, hash } of hashes) addDigests(marks, type, hash)
  return marks
}

/** Adds, and does not XOR: a hash that occurs twice must not cancel itself. */
export function addDigests(marks: [number, number], type: SignalType, hash: Hash256): void {
  marks[0] = (marks[0] + digestOf(hash, SEEDS[0] + rank(type))) | 0
  marks[1] = (marks[1] + digestOf(hash, SEEDS[1] + rank(type))) | 0
}

/** FNV-1a, of 32 bits. */
function digestOf(hash: Hash256, seed: number): number {
  let digest = seed
  for (let i = 0; i < hash.length; i++) digest = Math.imul(digest ^ (hash[i] ?? 0), 0x01000193)
  return digest ^ (digest >>> 15)
}

/** The place of a type in its table. */
export function rank(type: SignalType): number {
  return SIGNAL_TYPE_NAMES.indexOf(type)
}

const SEEDS = [randomInt(2 ** 32), randomInt(2 ** 32)] as const

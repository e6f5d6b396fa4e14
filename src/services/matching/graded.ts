// Grades a match by hashes and builds what the caller sees of it.
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { orientationsOf, type TransformName, transforms } from '../../../packages/hash/src/transforms.js'
import { type Agreement, agreementOf, hasPieces } from '../../domain/matching/agreement.js'
import type { CorroboratingPair } from '../../domain/matching/corroborations.js'
import type { ComparedViews } from '../../domain/matching/evidence.js'
import { formSurplusBits } from '../../domain/matching/forms.js'
import { distanceBandOf, type Grade, gradeOf } from '../../domain/matching/grade.js'
import type { HashedSignal } from '../../domain/matching/hashed-image.js'
import type { SignalType } from '../../domain/matching/signal-types.js'
import type { Bank } from '../../domain/organisations/bank.js'
import type { Hit } from '../../search/hit.js'
import type { CatalogueImage } from '../index/image-facts.js'
import type { Searcher } from '../index/searcher.js'
import type { Match } from './match.js'

export interface Found {
  readonly hit: Hit
  readonly type: SignalType
  readonly views: ComparedViews
  /** Within the bank's threshold, and not only within a wider one that the caller gave? */
  readonly isWithin: boolean
  /** Within the distance that the calling organisation's own bank shows it? */
  readonly isInOwnReach: boolean
  /** Near enough to match by this pair of views alone? */
  readonly isDecided: boolean
  /** Index into `transforms`. */
  readonly orientation: number
  /** The query's hash in that orientation. */
  readonly hash: Hash256 | undefined
  readonly image: CatalogueImage
  readonly bank: Bank
}

export interface Graded {
  /** The view that the match reports. */
  readonly told: Found
  readonly grade: Grade
}

/**
 * Grades a match and selects the view that it reports: the nearest view, or the nearer of two corroborating views if these
 * raise the grade.
 */
export function graded(found: Found, corroborated: boolean, together: CorroboratingPair | undefined): Graded {
  const { bank, type, views, hit } = found
  const facts = { bank, signalType: type, views, distanceBits: hit.distanceBits, corroborated }
  const alone = gradeOf({ ...facts, togetherBits: Number.POSITIVE_INFINITY })
  const grade = together === undefined ? alone : gradeOf({ ...facts, togetherBits: together.bits })
  if (together === undefined || grade === alone) return { told: found, grade }
  const { nearer } = together
  const told = { ...found, type: nearer.type, orientation: nearer.orientation, hash: nearer.hash }
  return {
    told: {
      ...told,
      views: { ...views, ...nearer.views, rotated: false },
      hit: { ...hit, distanceBits: nearer.distanceBits },
    },
    grade,
  }
}

/**
 * Where the query agrees with the registered picture; `undefined` for the grades `exact` and `review`, and for a query without
 * pieces.
 */
export function agreementIn(
  searcher: Pick<Searcher, 'viewsOf'>,
  asked: readonly HashedSignal[],
  { told, grade }: Graded,
): Agreement | undefined {
  if (grade === 'exact' || grade === 'review' || !hasPieces(asked)) return undefined
  const { image } = told.hit
  const registered = { pdq: searcher.viewsOf(image, 'pdq'), area: searcher.viewsOf(image, 'pdq-area') }
  return agreementOf(asked, registered, told.orientation)
}

/**
 * By how many bits an upload that looks like a form is nearer than required to act on it; `undefined` for the grades `exact`
 * and `review`.
 */
export function formSurplusIn(
  searcher: Pick<Searcher, 'viewsOf'>,
  asked: readonly HashedSignal[],
  { told, grade }: Graded,
): number | undefined {
  if (grade === 'exact' || grade === 'review') return undefined
  const viewsOf = (type: 'pdq' | 'pdq-area') => searcher.viewsOf(told.hit.image, type).map((view) => ({ ...view, type }))
  const shown = asked.flatMap(({ type, view, hashes }) => {
    const hash = hashes[orientationsOf(hashes.length).indexOf(told.orientation)]
    return hash === undefined ? [] : [{ type, view, hash }]
  })
  return formSurplusBits(shown, [...viewsOf('pdq'), ...viewsOf('pdq-area')])
}

/**
 * Lowers the grade: `strong` becomes `near` if a part differs, and any grade becomes `review` for a form that may be another
 * one of its kind.
 */
export function agreed({ told, grade }: Graded, agreement: Agreement | undefined, formSurplus: number | undefined): Graded {
  if (formSurplus !== undefined && formSurplus < 0) return { told, grade: 'review' }
  const isPartial = agreement !== undefined && agreement.surplusBits < 0
  return { told, grade: isPartial && grade === 'strong' ? 'near' : grade }
}

/** @param atMs when the registered frame is shown; `undefined` for a picture. */
export function describe(
  {
    image,
    type,
    views,
    orientation,
    hit: { distanceBits },
  }: Pick<Found, 'image' | 'type' | 'views' | 'orientation' | 'hit'>,
  grade: Grade,
  matchId: string,
  agreement: Agreement | undefined,
  atMs?: number | undefined,
): Match {
  return {
    matchId,
    grade,
    distanceBits,
    distanceBand: distanceBandOf(distanceBits),
    signalType: type,
    view: views.registered,
    transform: transformName(orientation),
    bank: image.bank,
    tier: image.tier,
    category: image.category,
    disputed: image.disputed,
    ...(atMs !== undefined && { atMs }),
    ...(agreement?.partial !== undefined && { agreement: agreement.partial }),
  }
}

/** Times are told to the second, rounded down: finer ones would say which frames are stored. */
export function toSecond(ms: number): number {
  return ms - (ms % 1000)
}

export function transformName(orientation: number): TransformName {
  const transform = transforms[orientation]
  if (transform === undefined) throw new RangeError('there are eight orientations')
  return transform.name
}

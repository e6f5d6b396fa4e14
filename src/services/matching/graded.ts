// How sure a match by hashes is, and what of it is told.
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { orientationsOf, type TransformName, transforms } from '../../../packages/hash/src/transforms.js'
import { type Agreement, agreementOf, hasPieces } from '../../domain/matching/agreement.js'
import type { Together } from '../../domain/matching/corroborations.js'
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
  /** Within the bank's threshold, rather than the wider one that was asked for? */
  readonly isWithin: boolean
  /** Within what the asking organisation's own bank is to show it? */
  readonly isInOwnReach: boolean
  /** Within what one pair of views decides alone? */
  readonly isDecided: boolean
  /** Its place in `transforms`. */
  readonly orientation: number
  /** What was asked, turned that way. */
  readonly hash: Hash256 | undefined
  readonly image: CatalogueImage
  readonly bank: Bank
}

export interface Graded {
  /** What it is told by. */
  readonly told: Found
  readonly grade: Grade
}

/** How sure a match is, and what it is told by: the nearer of two witnesses where these make it surer than what is nearest. */
export function graded(found: Found, corroborated: boolean, together: Together | undefined): Graded {
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

/** Where it agrees with what it was found by; `undefined` of exact ones, of those for review, and where either was given without parts. */
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

/** By how many bits an upload that looks like a form is near enough to be acted on; `undefined` of exact matches, of those for review, and where it was given without parts. */
export function formSurplusIn(
  searcher: Pick<Searcher, 'viewsOf'>,
  asked: readonly HashedSignal[],
  { told, grade }: Graded,
): number | undefined {
  if (grade === 'exact' || grade === 'review' || !hasPieces(asked)) return undefined
  const viewsOf = (type: 'pdq' | 'pdq-area') => searcher.viewsOf(told.hit.image, type).map((view) => ({ ...view, type }))
  const shown = asked.flatMap(({ type, view, hashes }) => {
    const hash = hashes[orientationsOf(hashes.length).indexOf(told.orientation)]
    return hash === undefined ? [] : [{ type, view, hash }]
  })
  return formSurplusBits(shown, [...viewsOf('pdq'), ...viewsOf('pdq-area')])
}

/** A match of which a part may differ is not strong, and one of a form that may be another one of its kind is for review alone. */
export function agreed({ told, grade }: Graded, agreement: Agreement | undefined, formSurplus: number | undefined): Graded {
  if (formSurplus !== undefined && formSurplus < 0) return { told, grade: 'review' }
  const isPartial = agreement !== undefined && agreement.surplusBits < 0
  return { told, grade: isPartial && grade === 'strong' ? 'near' : grade }
}

export function describe(
  { image, type, views, orientation, hit: { distanceBits } }: Found,
  grade: Grade,
  matchId: string,
  agreement: Agreement | undefined,
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
    ...(agreement?.partial !== undefined && { agreement: agreement.partial }),
  }
}

export function transformName(orientation: number): TransformName {
  const transform = transforms[orientation]
  if (transform === undefined) throw new RangeError('a picture is asked about in at most eight ways')
  return transform.name
}

// Grades a match by hashes and builds what the caller sees of it.

import { type Agreement, agreementOf, hasPieces } from '../../../packages/core/src/matching/agreement.js'
import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { CorroboratingPair } from '../../../packages/core/src/matching/corroborations.js'
import { EDGE_BITS, isNearEdge } from '../../../packages/core/src/matching/edges.js'
import { type ComparedViews, contentOf } from '../../../packages/core/src/matching/evidence.js'
import { formSurplusBits } from '../../../packages/core/src/matching/forms.js'
import {
  distanceBandOf,
  type Grade,
  gradeOf,
  isEqual,
  isOfFile,
  worseGrade,
} from '../../../packages/core/src/matching/grade.js'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import { objectSurplusBits } from '../../../packages/core/src/matching/objects.js'
import { type Strictness, strictnessFor } from '../../../packages/core/src/matching/registry-size.js'
import { viewOf } from '../../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES, SIGNAL_TYPES, type SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../packages/core/src/search/hit.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { isUpright, orientationsOf, type TransformName, transforms } from '../../../packages/hash/src/transforms.js'
import type { CatalogueImage } from '../index/image-facts.js'
import type { Searcher } from '../index/searcher.js'
import { comparedWith, MAX_CORROBORATED } from './batch-search.js'
import { type Blur, blurredHits, exactBits } from './hit-distance.js'
import type { Looks, Match } from './match.js'

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
  /** Also near enough where grades are stricter than `per-pair`? Always true for `per-pair`. */
  readonly isStrictlyDecided: boolean
  /** Index into `transforms`. */
  readonly orientation: number
  /** The query's hash in that orientation. */
  readonly hash: Hash256 | undefined
  readonly image: CatalogueImage
  readonly bank: Bank
}

export interface Graded {
  /** The view that the match reports. */
  readonly reported: Found
  readonly grade: Grade
}

/**
 * Grades a match and selects the view that it reports: the nearest view, or the nearer of two corroborating views if these
 * raise the grade.
 */
export function graded(
  found: Found,
  corroborated: boolean,
  together: CorroboratingPair | undefined,
  strictness: Strictness,
): Graded {
  const { bank, type, views, hit, image } = found
  const gradeWith = (togetherBits: number, nearTogetherBits: number) => {
    const grade = gradeOf({
      bank,
      signalType: type,
      views,
      distanceBits: hit.distanceBits,
      corroborated,
      togetherBits,
      nearTogetherBits,
      strictness: strictnessFor(strictness, image),
    })
    // Somebody may have chosen the hashes, from different pictures.
    return grade === 'strong' && image.isByHashes ? 'near' : grade
  }
  const alone = gradeWith(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  const grade = together === undefined ? alone : gradeWith(together.bits, together.nearBits)
  if (together === undefined || grade === alone) return { reported: found, grade }
  const { nearer } = together
  const reported = { ...found, type: nearer.type, orientation: nearer.orientation, hash: nearer.hash }
  return {
    reported: {
      ...reported,
      views: { ...views, ...nearer.views, rotated: false },
      hit: { ...hit, distanceBits: nearer.distanceBits, exactBits: exactBits(nearer) },
    },
    grade,
  }
}

/** What `isProven` needs to know. */
export function factsOf({ type, views, hit: { distanceBits } }: Found, corroborated: boolean) {
  return { signalType: type, views, distanceBits, corroborated }
}

/** Where the query agrees with the registered picture; `undefined` for the same file, for `review`, and for a query without pieces. */
export function agreementIn(
  searcher: Pick<Searcher, 'viewsOf'>,
  asked: readonly HashedSignal[],
  { reported, grade }: Graded,
): Agreement | undefined {
  if (isOfFile(reported.type) || grade === 'review' || !hasPieces(asked)) return undefined
  const { image } = reported.hit
  const registered = { pdq: searcher.viewsOf(image, 'pdq'), area: searcher.viewsOf(image, 'pdq-area') }
  return agreementOf(asked, registered, reported.orientation)
}

/**
 * @returns by how many bits a match is nearer than required of another form or object of the same kind, or of another picture in the same frame
 *   or with the same surroundings where the wholes decide; `undefined` where nothing is required.
 */
export function copySurplusIn(
  searcher: Pick<Searcher, 'viewsOf'>,
  asked: readonly HashedSignal[],
  graded: Graded,
  { agreement, looks, together, atMs, blurBits }: Judged,
): number | undefined {
  // The sum of two views is blurred already.
  const pair = together && { ...together, bits: together.bits - blurBits }
  const ofKind = kindSurplusIn(searcher, asked, graded, { looks, together: pair })
  const surplus = areWholes(graded.reported.views) ? leastOf(wholesSurplusOf(agreement, atMs), ofKind) : ofKind
  return surplus === undefined ? undefined : surplus - blurBits
}

interface Judged {
  readonly agreement: Agreement | undefined
  readonly looks: Looks
  readonly together: CorroboratingPair | undefined
  /** When the registered frame of a video is shown; `undefined` for a picture. */
  readonly atMs: number | undefined
  /** The blur of the query for this image. */
  readonly blurBits: number
}

/**
 * @returns by how many bits a match is nearer than required of another picture in the same frame or with the same surroundings; `undefined` where
 *   nothing is required. It counts only where the wholes decide.
 * @param atMs as in `Judged`. Of a frame of a video few parts are registered, so `insideBits` says nothing.
 */
export function wholesSurplusOf(agreement: Agreement | undefined, atMs: number | undefined): number | undefined {
  return leastOf(agreement?.withinFrameBits, atMs === undefined ? agreement?.insideBits : undefined)
}

export function areWholes({ asked, registered }: ComparedViews): boolean {
  return asked === 'whole' && registered === 'whole'
}

function leastOf(...bits: readonly (number | undefined)[]): number | undefined {
  const known = bits.filter((one) => one !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** The same of a form or an object alone; `undefined` for other looks, `exact` and `review`. */
function kindSurplusIn(
  searcher: Pick<Searcher, 'viewsOf'>,
  asked: readonly HashedSignal[],
  { reported, grade }: Graded,
  { looks: { isForm = false, isObject = false }, together }: Pick<Judged, 'looks' | 'together'>,
): number | undefined {
  if (grade === 'exact' || grade === 'review' || !(isForm || isObject)) return undefined
  const { isByHashes } = reported.image
  const viewsOf = (type: 'pdq' | 'pdq-area') =>
    searcher.viewsOf(reported.hit.image, type).map((view) => ({ ...view, type, isByHashes }))
  const rotated = !isUpright(reported.orientation)
  const shown = asked.flatMap((signal) => {
    const { type, view, hashes, isPicture } = signal
    const hash = hashes[orientationsOf(hashes.length).indexOf(reported.orientation)]
    return hash === undefined ? [] : [{ type, view, hash, isPicture, rotated, content: contentOf(signal) }]
  })
  const registered = [...viewsOf('pdq'), ...viewsOf('pdq-area')]
  const ofForm = isForm ? formSurplusBits(shown, registered) : Number.POSITIVE_INFINITY
  const ofObject = isObject
    ? objectSurplusBits(shown, registered, together?.bits ?? Number.POSITIVE_INFINITY)
    : Number.POSITIVE_INFINITY
  return Math.min(ofForm, ofObject)
}

/** Whether MD5 says that two files are the same and SHA-256 that they are not: somebody made the second one for this. */
export function isOtherFile(
  searcher: Pick<Searcher, 'viewsOf'>,
  asked: readonly HashedSignal[],
  { type, hit }: Pick<Found, 'type' | 'hit'>,
): boolean {
  if (type !== 'video_md5' || !asked.some((signal) => signal.type === 'sha256')) return false
  return searcher.viewsOf(hit.image, 'sha256').length > 0 // an equal one would precede the MD5
}

/**
 * Lowers the grade: `exact` and `strong` become `near` if a part differs, and any grade becomes `review` for what may be another form or
 * object of one kind, or another picture in one frame or on one table.
 */
export function agreed(
  { reported, grade }: Graded,
  agreement: Agreement | undefined,
  copySurplus: number | undefined,
): Graded {
  if (copySurplus !== undefined && copySurplus < 0) return { reported, grade: 'review' }
  // Another picture can be bent until its whole has the very same hash; its pieces then still differ.
  const isBent = grade === 'exact' && agreement !== undefined && agreement.piecesSurplusBits < 0
  const isPartial = agreement !== undefined && Math.min(agreement.surplusBits, agreement.evenSurplusBits) < 0
  return { reported, grade: isPartial || isBent ? worseGrade(grade, 'near') : grade }
}

/** @param atMs when the registered frame is shown; `undefined` for a picture. */
export function describe(
  found: Pick<Found, 'image' | 'type' | 'views' | 'orientation' | 'hit'>,
  grade: Grade,
  matchId: string,
  agreement: Agreement | undefined,
  atMs?: number | undefined,
): Match {
  const { image, type, views, orientation } = found
  const { distanceBits } = found.hit
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
    ...(image.isUnvouched && { isUnvouched: true }),
    ...(atMs !== undefined && { atMs }),
    ...(agreement?.partial !== undefined && { agreement: agreement.partial }),
  }
}

export function transformName(orientation: number): TransformName {
  const transform = transforms[orientation]
  if (transform === undefined) throw new RangeError('there are eight orientations')
  return transform.name
}

/**
 * Distances of different types cannot be compared: the type that is first in the table represents the image, unless another is
 * equal; a hash that proves the same file precedes all. A view within its threshold precedes one beyond it, even with more bits, because thresholds differ by view. The same
 * holds for a view that decides alone. Where grades are stricter, one that decides alone precedes all others.
 */
export function isNearer(found: Found, known: Found): boolean {
  const equality = ({ type, hit }: Found) =>
    isEqual(type, hit.distanceBits) ? 1 + Number(SIGNAL_TYPES[type].provesFile) : 0
  if (found.isStrictlyDecided !== known.isStrictlyDecided) return found.isStrictlyDecided
  if (equality(found) !== equality(known)) return equality(found) > equality(known)
  if (found.isWithin !== known.isWithin) return found.isWithin
  if (found.type === known.type && found.isDecided !== known.isDecided) return found.isDecided
  if (found.type === known.type) return found.hit.distanceBits < known.hit.distanceBits
  return SIGNAL_TYPE_NAMES.indexOf(found.type) < SIGNAL_TYPE_NAMES.indexOf(known.type)
}

interface CorroborationOptions {
  readonly observed: { nearlyCorroborated(image: number, hash: Hash256): void }
  readonly blur: Blur | undefined
}

/** Does another algorithm agree with a match in the same orientation? */
export function* corroborationOf(
  searcher: Searcher,
  found: ReadonlyMap<number, Found>,
  asked: readonly HashedSignal[],
  { observed, blur }: CorroborationOptions,
): Generator<void, (match: Found) => boolean, void> {
  const agreeing = new Set<string>()
  const keyOf = (algorithm: string, orientation: number, image: number) => `${algorithm} ${orientation} ${image}`
  const orientations = new Set(Array.from(found.values(), ({ orientation }) => orientation))
  const compared = comparedWith(searcher, new Set(found.keys()), MAX_CORROBORATED)
  for (const { type, view, hashes } of asked) {
    const { algorithm, corroboratesBits } = SIGNAL_TYPES[type]
    if (view !== 'whole' || ![...found.values()].some((match) => SIGNAL_TYPES[match.type].algorithm !== algorithm)) continue
    for (const orientation of orientations) {
      const hash = hashes[orientationsOf(hashes.length).indexOf(orientation)]
      if (hash === undefined) continue
      const marginBits = corroboratesBits === 0 ? 0 : EDGE_BITS
      yield
      const radius = { bits: corroboratesBits, marginBits }
      const hits = compared?.near(type, [hash], radius) ?? (yield* searcher.search(type, [hash], radius.bits, marginBits))
      for (const hit of blurredHits(searcher, hits, blur)) {
        if (!found.has(hit.image) || viewOf(hit.view) !== 'whole') continue
        if (hit.distanceBits <= corroboratesBits) agreeing.add(keyOf(algorithm, orientation, hit.image))
        if (marginBits > 0 && isNearEdge(hit.distanceBits, corroboratesBits)) observed.nearlyCorroborated(hit.image, hash)
      }
    }
  }
  if (agreeing.size === 0) return () => false
  return ({ hit, type, orientation }) =>
    ALGORITHMS.some((other) => other !== SIGNAL_TYPES[type].algorithm && agreeing.has(keyOf(other, orientation, hit.image)))
}

const ALGORITHMS = [...new Set(SIGNAL_TYPE_NAMES.map((type) => SIGNAL_TYPES[type].algorithm))]

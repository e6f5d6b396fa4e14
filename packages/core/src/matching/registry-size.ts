// How the number of registered images affects the false matches of one upload: the larger the registry, the more often chance finds something.

import { aloneBits, PAIR_SUM_BITS, WHOLE_VIEWS } from './evidence.js'

/** Grades that somebody may act on and that chance can produce. */
export type RatedGrade = 'strong' | 'near'

/** The accepted share of unrelated uploads that get a false match of this grade. */
export const GOALS_AN_UPLOAD: Readonly<Record<RatedGrade, number>> = { strong: 1e-6, near: 1e-4 }

/**
 * False matches per pair of unrelated pictures at today's thresholds: 2 of 5,542 million and 44 of 5,328 million (bench/record/false-matches.json).
 * These are the upper ends at 95 % confidence. They do not cover pages of one app, forms of one kind or pictures under one mask, which share what is
 * compared.
 */
export const FALSE_RATES_A_PAIR: Readonly<Record<RatedGrade, number>> = { strong: 1.14e-9, near: 1.07e-8 }

/** The same for what the model below does not cover: a picture found by its details, and two videos with a line (`video-evidence.ts`). */
export const UNMODELLED_RATES_A_PAIR = { details: 4.8e-8, line: 5.9e-6 } as const

/**
 * A model, not a measurement: each bit of a narrower threshold divides the false pairs by 10 to this power. Taken from the flattest 16 bits of the
 * measured tail (docs/robustness/false-rates.csv), from the first false pairs on. Below 44 bits there are too few to fit.
 */
export const DECADES_A_BIT = 0.085

/** What can give a grade: PDQ of the whole picture, PDQ of a part, or two independent views (the sum of their distances). */
export const EVIDENCE = ['pdq', 'pdq-area', 'two-views'] as const
export type Evidence = (typeof EVIDENCE)[number]

/**
 * What the grades of an answer promise. `per-pair`: a false rate for each registered image that an upload is compared with. `per-upload`: one for the
 * upload, compared with all of them (`GOALS_AN_UPLOAD`).
 */
export const GRADINGS = ['per-pair', 'per-upload'] as const
export type Grading = (typeof GRADINGS)[number]

/** How much more a grade takes than `per-pair`. */
export interface Strictness {
  /** By how many bits each limit is tighter, by grade. */
  readonly tighter: Readonly<Record<RatedGrade, number>>
  /** As `PAIR_SUM_BITS`, by so many bits tighter. */
  readonly pairSumBits: Readonly<Record<keyof typeof PAIR_SUM_BITS, number>>
  /** May details alone be a match that is not for review? */
  readonly trustsDetails: boolean
  /** May a line of two videos? */
  readonly trustsLines: boolean
  /** For images that do not count in the size of the registry yet. When left out, the same. */
  readonly ofRecent?: Strictness
}

export const PER_PAIR: Strictness = {
  tighter: { strong: 0, near: 0 },
  pairSumBits: PAIR_SUM_BITS,
  trustsDetails: true,
  trustsLines: true,
}

/**
 * @param pairs how many pairs of pictures an upload makes: one with each registered image and frame; of a video, as many for each of its frames.
 * @param images how many images and videos are registered.
 * @returns what keeps the goals by the model. What has no model counts while it fits into what hashes leave of the goal of `near`.
 */
export function perUpload(pairs: number, images = pairs): Strictness {
  const left = GOALS_AN_UPLOAD.near - pairs * FALSE_RATES_A_PAIR.near
  const tighter = { strong: tighterBits('strong', pairs), near: tighterBits('near', pairs) }
  const trustsDetails = images * UNMODELLED_RATES_A_PAIR.details <= left
  const trustsLines = images * UNMODELLED_RATES_A_PAIR.line <= left
  if (tighter.strong === 0 && trustsDetails && trustsLines) return PER_PAIR
  const pairSumBits = { match: PAIR_SUM_BITS.match - tighter.near, strong: PAIR_SUM_BITS.strong - tighter.strong }
  return { tighter, pairSumBits, trustsDetails, trustsLines }
}

export function strictnessFor(strictness: Strictness, { isRecent }: { readonly isRecent?: true | undefined }): Strictness {
  return isRecent ? (strictness.ofRecent ?? strictness) : strictness
}

/**
 * @returns how many pictures an upload is compared with: images, or wholes where frames of videos make them more. Too high where images have several
 *   wholes or belong to banks that are not asked.
 */
export function comparedImages(images: number, pdqRows: number): number {
  return Math.max(images, pdqRows)
}

/** @returns the highest probability, 0…1, that an unrelated upload gets a false match of this grade among so many images. */
export function falseRateAnUpload(grade: RatedGrade, images: number): number {
  return -Math.expm1(-images * FALSE_RATES_A_PAIR[grade])
}

/** @returns by how many bits every threshold would have to shrink, by the model, to keep the goal among so many images; 0 if none. */
export function tighterBits(grade: RatedGrade, images: number): number {
  const decades = Math.log10((images * FALSE_RATES_A_PAIR[grade]) / GOALS_AN_UPLOAD[grade])
  return decades <= 0 ? 0 : Math.ceil(decades / DECADES_A_BIT)
}

/**
 * @returns the largest threshold for this grade among so many images; `undefined` if even 0 bits is too wide and only identical files could match.
 */
export function largestBits(grade: RatedGrade, evidence: Evidence, images: number): number | undefined {
  const today =
    evidence === 'two-views' ? PAIR_SUM_BITS[grade === 'strong' ? 'strong' : 'match'] : aloneBits(evidence, WHOLE_VIEWS)
  const bits = today - tighterBits(grade, images)
  return bits < 0 ? undefined : bits
}

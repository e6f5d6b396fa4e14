// What a grade means for an upload, which is compared with everything that is registered: the larger the registry, the more often chance finds something.

import { aloneBits, TOGETHER_BITS, WHOLE_VIEWS } from './evidence.js'
import type { Grade } from './grade.js'

/** Grades that somebody may act on, and that chance gives. */
export type RatedGrade = Exclude<Grade, 'exact' | 'review'>

/** Of uploads that have nothing to do with anything registered, which share may be answered so. */
export const GOALS_AN_UPLOAD: Readonly<Record<RatedGrade, number>> = { strong: 1e-6, near: 1e-4 }

/**
 * Of pairs of unrelated pictures, by today's distances: 2 of 5,457 million, 40 of 5,243 million (docs/robustness.md), the upper ends with a confidence
 * of 95 %. Not of pages of one app, forms of one kind or pictures in one mask, which share what is compared.
 */
export const FALSE_RATES_A_PAIR: Readonly<Record<RatedGrade, number>> = { strong: 1.2e-9, near: 9.9e-9 }

/**
 * A model and no measurement: by how many decades fewer pairs are false for each bit that they have to be nearer. It is the flattest stretch of 16 bits of the measured
 * tail (docs/robustness/false-rates.csv), which begins where the first false pairs are: nearer than 44 bits there are too few to fit anything.
 */
export const DECADES_A_BIT = 0.085

/** What can give a grade: the whole picture's PDQ, a part of it, or two parts that look unlike, by the sum of their distances. */
export const EVIDENCE = ['pdq', 'pdq-area', 'two-views'] as const
export type Evidence = (typeof EVIDENCE)[number]

/** Of an upload that has nothing to do with any of so many images: how likely it is, at most, to be answered so. */
export function falseRateAnUpload(grade: RatedGrade, images: number): number {
  return -Math.expm1(-images * FALSE_RATES_A_PAIR[grade])
}

/** By how many bits nearer than today everything has to be, by the model, for the goal to hold among so many images. */
export function tighterBits(grade: RatedGrade, images: number): number {
  const decades = Math.log10((images * FALSE_RATES_A_PAIR[grade]) / GOALS_AN_UPLOAD[grade])
  return decades <= 0 ? 0 : Math.ceil(decades / DECADES_A_BIT)
}

/** The largest distance for this grade among so many images; `undefined` where none is small enough, and the same file alone would do. */
export function largestBits(grade: RatedGrade, evidence: Evidence, images: number): number | undefined {
  const today =
    evidence === 'two-views' ? TOGETHER_BITS[grade === 'strong' ? 'strong' : 'match'] : aloneBits(evidence, WHOLE_VIEWS)
  const bits = today - tighterBits(grade, images)
  return bits < 0 ? undefined : bits
}

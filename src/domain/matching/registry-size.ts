// How the number of registered images affects the false matches of one upload: the larger the registry, the more often chance finds something.

import { aloneBits, PAIR_SUM_BITS, WHOLE_VIEWS } from './evidence.js'
import type { Grade } from './grade.js'

/** Grades that somebody may act on and that chance can produce. */
export type RatedGrade = Exclude<Grade, 'exact' | 'review'>

/** The accepted share of unrelated uploads that get a false match of this grade. */
export const GOALS_AN_UPLOAD: Readonly<Record<RatedGrade, number>> = { strong: 1e-6, near: 1e-4 }

/**
 * False matches per pair of unrelated pictures at today's thresholds: 2 of 5,457 million and 40 of 5,243 million (docs/robustness.md). These are
 * the upper ends at 95 % confidence. They do not cover pages of one app, forms of one kind or pictures under one mask, which share what is
 * compared.
 */
export const FALSE_RATES_A_PAIR: Readonly<Record<RatedGrade, number>> = { strong: 1.2e-9, near: 9.9e-9 }

/**
 * A model, not a measurement: each bit of a narrower threshold divides the false pairs by 10 to this power. Taken from the flattest 16 bits of the
 * measured tail (docs/robustness/false-rates.csv), from the first false pairs on. Below 44 bits there are too few to fit.
 */
export const DECADES_A_BIT = 0.085

/** What can give a grade: PDQ of the whole picture, PDQ of a part, or two independent views (the sum of their distances). */
export const EVIDENCE = ['pdq', 'pdq-area', 'two-views'] as const
export type Evidence = (typeof EVIDENCE)[number]

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

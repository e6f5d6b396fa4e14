// Grades a match by how sure it is.

import { aloneThresholdOf, type Bank, thresholdOf } from './bank.js'
import { aloneBits, type ComparedViews, corroborableBits } from './evidence.js'
import type { Strictness } from './registry-size.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * - `exact`: the same file by SHA-256, or the same picture: PDQ of the whole differs in no bit, a second algorithm agrees, and so do all parts.
 * - `strong`: near enough for one hash to decide alone, and a second algorithm agrees; or two independent views are near (`corroborations.ts`).
 *   Never by deframed registered views alone, never if a part of the query may differ (`agreement.ts`), and never by hashes that nobody vouches for
 *   (`isByHashes`).
 * - `near`: within the bank's threshold: one hash that decides alone, or two independent views that are less near.
 * - `review`: beyond the threshold or uncorroborated. Only returned if the caller gave a radius, or owns the bank and set a wider one for itself.
 *   Never act on it automatically.
 */
export const GRADES = ['exact', 'strong', 'near', 'review'] as const
export type Grade = (typeof GRADES)[number]

export interface MatchFacts {
  readonly bank: Bank
  readonly signalType: SignalType
  readonly views: ComparedViews
  readonly distanceBits: number
  /** Whether a signal of another algorithm agrees, for the same picture in the same orientation. */
  readonly corroborated: boolean
  /** Sum of the distances of two independent observations; infinity if there are no two (`corroborations.ts`). */
  readonly togetherBits: number
  /** The sum before it was raised (`nearBits` in `corroborations.ts`). */
  readonly nearTogetherBits: number
  readonly strictness: Strictness
}

/** @returns the grade of a match. */
export function gradeOf(facts: MatchFacts): Grade {
  const { bank, signalType, views, distanceBits, corroborated, togetherBits, nearTogetherBits, strictness } = facts
  if (isProven(facts) && mayBeExact(signalType, strictness)) return 'exact'
  if (distanceBits > thresholdOf(bank, signalType, views)) return 'review'
  const sums = strictness.pairSumBits
  if (togetherBits <= sums.strong) return 'strong'
  // A second algorithm compares whole pictures, so it says nothing about a deframed view or a file.
  const isOfWhole = views.registered !== 'deframed' && !isOfFile(signalType)
  if (corroborated && isOfWhole && distanceBits <= strongBits(signalType, views, strictness)) return 'strong'
  const isNear = distanceBits <= nearAloneBits(bank, signalType, views, strictness) || nearTogetherBits <= sums.match
  return isNear ? 'near' : 'review'
}

/** @returns the distance up to which one pair of views alone is `near`, in bits, inclusive. A bank's narrower radius is not tightened further. */
export function nearAloneBits(bank: Bank, type: SignalType, views: ComparedViews, { tighter }: Strictness): number {
  const ofBank = aloneThresholdOf(bank, type, views)
  return isOfFile(type) ? ofBank : Math.min(ofBank, aloneBits(type, views) - tighter.near)
}

/** @returns the distance up to which agreement of another algorithm makes a match strong, in bits, inclusive; −1 for none. */
export function strongBits(type: SignalType, views: ComparedViews, { tighter }: Strictness): number {
  if (tighter.strong === 0) return corroborableBits(type, views)
  // For types that never decide alone, false pairs were not measured at tighter limits.
  return SIGNAL_TYPES[type].decidesAlone ? corroborableBits(type, views) - tighter.strong : -1
}

/** Whether distance 0 may be graded `exact` at this strictness. */
export function mayBeExact(type: SignalType, { tighter }: Strictness): boolean {
  return isOfFile(type) || SIGNAL_TYPES[type].thresholdBits >= tighter.strong
}

/** A hash of a file is equal or not, so it has no false matches. */
export function isOfFile(type: SignalType): boolean {
  return SIGNAL_TYPES[type].maxThresholdBits === 0
}

/** @returns the worse of two grades. */
export function worseGrade(one: Grade, other: Grade): Grade {
  return GRADES.indexOf(one) >= GRADES.indexOf(other) ? one : other
}

/** @returns whether hashes are equal that somebody who does not have the file cannot choose, or two whole pictures are equal by two algorithms. */
export function isProven(
  facts: Pick<MatchFacts, 'signalType' | 'distanceBits' | 'corroborated'> & {
    readonly views: Pick<ComparedViews, 'asked' | 'registered'>
  },
): boolean {
  const { signalType, distanceBits, corroborated, views } = facts
  if (!isEqual(signalType, distanceBits)) return false
  const areWholes = views.asked === 'whole' && views.registered === 'whole'
  return SIGNAL_TYPES[signalType].provesFile || (!isOfFile(signalType) && corroborated && areWholes)
}

/** @returns whether the hashes are equal, and the type identifies pictures or files. Somebody may have made another picture with this hash. */
export function isEqual(signalType: SignalType, distanceBits: number): boolean {
  return distanceBits === 0 && SIGNAL_TYPES[signalType].identifies
}

/**
 * What callers without the scope `match:distance` get in place of the distance. With exact distances, an attacker could reconstruct the stored hash
 * bit by bit. `upToBits` is inclusive.
 */
const BANDS = [
  { name: '0', upToBits: 0 },
  { name: '1-15', upToBits: 15 },
  { name: '16-31', upToBits: 31 },
  { name: '32-45', upToBits: 45 },
  { name: '46-60', upToBits: 60 },
  { name: '61-90', upToBits: 90 },
] as const

/** Where one band ends and the next begins. Without 0, because only somebody who has the hash gets near it. */
export const BAND_EDGES_BITS = BANDS.map(({ upToBits }) => upToBits).filter((bits) => bits > 0)

export const DISTANCE_BANDS = BANDS.map((band) => band.name)
export type DistanceBand = (typeof BANDS)[number]['name']

/**
 * @returns the upper end of the widest band within a radius. Callers that get bands can only choose radii of bands: by repeating a query with other
 *   radii they would find the distance.
 */
export function bandWithin(thresholdBits: number): number {
  return Math.max(...BANDS.filter(({ upToBits }) => upToBits <= thresholdBits).map(({ upToBits }) => upToBits))
}

/**
 * @returns the band of a distance.
 * @throws {RangeError} beyond 90 bits, which is a bug.
 */
export function distanceBandOf(distanceBits: number): DistanceBand {
  const band = BANDS.find(({ upToBits }) => distanceBits <= upToBits)
  if (band === undefined) throw new RangeError('no match is wider than the widest threshold')
  return band.name
}

/** What callers without `match:distance` get in place of the number of agreeing details, for the same reason. */
const INLIER_LEASTS = [
  { name: '40+', least: 40 },
  { name: '20-39', least: 20 },
  { name: '12-19', least: 12 },
  { name: '8-11', least: 8 },
] as const

export const INLIER_BANDS = INLIER_LEASTS.map((band) => band.name)

/**
 * @returns the band of a number of agreeing details.
 * @throws {RangeError} below 8, which is a bug: so few are not a match.
 */
export function inlierBandOf(inliers: number): (typeof INLIER_LEASTS)[number]['name'] {
  const band = INLIER_LEASTS.find(({ least }) => inliers >= least)
  if (band === undefined) throw new RangeError('fewer details are no match')
  return band.name
}

/** @returns the largest distance of the band, for callers that need a number and must not know the distance. */
export function maxDistanceOf(distanceBits: number): number {
  const name = distanceBandOf(distanceBits)
  return BANDS.find((band) => band.name === name)?.upToBits ?? distanceBits
}

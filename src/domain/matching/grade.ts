// How sure a match is, from the facts about its bits.

import { aloneThresholdOf, type Bank, thresholdOf } from '../organisations/bank.js'
import { type ComparedViews, corroborableBits, TOGETHER_BITS } from './evidence.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * exact: no bit of PDQ differs, or the files are the same byte for byte.
 * strong: as near as one hash decides alone, and a second algorithm agrees; or two parts of the picture that look unlike are near
 *   ones of the registered picture (`witnesses.ts`). Never by registered parts without their frames alone, and never where a part of what was asked
 *   about may differ (`agreement.ts`).
 * near: within the bank's threshold: one hash that decides alone, or two such parts that are less near.
 * review: beyond it, or so far that it needs a second part and has none; found because the caller asked for a wider
 *   one; never to be acted on automatically.
 */
export const GRADES = ['exact', 'strong', 'near', 'review'] as const
export type Grade = (typeof GRADES)[number]

export interface MatchFacts {
  readonly bank: Bank
  readonly signalType: SignalType
  readonly views: ComparedViews
  readonly distanceBits: number
  /** Does a signal of another algorithm, of the same picture under the same transform, agree? */
  readonly corroborated: boolean
  /** The sum of the distances of two witnesses, infinite without two (`witnesses.ts`). */
  readonly togetherBits: number
}

export function gradeOf({ bank, signalType, views, distanceBits, corroborated, togetherBits }: MatchFacts): Grade {
  if (isExact(signalType, distanceBits)) return 'exact'
  if (distanceBits > thresholdOf(bank, signalType, views)) return 'review'
  if (togetherBits <= TOGETHER_BITS.strong) return 'strong'
  // A second algorithm sees the whole picture, and says nothing of a part without its frame.
  const isOfWhole = views.registered !== 'deframed'
  if (corroborated && isOfWhole && distanceBits <= corroborableBits(signalType, views)) return 'strong'
  const isNear = distanceBits <= aloneThresholdOf(bank, signalType, views) || togetherBits <= TOGETHER_BITS.match
  return isNear ? 'near' : 'review'
}

/** Is this the very picture, as far as a hash can tell? */
export function isExact(signalType: SignalType, distanceBits: number): boolean {
  return distanceBits === 0 && SIGNAL_TYPES[signalType].identifies
}

/**
 * What callers without `match:distance` get in place of the distance: an exact one would let a prober climb to the stored
 * hash bit by bit. `upToBits` is inclusive.
 */
const BANDS = [
  { name: '0', upToBits: 0 },
  { name: '1-15', upToBits: 15 },
  { name: '16-31', upToBits: 31 },
  { name: '32-45', upToBits: 45 },
  { name: '46-60', upToBits: 60 },
  { name: '61-90', upToBits: 90 },
] as const

/** Where one band ends and the next begins. That of 0 is left out: only who knows the hash is near it. */
export const BAND_EDGES_BITS = BANDS.map(({ upToBits }) => upToBits).filter((bits) => bits > 0)

export const DISTANCE_BANDS = BANDS.map((band) => band.name)
export type DistanceBand = (typeof BANDS)[number]['name']

/**
 * The widest band that lies within a radius. Who may know bands alone may ask by bands alone: a radius of any number of bits, asked
 * again and again, would tell the distance.
 */
export function bandWithin(thresholdBits: number): number {
  return Math.max(...BANDS.filter(({ upToBits }) => upToBits <= thresholdBits).map(({ upToBits }) => upToBits))
}

export function distanceBandOf(distanceBits: number): DistanceBand {
  const band = BANDS.find(({ upToBits }) => distanceBits <= upToBits)
  if (band === undefined) throw new RangeError('no match is wider than the widest threshold')
  return band.name
}

/** What callers without `match:distance` get in place of the number of details that agree, for the same reason. */
const INLIER_LEASTS = [
  { name: '40+', least: 40 },
  { name: '20-39', least: 20 },
  { name: '12-19', least: 12 },
  { name: '8-11', least: 8 },
] as const

export const INLIER_BANDS = INLIER_LEASTS.map((band) => band.name)

export function inlierBandOf(inliers: number): (typeof INLIER_LEASTS)[number]['name'] {
  const band = INLIER_LEASTS.find(({ least }) => inliers >= least)
  if (band === undefined) throw new RangeError('fewer details are no match')
  return band.name
}

/** The greatest distance of the band: a whole number for who must have one and may not know the distance itself. */
export function maxDistanceOf(distanceBits: number): number {
  const name = distanceBandOf(distanceBits)
  return BANDS.find((band) => band.name === name)?.upToBits ?? distanceBits
}

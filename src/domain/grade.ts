// How sure a match is, from the facts about its bits.

import { type Bank, thresholdOf } from './bank.js'
import { type ComparedViews, strongBits } from './evidence.js'
import { SIGNAL_TYPES, type SignalType } from './signal-types.js'

/**
 * exact: no bit of PDQ differs, or the files are the same byte for byte.
 * strong: within the bank's threshold, and a second algorithm agrees or the distance is so small that one is enough
 *   (`evidence.ts`).
 * near: within the bank's threshold, not corroborated.
 * review: beyond the bank's threshold, found because the caller asked for a wider one; never to be acted on automatically.
 */
export const GRADES = ['exact', 'strong', 'near', 'review'] as const
export type Grade = (typeof GRADES)[number]

export interface MatchFacts {
  readonly bank: Bank
  readonly signalType: SignalType
  readonly views: ComparedViews
  readonly distanceBits: number
  /** Does a signal of another type, of the same picture under the same transform, agree? */
  readonly corroborated: boolean
}

export function gradeOf({ bank, signalType, views, distanceBits, corroborated }: MatchFacts): Grade {
  if (isExact(signalType, distanceBits)) return 'exact'
  if (distanceBits > thresholdOf(bank, signalType, views)) return 'review'
  const alone = strongBits(signalType, views)
  return corroborated || (alone !== undefined && distanceBits <= alone) ? 'strong' : 'near'
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

export const DISTANCE_BANDS = BANDS.map((band) => band.name)
export type DistanceBand = (typeof BANDS)[number]['name']

export function distanceBandOf(distanceBits: number): DistanceBand {
  const band = BANDS.find(({ upToBits }) => distanceBits <= upToBits)
  if (band === undefined) throw new RangeError('no match is wider than the widest threshold')
  return band.name
}

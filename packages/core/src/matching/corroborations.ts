// Collects the views in which each registered picture was found, and decides whether two of them are independent.

import { distance, type Hash256 } from '../../../hash/src/hash256.js'
import { EDGE_BITS } from './edges.js'
import {
  corroboratingBits,
  isPieceOnPiece,
  isSymmetric,
  MIN_INDEPENDENT_BITS,
  PAIR_SUM_BITS,
  type TwoViews,
} from './evidence.js'
import { distanceBandOf } from './grade.js'
import type { SignalType } from './signal-types.js'

/** One query view, in one orientation, that is near a registered view. */
export interface ViewObservation {
  readonly type: SignalType
  readonly views: TwoViews
  /** Index of the query signal. */
  readonly signal: number
  /** Index of the orientation in `transforms`. */
  readonly orientation: number
  /** The query hash that was searched for. */
  readonly hash: Hash256
  readonly distanceBits: number
  /** As in `Hit`. */
  readonly exactBits?: number
  /** Whether it is within match distance. If not, it can corroborate a match but not be one. */
  readonly isWithin: boolean
}

/** Two independent observations of one registered picture. */
export interface CorroboratingPair {
  /** The sum of their distances; raised if the pair must not be strong. */
  readonly bits: number
  /** The sum before it was raised. */
  readonly nearBits: number
  /** The nearer of the two, of those within match distance. The match is reported with its view, orientation and distance. */
  readonly nearer: ViewObservation
  /** Whether a slightly different distance could change which observation is reported. Probing detection counts such queries. */
  readonly isTied: boolean
}

interface Seen {
  readonly observation: ViewObservation
  /** Its distance; larger for partial views. */
  readonly bits: number
  readonly kind: Kind
}

/** Two observations of kind `piece`, or two of kind `deframed`, never make a strong match. */
type Kind = 'piece' | 'deframed' | 'other'

/**
 * By how many bits two observations of kind `piece` have to be nearer. Two pieces find copies with a large sticker, which covers part of every other
 * view. At 16 bits, two more drawn rooms of tuning set a are flagged; at 20 none.
 */
const PIECES_BITS = 20

/** Observations by registered image. Images are identified by numbers of the caller. */
export class Corroborations {
  // Invariant: for each image, the nearest observation for each combination of signal, orientation, kind and `isWithin`.
  readonly #seen = new Map<number, Map<string, Seen>>()

  /** Adds an observation. Ignores it if its views cannot corroborate at this distance. */
  note(image: number, observation: ViewObservation): void {
    const { type, views, signal, orientation, distanceBits, isWithin } = observation
    const bits = corroboratingBits(type, views, distanceBits)
    if (bits === undefined) return
    const seen = this.#seen.get(image) ?? new Map<string, Seen>()
    const kind = kindOf(views)
    const key = `${signal} ${orientation} ${kind} ${isWithin}`
    if (bits < (seen.get(key)?.bits ?? Number.POSITIVE_INFINITY)) seen.set(key, { observation, bits, kind })
    this.#seen.set(image, seen)
  }

  /**
   * @returns the two independent observations with the smallest sum of distances; `undefined` if there are no two, or neither is within match
   *   distance. The sum is raised above the limit of a strong match in three cases:
   *   - A query view is symmetric. Then most bits of its hash repeat another bit.
   *   - Both registered views are deframed. They may show a page into which other pictures are pasted.
   *   - Both observations are of pieces. Pictures of similar rooms agree in such pairs.
   */
  together(image: number): CorroboratingPair | undefined {
    const seen = [...(this.#seen.get(image)?.values() ?? [])]
    const pairs: Pair[] = []
    let minBits = Number.POSITIVE_INFINITY
    for (const [i, one] of seen.entries()) {
      for (const other of seen.slice(i + 1)) {
        if (one.bits + other.bits > minBits + EDGE_BITS || !areIndependent(one, other)) continue
        const pair = pairOf(one, other)
        if (pair === undefined) continue
        pairs.push(pair)
        minBits = Math.min(minBits, pair.bits)
      }
    }
    const [least, ...others] = pairs.sort((a, b) => a.bits - b.bits)
    if (least === undefined) return undefined
    const near = others.filter(({ bits }) => bits <= least.bits + EDGE_BITS)
    const isTied = [...least.nearlyReported, ...near.map(({ reported }) => reported)].some((other) =>
      isReportedDifferently(least.reported, other),
    )
    return { bits: least.bits, nearBits: least.nearBits, nearer: least.reported.observation, isTied }
  }

  /** @returns the sum of `together`; infinity if there is none. */
  togetherBits(image: number): number {
    return this.together(image)?.bits ?? Number.POSITIVE_INFINITY
  }
}

interface Pair {
  readonly bits: number
  readonly nearBits: number
  readonly reported: Seen
  /** The other observation, if it is within match distance and nearly as near. */
  readonly nearlyReported: readonly Seen[]
}

function pairOf(one: Seen, other: Seen): Pair | undefined {
  const [reported, next] = [one, other].filter(({ observation }) => observation.isWithin).sort((a, b) => a.bits - b.bits)
  if (reported === undefined) return undefined
  const isNearlyReported = next !== undefined && next.bits <= reported.bits + EDGE_BITS
  const [bits, nearBits] = sumsOf(one, other)
  return { bits, nearBits, reported, nearlyReported: isNearlyReported ? [next] : [] }
}

function isReportedDifferently({ observation: one }: Seen, { observation: other }: Seen): boolean {
  if (one.views.registered !== other.views.registered || one.orientation !== other.orientation) return true
  return distanceBandOf(one.distanceBits) !== distanceBandOf(other.distanceBits)
}

/** The smallest sum that is not strong and not within `EDGE_BITS` of being strong. */
export const NOT_STRONG_BITS = PAIR_SUM_BITS.strong + EDGE_BITS + 1

/** @returns `bits` and `nearBits`. */
function sumsOf(one: Seen, other: Seen): readonly [number, number] {
  const areBoth = (kind: Kind) => one.kind === kind && other.kind === kind
  const bits = one.bits + other.bits + (areBoth('piece') ? PIECES_BITS : 0)
  const isSymmetricOne = () => [one, other].some(({ observation: { hash } }) => isSymmetric(hash))
  // Raised only as far as needed: pairs that are not strong by their distance stay farther.
  const isRaised = bits < NOT_STRONG_BITS && (areBoth('deframed') || areBoth('piece') || isSymmetricOne())
  return [isRaised ? NOT_STRONG_BITS : bits, bits]
}

function areIndependent({ observation: one }: Seen, { observation: other }: Seen): boolean {
  return (
    one.orientation === other.orientation &&
    one.signal !== other.signal &&
    distance(one.hash, other.hash) >= MIN_INDEPENDENT_BITS
  )
}

function kindOf(views: TwoViews): Kind {
  if (isPieceOnPiece(views)) return 'piece'
  return views.registered === 'deframed' ? 'deframed' : 'other'
}

// In which of its views a picture that is asked about was seen in registered ones, and whether that is seen twice or once only.

import { distance, type Hash256 } from '../../../packages/hash/src/hash256.js'
import { EDGE_BITS } from './edges.js'
import { APART_BITS, corroboratingBits, isPieceOnPiece, isSymmetric, TOGETHER_BITS, type TwoViews } from './evidence.js'
import { distanceBandOf } from './grade.js'
import type { SignalType } from './signal-types.js'

/** One view that is asked about, in one of its turns, near a registered one. */
export interface ViewObservation {
  readonly type: SignalType
  readonly views: TwoViews
  /** Which of the signals that are asked about, by its place among them. */
  readonly signal: number
  /** The turn, by its place in `transforms`. */
  readonly orientation: number
  /** The hash that was searched for. */
  readonly hash: Hash256
  readonly distanceBits: number
  /** As near as a match may be? Otherwise it can support one and not be one. */
  readonly isWithin: boolean
}

/** Two witnesses. */
export interface Together {
  /** The sum of their distances. */
  readonly bits: number
  /** The nearer one of those that are within: what a match is told by. */
  readonly nearer: ViewObservation
  /** Would another sighting be told, were a distance a little different? */
  readonly isTied: boolean
}

interface Seen {
  readonly observation: ViewObservation
  /** Its distance, a part's counted as farther. */
  readonly bits: number
  readonly kind: Kind
}

/** Two that both see pieces in pieces are one witness; two of registered parts without their frames make nothing strong. */
type Kind = 'piece' | 'deframed' | 'other'

/** Images are numbered as their owner likes. */
export class Corroborations {
  // Invariant: of each image, by signal, way, kind, and whether it is within, the nearest sighting.
  readonly #seen = new Map<number, Map<string, Seen>>()

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
   * The two witnesses that do not err together and whose distances have the least sum; `undefined` when there are no two, or none of two is near
   * enough for a match by itself. Where one is symmetric the sum is too much for a strong match, since half of what that one says it says twice; and
   * where both are of registered parts without their frames, since those may be what pictures are put into.
   */
  together(image: number): Together | undefined {
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
    const isTied = [...least.nearlyTold, ...near.map(({ told }) => told)].some((other) => isToldOtherwise(least.told, other))
    return { bits: least.bits, nearer: least.told.observation, isTied }
  }

  /** The sum of `together`; infinite where there is none. */
  togetherBits(image: number): number {
    return this.together(image)?.bits ?? Number.POSITIVE_INFINITY
  }
}

interface Pair {
  readonly bits: number
  readonly told: Seen
  /** The other one, where it is nearly as near. */
  readonly nearlyTold: readonly Seen[]
}

function pairOf(one: Seen, other: Seen): Pair | undefined {
  const [told, next] = [one, other].filter(({ observation }) => observation.isWithin).sort((a, b) => a.bits - b.bits)
  if (told === undefined) return undefined
  const isNearlyTold = next !== undefined && next.bits <= told.bits + EDGE_BITS
  return { bits: sumOf(one, other), told, nearlyTold: isNearlyTold ? [next] : [] }
}

function isToldOtherwise({ observation: one }: Seen, { observation: other }: Seen): boolean {
  if (one.views.registered !== other.views.registered || one.orientation !== other.orientation) return true
  return distanceBandOf(one.distanceBits) !== distanceBandOf(other.distanceBits)
}

/** Not near the edge either: whatever the distances, the match would not be strong. */
export const NOT_STRONG_BITS = TOGETHER_BITS.strong + EDGE_BITS + 1

function sumOf(one: Seen, other: Seen): number {
  const bits = one.bits + other.bits
  const areDeframed = one.kind === 'deframed' && other.kind === 'deframed'
  const isSymmetricOne = () => [one, other].some(({ observation: { hash } }) => isSymmetric(hash))
  // Never less for a pair that is farther: of each signal only the nearest view is kept.
  return bits < NOT_STRONG_BITS && (areDeframed || isSymmetricOne()) ? NOT_STRONG_BITS : bits
}

function areIndependent({ kind, observation: one }: Seen, { kind: otherKind, observation: other }: Seen): boolean {
  if (kind === 'piece' && otherKind === 'piece') return false
  return one.orientation === other.orientation && one.signal !== other.signal && distance(one.hash, other.hash) >= APART_BITS
}

function kindOf(views: TwoViews): Kind {
  if (isPieceOnPiece(views)) return 'piece'
  return views.registered === 'deframed' ? 'deframed' : 'other'
}

// In which of its views a picture that is asked about was seen in registered ones, and whether that is seen twice or once only.

import { distance, type Hash256 } from '../hash/hash256.js'
import { APART_BITS, isPieceOnPiece, isSymmetric, TOGETHER_BITS, type TwoViews, witnessBits } from './evidence.js'
import type { SignalType } from './signal-types.js'

/** One view that is asked about, in one of its turns, near a registered one. */
export interface Sighting {
  readonly type: SignalType
  readonly views: TwoViews
  /** Which of the signals that are asked about, by its place among them. */
  readonly signal: number
  /** The turn, by its place in `transforms`. */
  readonly way: number
  /** The hash that was searched for. */
  readonly hash: Hash256
  readonly distanceBits: number
}

interface Seen {
  readonly signal: number
  readonly way: number
  readonly hash: Hash256
  readonly bits: number
  readonly isPieceOnPiece: boolean
}

/** Images are numbered as their owner likes. */
export class Witnesses {
  // Invariant: of each image, by signal and way, the nearest sighting of a piece in a piece, and of any other kind.
  readonly #seen = new Map<number, Map<string, Seen>>()

  note(image: number, { type, views, signal, way, hash, distanceBits }: Sighting): void {
    const bits = witnessBits(type, views, distanceBits)
    if (bits === undefined) return
    const seen = this.#seen.get(image) ?? new Map<string, Seen>()
    const isPiece = isPieceOnPiece(views)
    const key = `${signal} ${way} ${isPiece}`
    if (bits < (seen.get(key)?.bits ?? Number.POSITIVE_INFINITY))
      seen.set(key, { signal, way, hash, bits, isPieceOnPiece: isPiece })
    this.#seen.set(image, seen)
  }

  /**
   * The least sum of the distances of two witnesses that do not err together; infinite when there are no two. Where one is symmetric it is too
   * much for a strong match: half of what that one says it says twice.
   */
  togetherBits(image: number): number {
    const seen = [...(this.#seen.get(image)?.values() ?? [])]
    let least = Number.POSITIVE_INFINITY
    for (const [i, one] of seen.entries()) {
      for (const other of seen.slice(i + 1)) {
        if (one.bits + other.bits < least && areIndependent(one, other)) least = Math.min(least, sumOf(one, other))
      }
    }
    return least
  }
}

function sumOf(one: Seen, other: Seen): number {
  const bits = one.bits + other.bits
  const isTooSure = bits <= TOGETHER_BITS.strong && (isSymmetric(one.hash) || isSymmetric(other.hash))
  return isTooSure ? TOGETHER_BITS.strong + 1 : bits
}

function areIndependent(one: Seen, other: Seen): boolean {
  if (one.isPieceOnPiece && other.isPieceOnPiece) return false
  return one.way === other.way && one.signal !== other.signal && distance(one.hash, other.hash) >= APART_BITS
}

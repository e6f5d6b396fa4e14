// Forms such as cards, receipts and app screens. Two forms of one kind are near in the same parts, although their text differs.

import { distance, type Hash256 } from '../../../hash/src/hash256.js'
import { hasFrame, hasShape } from './agreement.js'
import type { TwoViews } from './evidence.js'
import type { View } from './signal.js'
import type { SignalType } from './signal-types.js'

/** One hash of a picture, with its type and view. */
export interface ShownView {
  readonly type: SignalType
  readonly view: View
  readonly hash: Hash256
  /** Set for a part of a form that is no form by itself, such as a photograph. */
  readonly isPicture?: true | undefined
  /** Of a registered view: as in `ComparedViews`. */
  readonly isByHashes?: true | undefined
}

// Radii for a part of a form-like query and a registered part, in bits, inclusive (decision 0126). Two forms of one kind are near in the same part,
// such as whole and whole, or quarter and quarter. They are also near in two parts that show nearly the same, such as a crop and the whole that it
// was cut from. Only a copy that was cropped, framed or tilted is near in different parts, too. Chosen on tuning photographs and on the drawn
// documents of tuning set a, which are called forms below.

/** The same view of both. Views that are not listed never decide. */
const SAME_PART_BITS: Readonly<Partial<Record<View, number>>> = { whole: 8, deframed: 4 }
/** A query part that is not itself a form, as a photograph in a chat, and a registered deframed part. With 40 bits, two of twelve identity cards are flagged. */
const PICTURE_BITS = 31
/**
 * Different views that may show nearly the same: a crop, any view of a form with a frame, a tilted view and a piece. Weather cards of one
 * design come within 20 bits; no other form within 21.
 */
const ALIKE_PART_BITS = 18
/** Views that show different parts. Forms were never within 59 bits if the registered form has no frame, nor within 63 if one part is tilted. */
const OTHER_PART_BITS = 40
/** A piece of the query's deframed view and any registered part. Forms were never within 33 bits. */
const PIECE_OF_OTHER_PART_BITS = 26

/**
 * If the registered form has no frame and the wholes are near, each piece must be within this radius, too. Two cards on the same gradient are 6 bits
 * apart as wholes, and at least 54 in one of the pieces.
 */
const PIECE_OF_SAME_WHOLE_BITS = 40

/** A whole or deframed view may be farther, up to `bits`, if at least `minPieces` of its pieces are known and all are within `pieceBits`. */
const ALL_NEAR = {
  whole: { bits: 16, pieceBits: 20, minPieces: 5 },
  deframed: { bits: 12, pieceBits: 16, minPieces: 3 },
} as const

const NONE_BITS = Number.POSITIVE_INFINITY

/**
 * @param asked in the orientation of the match, in the order of `hashImage`.
 * @param registered in the order of `hashImage`.
 * @returns by how many bits a form-like query is near enough to be a copy; negative if it may be another form of the same kind.
 * Cost: one distance for each pair of parts, about 20 µs.
 */
export function formSurplusBits(asked: readonly ShownView[], registered: readonly ShownView[]): number {
  const isArea = ({ type }: ShownView) => type === 'pdq-area'
  const [areas, rows] = [asked.filter(isArea), registered.filter(isArea)]
  const deframedAt = areas.findIndex(({ view }) => view === 'deframed')
  const [ofWhole, ofFramed] = deframedAt < 0 ? [areas, []] : [areas.slice(0, deframedAt), areas.slice(deframedAt)]
  // Without a registered row of the whole, it is unknown what the pieces were cut from. The inside of a frame may be too plain to be hashed although
  // its pieces are not. So assume a frame.
  const isFramed = hasFrame(rows) || !rows.some(({ view }) => view === 'whole')
  // A picture of hashes may have left out its frame, and its parts may be those of the query.
  const mayBeFramed = isFramed || rows.some(({ isByHashes }) => isByHashes)
  const isPieceOfWhole = (part: ShownView) => !isFramed && !hasShape(rows) && isPiece(part)
  const piecesBits = Math.max(...ofWhole.filter(isPieceOfWhole).map((piece) => nearestBits(piece, rows)))
  return Math.max(
    nearestPart(asked, registered, { isFramed: mayBeFramed, samePartSurplus: PIECE_OF_SAME_WHOLE_BITS - piecesBits }),
    mayBeFramed || hasShape(rows)
      ? -NONE_BITS
      : PIECE_OF_OTHER_PART_BITS - Math.min(...ofFramed.filter(isPiece).map((piece) => nearestBits(piece, rows))),
    allNear('whole', ofWhole, rows),
    allNear('deframed', ofFramed, rows),
  )
}

function nearestPart(
  asked: readonly ShownView[],
  registered: readonly ShownView[],
  { isFramed, samePartSurplus }: { readonly isFramed: boolean; readonly samePartSurplus: number },
): number {
  let surplusBits = -NONE_BITS
  for (const one of asked) {
    for (const other of registered) {
      if (one.type !== other.type) continue
      const bits = reachOfPart(one, other, isFramed) - distance(one.hash, other.hash)
      const isSameWhole = one.view === 'whole' && other.view === 'whole'
      surplusBits = Math.max(surplusBits, isSameWhole ? Math.min(bits, samePartSurplus) : bits)
    }
  }
  return surplusBits
}

function reachOfPart(one: ShownView, other: ShownView, isFramed: boolean): number {
  if (one.isPicture && other.view === 'deframed' && !other.isByHashes) return PICTURE_BITS
  if (one.isPicture && other.view === 'whole') return OTHER_PART_BITS
  return reachOf({ asked: one.view, registered: other.view, isByHashes: other.isByHashes }, isFramed)
}

/** @returns the radius in which these two parts alone decide if the query is a form, in bits, inclusive; negative if they never do. */
export function formBits(views: TwoViews): number {
  // It is not known here whether the registered picture has a frame. The radius with a frame is never the larger one.
  return reachOf(views, true)
}

function reachOf({ asked, registered, isByHashes }: TwoViews, isFramed: boolean): number {
  if (isByHashes && registered !== 'whole') return SAME_PART_BITS[asked] ?? -NONE_BITS
  if (asked === registered) return SAME_PART_BITS[asked] ?? -NONE_BITS
  const views = [asked, registered]
  if (views.includes('tilted')) return views.includes('piece') ? ALIKE_PART_BITS : OTHER_PART_BITS
  return isFramed || views.includes('crop') ? ALIKE_PART_BITS : OTHER_PART_BITS
}

function allNear(view: 'whole' | 'deframed', areas: readonly ShownView[], rows: readonly ShownView[]): number {
  const { bits, pieceBits, minPieces } = ALL_NEAR[view]
  const pieces = areas.filter(isPiece)
  if (pieces.length < minPieces) return -NONE_BITS
  const same = rows.filter((row) => row.view === view)
  const ofView = areas.filter((area) => area.view === view).map((area) => nearestBits(area, same))
  const ofPieces = pieces.map((piece) => nearestBits(piece, rows))
  return Math.min(bits - Math.min(...ofView), pieceBits - Math.max(...ofPieces))
}

function isPiece({ view }: ShownView): boolean {
  return view === 'piece'
}

function nearestBits({ hash }: ShownView, rows: readonly ShownView[]): number {
  return rows.reduce((least, row) => Math.min(least, distance(hash, row.hash)), NONE_BITS)
}

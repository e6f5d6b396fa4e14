// Decides whether a query agrees with a registered picture in all of its parts, or only in a region.
//
// Pictures that share a form, a template, a background or a part of an app are near in some views. A copy is near in all of its parts. So only a
// match whose parts agree can be strong.

import { distance, type Hash256 } from '../../../hash/src/hash256.js'
import { areaOf, type Rectangle } from '../../../hash/src/rectangle.js'
import { orientationsOf } from '../../../hash/src/transforms.js'
import { EDGE_BITS, isSurplusClose } from './edges.js'
import type { HashedSignal } from './hashed-image.js'
import type { View } from './signal.js'

/** One stored hash of the registered picture. */
export interface RegisteredView {
  readonly view: View
  readonly hash: Hash256
}

/** A rectangle in the query picture, in fractions of its width and height, 0…1. */
export type Region = Rectangle

export interface Agreement {
  /** By how many bits all parts are nearer than required; negative if they do not all agree. */
  readonly surplusBits: number
  /**
   * By how many bits half of the eight pieces of the whole query, or most of its deframed view, are nearer than required; negative if they differ,
   * whatever the whole says, or are not known in this orientation; infinity where no piece is registered. Of 40 pictures that were bent to the whole
   * hash of another one none is nearer than required, of 98 saved copies with an equal whole all are (`node bench/archive/bent.mjs`).
   */
  readonly piecesSurplusBits: number
  /**
   * By how many bits the farthest piece is nearer than the nearest one requires; negative if one part differs although another is nearly the same, as in
   * two memes of one template; infinity where fewer than two pieces can be compared, or none is near. See `UNEVEN`.
   */
  readonly evenSurplusBits: number
  /**
   * Set if only a region agrees. If some but not all quarters do, `share` is their number divided by four and `region` the rectangle around them.
   * Otherwise, if not all parts agree, the nearest part and its share of the area. `undefined` if all parts agree or nothing is known.
   */
  readonly partial: { readonly share: number; readonly region: Region } | undefined
  /** Whether slightly different distances could change `partial`. */
  readonly isPartialClose: boolean
  /** Set if the registered picture has a frame: by how many bits its inside is nearer than required; negative if only the frame agrees. */
  readonly withinFrameBits: number | undefined
  /**
   * By how many bits a part of at most half of the query is nearer than required; negative if only larger parts agree, as those do that show a table
   * around another photograph. `undefined` if too little is known of the parts.
   */
  readonly insideBits: number | undefined
}

/**
 * Radii in bits, inclusive. Chosen on 12 tuning photographs and on set a, the drawn look-alikes for tuning (decision 0098); set b is for testing.
 * - `whole`: whole pictures this near agree in all parts.
 * - `framed`: the same for a registered picture with a frame. It is narrower, because pictures in one frame that differ only
 *   in their words are near as wholes.
 * - `parts`: the radius for each piece, if the whole is within `wholeOfParts`, or if the query's deframed view is within `deframed` of the registered
 *   whole.
 * - `quarter`: the radius in which a quarter agrees.
 * - `withinFrame`: the radius for at least one part, if only the whole of a registered picture with a frame is near. Different photographs in one
 *   frame of set b are at least 72 bits apart in all parts. Of 211 edited copies of framed pictures of set a that were found by the whole beyond
 *   `whole`, none had more than 62.
 */
const AGREES_BITS = {
  whole: 16,
  framed: 4,
  parts: 40,
  wholeOfParts: 42,
  deframed: 31,
  quarter: 58,
  withinFrame: 64,
} as const

/**
 * An edit of the whole picture, such as more contrast, moves all pieces. Other words on the same picture move some of them. So the farthest piece may be
 * `bits` away, and `times` as far as the nearest one more, but no farther than `parts`. Chosen on drawn memes of set a and on the seventy edits of 25 tuning photographs
 * (bench/record/lookalikes.md#memes-of-one-template).
 */
const UNEVEN = { bits: 14, times: 2 } as const

/** Minimum number of pieces to decide that all parts agree: of the whole picture, and of its deframed view. */
const MIN_PIECES = 5
const MIN_FRAMED_PIECES = 3
/** Maximum share of the query of a part that shows the inside. */
const MAX_INSIDE_AREA = 0.5

/** `packages/hash/src/views.ts` cuts pieces in this order: the left, right, top and bottom half, then the four quarters. */
const PIECES = 8
const QUARTERS: readonly Region[] = [
  { left: 0, top: 0, right: 0.5, bottom: 0.5 },
  { left: 0.5, top: 0, right: 1, bottom: 0.5 },
  { left: 0, top: 0.5, right: 0.5, bottom: 1 },
  { left: 0.5, top: 0.5, right: 1, bottom: 1 },
]

const NONE_BITS = Number.POSITIVE_INFINITY

/**
 * Compares a query with one registered picture, part by part.
 * @param asked signals in the order of `hashImage`.
 * @param registered `pdq` and `pdq-area` rows of the registered picture, in the order of `hashImage`.
 * @param orientation index in `transforms` of the orientation in which they match.
 * @returns `undefined` if the registered picture has no `pdq-area` rows, or the query came without pieces.
 * Cost: one distance for each pair of `pdq-area` hashes, about 10 µs.
 */
export function agreementOf(
  asked: readonly HashedSignal[],
  registered: { readonly pdq: readonly RegisteredView[]; readonly area: readonly RegisteredView[] },
  orientation: number,
): Agreement | undefined {
  const { pdq, area } = registered
  if (area.length === 0 || !hasPieces(asked)) return undefined
  const wholes = area.filter(({ view }) => view === 'whole' || view === 'crop')
  const nearest = (signal: HashedSignal | undefined, views: readonly RegisteredView[]) =>
    nearestBits(signal, views, orientation)
  const areas = asked.filter(({ type }) => type === 'pdq-area')
  const deframed = areas.find(({ view }) => view === 'deframed')
  const bitsOf = (pieces: readonly HashedSignal[]) => pieces.map((piece) => nearest(piece, area))
  const pieces = piecesOf(areas)
  const [ofWhole, ofFramed] = [bitsOf(pieces.ofWhole), bitsOf(pieces.ofFramed)]
  const wholeBits = Math.min(
    nearest(
      asked.find(({ type, view }) => type === 'pdq' && view === 'whole'),
      pdq,
    ),
    nearest(
      areas.find(({ view }) => view === 'whole'),
      wholes,
    ),
  )
  // Further frames of an animation have no pieces. Such a frame agrees if its whole is near enough.
  const nearestWholeBits = asked
    .filter(({ view }) => view === 'whole')
    .reduce(
      (least, one) => Math.min(least, nearest(one, one.type === 'pdq' ? pdq : one.type === 'pdq-area' ? wholes : [])),
      wholeBits,
    )
  const isFramed = hasFrame(area)
  const surplusBits = Math.max(
    (isFramed ? AGREES_BITS.framed : AGREES_BITS.whole) - nearestWholeBits,
    isFramed ? -NONE_BITS : allAgree(ofWhole, MIN_PIECES, AGREES_BITS.wholeOfParts - wholeBits),
    isFramed ? -NONE_BITS : allAgree(ofFramed, MIN_FRAMED_PIECES, AGREES_BITS.deframed - nearest(deframed, wholes)),
  )
  const withinFrameBits = isFramed ? withinFrame(areas, area, { orientation, wholeBits: nearestWholeBits }) : undefined
  const insideBits = insideOf(areas, area, { orientation, wholeBits: nearestWholeBits })
  const piecesSurplusBits = area.some(isPiece)
    ? AGREES_BITS.quarter - Math.min(nthOf(ofWhole, PIECES / 2), nthOf(ofFramed, MIN_FRAMED_PIECES))
    : NONE_BITS
  const evenSurplusBits = evenSurplusOf(areas, area, orientation)
  const shared = { piecesSurplusBits, evenSurplusBits, withinFrameBits, insideBits }
  const quarters = { ...partialOf(isFramed ? [] : ofWhole), ...shared }
  if (quarters.partial !== undefined || surplusBits >= EDGE_BITS) return { surplusBits, ...quarters }
  const placed = partialOfPlaced(
    areas.map((area) => ({ part: area.part, bits: area.part === undefined ? NONE_BITS : nearest(area, registered.area) })),
  )
  return {
    ...shared,
    surplusBits,
    partial: surplusBits < 0 ? placed.partial : undefined,
    isPartialClose:
      quarters.isPartialClose || placed.isPartialClose || (placed.partial !== undefined && isSurplusClose(surplusBits)),
  }
}

function evenSurplusOf(areas: readonly HashedSignal[], registered: readonly RegisteredView[], orientation: number): number {
  const rows = registered.filter(isPiece)
  const { ofWhole, ofFramed } = piecesOf(areas)
  const bitsOf = (pieces: readonly HashedSignal[]) => {
    const bits = pieces.map((piece) => nearestBits(piece, rows, orientation))
    // A piece with too little structure is not registered, and may have just enough in a copy.
    return rows.length >= PIECES ? bits : bits.filter((one) => one <= AGREES_BITS.quarter)
  }
  // The pieces of a picture with a frame are cut from its inside, so only those of an inside can be compared.
  const [whole, framed] = [hasFrame(registered) ? [] : bitsOf(ofWhole), bitsOf(ofFramed)]
  const bits = Math.min(...framed) < Math.min(...whole) ? framed : whole
  const nearest = Math.min(...bits)
  if (bits.length < 2 || nearest > AGREES_BITS.quarter) return NONE_BITS
  return Math.min(AGREES_BITS.parts, UNEVEN.bits + UNEVEN.times * nearest) - Math.max(...bits)
}

/** The pieces of the whole come before those of the likeliest part. */
function piecesOf(areas: readonly HashedSignal[]) {
  const deframedAt = areas.findIndex(({ view }) => view === 'deframed')
  return {
    ofWhole: (deframedAt < 0 ? areas : areas.slice(0, deframedAt)).filter(isPiece),
    ofFramed: deframedAt < 0 ? [] : areas.slice(deframedAt).filter(isPiece),
  }
}

function isPiece({ view }: Pick<HashedSignal, 'view'>): boolean {
  return view === 'piece'
}

function withinFrame(
  asked: readonly HashedSignal[],
  rows: readonly RegisteredView[],
  { orientation, wholeBits }: { readonly orientation: number; readonly wholeBits: number },
): number | undefined {
  // Most frames of a video have no pieces.
  if (!isKnownIn(asked, orientation) || !rows.some(isPiece)) return undefined
  const parts = rows.filter(isPart)
  const partBits = Math.min(...asked.filter(isPart).map((part) => nearestBits(part, parts, orientation)))
  return Math.max(AGREES_BITS.whole - wholeBits, AGREES_BITS.withinFrame - partBits)
}

function isPart({ view }: Pick<HashedSignal, 'view'>): boolean {
  return view !== 'whole' && view !== 'tilted'
}

/** Pieces are hashed in two orientations only: original and mirrored. In other orientations nothing is known about the parts. */
function isKnownIn(asked: readonly HashedSignal[], orientation: number): boolean {
  return asked.some(({ view, hashes }) => view === 'piece' && orientationsOf(hashes.length).includes(orientation))
}

function insideOf(
  asked: readonly HashedSignal[],
  rows: readonly RegisteredView[],
  { orientation, wholeBits }: { readonly orientation: number; readonly wholeBits: number },
): number | undefined {
  const isOfFrames = [asked, rows].some((views) => views.filter(({ view }) => view === 'whole').length > 1)
  const parts = asked.filter((one) => isPart(one) && (one.part === undefined || areaOf(one.part) <= MAX_INSIDE_AREA))
  if (isOfFrames || parts.length < MIN_PIECES || !isKnownIn(asked, orientation)) return undefined
  const partBits = Math.min(...parts.map((part) => nearestBits(part, rows, orientation)))
  return Math.max(AGREES_BITS.whole - wholeBits, AGREES_BITS.quarter - partBits)
}

/** @returns whether the query came with pieces. Without them it is unknown in which parts it agrees. */
export function hasPieces(asked: readonly HashedSignal[]): boolean {
  return asked.some(({ view }) => view === 'piece')
}

/** The n-th nearest, or the farthest if there are fewer. */
function nthOf(bits: readonly number[], n: number): number {
  return [...bits].sort((a, b) => a - b)[Math.min(n, bits.length) - 1] ?? NONE_BITS
}

function allAgree(pieces: readonly number[], minPieces: number, surplusOfAllBits: number): number {
  return pieces.length < minPieces ? -NONE_BITS : Math.min(surplusOfAllBits, AGREES_BITS.parts - Math.max(...pieces))
}

function partialOf(pieces: readonly number[]): Pick<Agreement, 'partial' | 'isPartialClose'> {
  // A piece is identified by its position in the list. The position tells nothing if a piece was left out.
  if (pieces.length !== PIECES) return { partial: undefined, isPartialClose: false }
  const quarters = pieces.slice(PIECES - QUARTERS.length)
  const isPartialClose = quarters.some((bits) => Math.abs(bits - AGREES_BITS.quarter - 0.5) < EDGE_BITS)
  const agreeing = QUARTERS.filter((_, i) => (quarters[i] ?? NONE_BITS) <= AGREES_BITS.quarter)
  const isPartial = agreeing.length > 0 && agreeing.length < QUARTERS.length
  const region = {
    left: Math.min(...agreeing.map(({ left }) => left)),
    top: Math.min(...agreeing.map(({ top }) => top)),
    right: Math.max(...agreeing.map(({ right }) => right)),
    bottom: Math.max(...agreeing.map(({ bottom }) => bottom)),
  }
  return { partial: isPartial ? { share: agreeing.length / QUARTERS.length, region } : undefined, isPartialClose }
}

/**
 * Finds the nearest part whose place is known; of equally near parts the largest. The inside of a registered frame is rarely exactly a quarter of the
 * query.
 */
function partialOfPlaced(
  parts: readonly { readonly part: Rectangle | undefined; readonly bits: number }[],
): Pick<Agreement, 'partial' | 'isPartialClose'> {
  let best: { readonly region: Region; readonly bits: number } | undefined
  let nextBits = NONE_BITS
  for (const { part: region, bits } of parts) {
    if (region === undefined || bits > AGREES_BITS.quarter + EDGE_BITS) continue
    const isBest = best === undefined || bits < best.bits || (bits === best.bits && areaOf(region) > areaOf(best.region))
    nextBits = Math.min(nextBits, isBest ? (best?.bits ?? NONE_BITS) : bits)
    if (isBest) best = { region, bits }
  }
  if (best === undefined) return { partial: undefined, isPartialClose: false }
  const { region, bits } = best
  return {
    partial: bits <= AGREES_BITS.quarter ? { share: Math.round(1000 * areaOf(region)) / 1000, region } : undefined,
    isPartialClose: nextBits - bits <= EDGE_BITS || bits > AGREES_BITS.quarter - EDGE_BITS,
  }
}

/** @returns whether the registered picture has a frame. Then its deframed view comes before its pieces, which are cut from that view. */
export function hasFrame(area: readonly Pick<RegisteredView, 'view'>[]): boolean {
  const [deframed, piece] = [
    area.findIndex(({ view }) => view === 'deframed'),
    area.findIndex(({ view }) => view === 'piece'),
  ]
  return deframed >= 0 && (piece < 0 || deframed < piece)
}

/** @returns whether the registered picture is cut to a shape, such as a circle. Then a crop of its inside comes before the pieces of that crop. */
export function hasShape(area: readonly Pick<RegisteredView, 'view'>[]): boolean {
  const [crop, piece] = [area.findIndex(({ view }) => view === 'crop'), area.findIndex(({ view }) => view === 'piece')]
  return crop >= 0 && crop < piece
}

function nearestBits(signal: HashedSignal | undefined, views: readonly RegisteredView[], orientation: number): number {
  const hash = signal?.hashes[orientationsOf(signal.hashes.length).indexOf(orientation)]
  if (hash === undefined) return NONE_BITS
  return views.reduce((least, view) => Math.min(least, distance(hash, view.hash)), NONE_BITS)
}

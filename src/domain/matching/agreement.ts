// Where two pictures agree: whether all of the one that was asked about does, or a region of it while the rest differs.
//
// Pictures that share a form, a template, a background or a part of an app are near in some views. A copy is near in all of its parts, so only a
// match whose parts agree can be strong.

import { distance, type Hash256 } from '../../../packages/hash/src/hash256.js'
import { orientationsOf } from '../../../packages/hash/src/transforms.js'
import { EDGE_BITS } from './edges.js'
import type { HashedSignal } from './hashed-image.js'
import type { View } from './signal.js'

/** A row of the registered picture. */
export interface RegisteredView {
  readonly view: View
  readonly hash: Hash256
}

/** In parts of the sides of the picture that was asked about, 0 to 1. */
export interface Region {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export interface Agreement {
  /** By how many bits all parts agree; under 0 they do not. */
  readonly surplusBits: number
  /** Of the quarters that was compared, the share that agrees, and what is around these; `undefined` when all do, or it is not known. */
  readonly partial: { readonly share: number; readonly region: Region } | undefined
  /** Would `partial` be another one, were a distance a little different? */
  readonly isPartialClose: boolean
}

/**
 * In bits, inclusive, chosen on 12 tuning photographs and drawn look-alikes of set a (decision 0098).
 *
 * `whole`: whole pictures so near agree in all parts. `framed`: the same where the registered picture has something around it, whose words hardly
 * change the whole. `parts`: so near have all pieces to be, of a picture whose whole is within `wholeOfParts`, or of what an upload shows
 * without its frame, within `deframed` of the registered whole. `quarter`: so near is a quarter that agrees.
 */
const AGREES_BITS = { whole: 16, framed: 4, parts: 40, wholeOfParts: 42, deframed: 31, quarter: 58 } as const

/** Fewer pieces of the whole, or of what is within a frame, say too little. */
const MIN_PIECES = 5
const MIN_FRAMED_PIECES = 3

/** As `hash/views.ts` orders them: left, right, top, bottom; then the four quarters. */
const PIECES = 8
const QUARTERS: readonly Region[] = [
  { left: 0, top: 0, right: 0.5, bottom: 0.5 },
  { left: 0.5, top: 0, right: 1, bottom: 0.5 },
  { left: 0, top: 0.5, right: 0.5, bottom: 1 },
  { left: 0.5, top: 0.5, right: 1, bottom: 1 },
]

const NONE_BITS = Number.POSITIVE_INFINITY

/**
 * @param asked in the order of `hashImage`. @param registered `pdq` and `pdq-area` of a registered picture, in the order of `hashImage`.
 * @param way the orientation in which they match, by its place in `transforms`.
 * @returns `undefined` when either was given without parts, so that nothing is known.
 * Cost: a distance for each two `pdq-area`, some 10 µs.
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
  const at = areas.findIndex(({ view }) => view === 'deframed')
  const isPiece = ({ view }: HashedSignal) => view === 'piece'
  const bitsOf = (pieces: readonly HashedSignal[]) => pieces.map((piece) => nearest(piece, area))
  const ofWhole = bitsOf((at < 0 ? areas : areas.slice(0, at)).filter(isPiece))
  const ofFramed = bitsOf(at < 0 ? [] : areas.slice(at).filter(isPiece))
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
  const isFramed = hasFrame(area)
  const surplusBits = Math.max(
    (isFramed ? AGREES_BITS.framed : AGREES_BITS.whole) - wholeBits,
    isFramed ? -NONE_BITS : allAgree(ofWhole, MIN_PIECES, AGREES_BITS.wholeOfParts - wholeBits),
    isFramed ? -NONE_BITS : allAgree(ofFramed, MIN_FRAMED_PIECES, AGREES_BITS.deframed - nearest(areas[at], wholes)),
  )
  return { surplusBits, ...partialOf(isFramed ? [] : ofWhole) }
}

/** Was the picture that is asked about given with its parts? Elsewhere nothing is known of where it agrees. */
export function hasPieces(asked: readonly HashedSignal[]): boolean {
  return asked.some(({ view }) => view === 'piece')
}

function allAgree(pieces: readonly number[], least: number, surplusOfAllBits: number): number {
  return pieces.length < least ? -NONE_BITS : Math.min(surplusOfAllBits, AGREES_BITS.parts - Math.max(...pieces))
}

function partialOf(pieces: readonly number[]): Pick<Agreement, 'partial' | 'isPartialClose'> {
  // Which quarter a piece is of is known when none was left out.
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

/** A picture with something around it is registered without that first, and its pieces are of what is inside. */
export function hasFrame(area: readonly Pick<RegisteredView, 'view'>[]): boolean {
  const [deframed, piece] = [
    area.findIndex(({ view }) => view === 'deframed'),
    area.findIndex(({ view }) => view === 'piece'),
  ]
  return deframed >= 0 && (piece < 0 || deframed < piece)
}

function nearestBits(signal: HashedSignal | undefined, views: readonly RegisteredView[], orientation: number): number {
  const hash = signal?.hashes[orientationsOf(signal.hashes.length).indexOf(orientation)]
  if (hash === undefined) return NONE_BITS
  return views.reduce((least, view) => Math.min(least, distance(hash, view.hash)), NONE_BITS)
}

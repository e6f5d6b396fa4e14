// Splits a catalogue into pieces of about a megabyte for a snapshot, and restores it from them.

import { deserialize } from 'node:v8'
import { z } from 'zod'
import { byRowType, ROW_TYPES, type RowType } from '../../../packages/core/src/matching/signal-types.js'
import { areCounts } from '../../../packages/core/src/search/band-shape.js'
import { MAX_SEGMENT_ROWS } from '../../../packages/core/src/search/compaction.js'
import { type DumpedSegment, pickRows, type Restoring } from '../../../packages/core/src/search/dump.js'
import type { RowColumns } from '../../../packages/core/src/search/row-block.js'
import type { SignalIndex } from '../../../packages/core/src/search/signal-index.js'
import { HASH_BYTES } from '../../../packages/hash/src/hash256.js'
import type { DetailPlaces } from './detail-places.js'
import type { FrameTable } from './frame-table.js'
import type { ImageRows } from './image-rows.js'
import type { ImageTable } from './image-table.js'

const PIECE_BYTES = 1 << 20

// Not z.instanceof: its inferred types would exclude the views of WebAssembly memory that a dump is made of.
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const shorts = z.custom<Uint16Array>((value) => value instanceof Uint16Array)
const words = z.custom<Uint32Array>((value) => value instanceof Uint32Array)
const doubles = z.custom<Float64Array>((value) => value instanceof Float64Array)
const count = z.int().nonnegative()
const type = z.enum(ROW_TYPES)

const Piece = z.discriminatedUnion('kind', [
  /** The first and the last piece. The dump has every change up to the first position and none after the last. The digest identifies the history. */
  z.object({ kind: z.literal('position'), revision: count, digest: z.string() }),
  /** The next ordinals, with or without an image: the columns of a page of an `ImageTable`. */
  z.object({
    kind: z.literal('images'),
    bankNames: z.array(z.string()),
    ids: bytes,
    banks: words,
    facts: bytes,
    recent: doubles,
    size: count,
  }),
  /** Positions of details, for a page of ordinals. */
  z.object({ kind: z.literal('places'), page: count, words: shorts }),
  /** Frames of videos, for a page of ordinals. */
  z.object({ kind: z.literal('frames'), page: count, numbers: shorts, atMs: words }),
  z.object({ kind: z.literal('rows'), type, images: words, views: bytes, hashes: bytes }),
  /** A segment. Its memory follows in pieces of `content`; the last one is marked. */
  z.object({ kind: z.literal('segment'), type, rows: count, counts: doubles }),
  z.object({ kind: z.literal('content'), at: count, isLast: z.boolean(), content: bytes }),
  /** The last piece of the catalogue: totals, including rows of images that were removed during the dump. */
  z.object({
    kind: z.literal('end'),
    ordinals: count,
    images: count,
    places: count,
    frames: count,
    rows: z.record(type, count),
  }),
])

export type CataloguePiece = z.infer<typeof Piece>

/** An inconsistent dump. Sealed files are authenticated, so this is a bug of the version that wrote it. */
export class DamagedDump extends Error {}

/** Parses a piece. @throws {DamagedDump} when the bytes are not one. */
export function readPiece(serialized: Buffer): CataloguePiece {
  try {
    return Piece.parse(deserialize(serialized))
  } catch {
    throw new DamagedDump('not a piece of a dump')
  }
}

/** The parts of a catalogue that are dumped. */
export interface CatalogueParts {
  readonly images: ImageTable
  readonly rows: ImageRows
}

type EndPiece = Extract<CataloguePiece, { readonly kind: 'end' }>

interface Totals {
  ordinals: number
  images: number
  places: number
  frames: number
  readonly rows: Record<RowType, number>
}

/** Dumps a catalogue as of the call. Images that are added later have greater ordinals and are left out of every piece. */
export function dumped({
  images,
  rows: { places, frames, indexes },
}: CatalogueParts): Generator<CataloguePiece, void, void> {
  const pages = images.pages()
  const dumps = ROW_TYPES.map((type) => ({ type, dump: indexes[type].dump() }))
  return pieces(images, pages, { places: places.pages(), frames: frames.pages() }, dumps)
}

function* pieces(
  images: ImageTable,
  pages: ReturnType<ImageTable['pages']>,
  others: { readonly places: ReturnType<DetailPlaces['pages']>; readonly frames: ReturnType<FrameTable['pages']> },
  dumps: readonly { readonly type: RowType; readonly dump: ReturnType<SignalIndex['dump']> }[],
): Generator<CataloguePiece, void, void> {
  const totals = noTotals()
  for (const page of pages) {
    totals.ordinals += page.facts.length
    totals.images += liveIn(page.facts)
    // Bank names as of now: an image of this page may have moved to a bank that was empty when the dump began.
    yield { kind: 'images', bankNames: [...images.bankNames], ...page }
  }
  for (const page of others.places) {
    totals.places++
    yield { kind: 'places', ...page }
  }
  for (const page of others.frames) {
    totals.frames++
    yield { kind: 'frames', ...page }
  }
  for (const { type, dump } of dumps) {
    for (const part of dump) {
      totals.rows[type] += part.kind === 'rows' ? part.images.length : part.rows
      if (part.kind === 'rows') yield { type, ...part }
      else yield* segmentPieces(type, part)
    }
  }
  yield { kind: 'end', ...totals }
}

function* segmentPieces(type: RowType, { rows, counts, content }: DumpedSegment): Generator<CataloguePiece, void, void> {
  yield { kind: 'segment', type, rows, counts }
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    const end = Math.min(content.length, at + PIECE_BYTES)
    yield { kind: 'content', at, isLast: end === content.length, content: content.subarray(at, end) }
  }
}

export interface RestoringCatalogue {
  /** Restores the next piece. Pauses about every millisecond. @throws {DamagedDump} */
  take(piece: CataloguePiece): Generator<void, void, void>
  /** Whether the last piece was restored, and its totals agreed. */
  readonly isWhole: boolean
}

/** The order of pieces. Images come before rows, because only rows of known images are restored. */
const ORDER: Readonly<Record<CataloguePiece['kind'], number>> = {
  position: 0,
  images: 1,
  places: 2,
  frames: 3,
  rows: 4,
  segment: 4,
  content: 4,
  end: 5,
}

/** Restores a catalogue from the pieces of a dump. @param parts must be empty. */
export function restoring({ images, rows: { places, frames, indexes } }: CatalogueParts): RestoringCatalogue {
  const totals = noTotals()
  let order = 0
  let segment: { readonly type: RowType; readonly restoring: Restoring; taken: number } | undefined
  const isKnown = (ordinal: number) => images.has(frames.imageOf(ordinal))

  function* put(piece: CataloguePiece): Generator<void, void, void> {
    requireThat(ORDER[piece.kind] >= order && order < ORDER.end, 'pieces out of order')
    requireThat(
      (piece.kind === 'content') === (segment !== undefined),
      'content without its segment, or a segment without its content',
    )
    order = ORDER[piece.kind]
    switch (piece.kind) {
      case 'position':
        break
      case 'images':
        yield* images.restore(piece, piece.bankNames)
        break
      case 'places':
        places.restore(piece, isKnown)
        totals.places++
        break
      case 'frames':
        frames.restore(piece, (ordinal) => images.has(ordinal))
        totals.frames++
        break
      case 'rows':
        indexes[piece.type].load(knownOf(piece, isKnown))
        totals.rows[piece.type] += piece.images.length
        break
      case 'segment':
        requireThat(areCounts(piece.counts) && piece.rows <= MAX_SEGMENT_ROWS, 'a segment of another shape')
        segment = { type: piece.type, restoring: indexes[piece.type].restore(piece.rows, piece.counts), taken: 0 }
        totals.rows[piece.type] += piece.rows
        break
      case 'content':
        if (segment !== undefined) yield* fill(segment, piece)
        break
      case 'end':
        requireSame(piece, { ...totals, ordinals: images.ordinals, images: images.size })
        break
    }
  }

  function* fill(into: NonNullable<typeof segment>, { at, isLast, content }: ContentPiece): Generator<void, void, void> {
    const room = into.restoring.content
    into.taken += content.length
    requireThat(at === into.taken - content.length && isLast === (into.taken === room.length), 'content of another length')
    room.set(content, at)
    if (!isLast) return
    segment = undefined
    yield* into.restoring.adopt(isKnown)
  }

  return {
    *take(piece) {
      try {
        yield* put(piece)
      } catch (error) {
        // A dump never holds what an index, the table or an array rejects.
        throw error instanceof RangeError ? new DamagedDump(error.message) : error
      }
    },
    get isWhole() {
      return order === ORDER.end
    },
  }
}

type ContentPiece = Extract<CataloguePiece, { readonly kind: 'content' }>

/** The rows of known images. The other images were removed before the images were dumped. @throws {DamagedDump} if the columns differ in length. */
function knownOf({ images, views, hashes }: RowColumns, isKnown: (ordinal: number) => boolean): RowColumns {
  requireThat(views.length === images.length && hashes.length === images.length * HASH_BYTES, 'columns must be equally long')
  const known = Array.from(images.keys()).filter((row) => isKnown(images[row] ?? 0))
  return known.length === images.length ? { images, views, hashes } : pickRows({ images, views, hashes }, known)
}

function requireSame(end: EndPiece, { ordinals, images, places, frames, rows }: Totals): void {
  requireThat(end.ordinals === ordinals && end.images === images, 'another number of images')
  requireThat(end.places === places && end.frames === frames, 'another number of pages')
  requireThat(
    ROW_TYPES.every((type) => end.rows[type] === rows[type]),
    'another number of rows',
  )
}

function requireThat(condition: boolean, otherwise: string): void {
  if (!condition) throw new DamagedDump(otherwise)
}

function noTotals(): Totals {
  return { ordinals: 0, images: 0, places: 0, frames: 0, rows: byRowType(() => 0) }
}

/** A separate function, because V8 does not optimise the body of a running generator. */
function liveIn(facts: Uint8Array): number {
  let live = 0
  for (let at = 0; at < facts.length; at++) if (facts[at] !== 0) live++
  return live
}

// The pieces that a catalogue is taken apart into for a snapshot: none larger than a megabyte or so.

import { z } from 'zod'
import { ROW_TYPES } from '../domain/signal-types.js'

export const PIECE_BYTES = 1 << 20

// Not z.instanceof: its inferred types would exclude the views of WebAssembly memory that a dump is made of.
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const shorts = z.custom<Uint16Array>((value) => value instanceof Uint16Array)
const words = z.custom<Uint32Array>((value) => value instanceof Uint32Array)
const doubles = z.custom<Float64Array>((value) => value instanceof Float64Array)
const count = z.int().nonnegative()
const type = z.enum(ROW_TYPES)

const Piece = z.discriminatedUnion('kind', [
  /** First and last: what is in between has everything up to the one, and nothing from behind the other. The digest shows another history. */
  z.object({ kind: z.literal('position'), revision: count, digest: z.string() }),
  /** The next ordinals, with and without an image: the columns of a page of an `ImageTable`. */
  z.object({
    kind: z.literal('images'),
    bankNames: z.array(z.string()),
    ids: bytes,
    banks: shorts,
    facts: bytes,
    size: count,
  }),
  /** Where details lie, of a page of ordinals. */
  z.object({ kind: z.literal('places'), page: count, words: shorts }),
  z.object({ kind: z.literal('rows'), type, images: words, views: bytes, hashes: bytes }),
  /** A segment, whose memory follows in pieces of `content`, the last of which says so. */
  z.object({ kind: z.literal('segment'), type, rows: count, counts: doubles }),
  z.object({ kind: z.literal('content'), at: count, isLast: z.boolean(), content: bytes }),
])

export type CataloguePiece = z.infer<typeof Piece>

/** What was sealed by this version is what it was; a mistake of our own shows here. */
export function parsePiece(value: unknown): CataloguePiece {
  return Piece.parse(value)
}

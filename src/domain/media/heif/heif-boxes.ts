// The boxes of a HEIF file (HEIC, AVIF), and which properties each of its items has. Workers and browsers both use it.

export interface Box {
  /** Four characters, as Latin-1. */
  readonly type: string
  /** The content, without the box's header: offsets in the file, `to` exclusive. */
  readonly from: number
  readonly to: number
}

/**
 * Most boxes in one range. A grid in an ordinary picture has a few hundred. A file with more is refused, because its decoding cost cannot be bounded.
 */
const MAX_BOXES = 4096
export class TooManyBoxes extends Error {}

/** The boxes inside all boxes of one type. @throws as `boxesIn`. */
export function childrenOf(file: Uint8Array, boxes: readonly Box[], name: string): Box[] {
  return boxes.filter(({ type }) => type === name).flatMap(({ from, to }) => boxesIn(file, from, to))
}

/**
 * The boxes in a range of bytes. A box that goes beyond the range is cut off there. Stops at a box with an impossible size.
 * @throws {RangeError} when the range ends beyond the file. @throws {TooManyBoxes}
 */
export function boxesIn(file: Uint8Array, from: number, to: number): Box[] {
  const view = viewOf(file)
  const found: Box[] = []
  for (let at = from; at + 8 <= to; ) {
    if (found.length >= MAX_BOXES) throw new TooManyBoxes()
    const size = view.getUint32(at)
    const isLong = size === 1
    const length = isLong ? view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12) : size
    const end = size === 0 ? to : at + length
    if (end < at + (isLong ? 16 : 8)) break
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8))
    found.push({ type, from: at + (isLong ? 16 : 8), to: Math.min(end, to) })
    at = end
  }
  return found
}

/** What the `meta` box of a file contains. @throws as `boxesIn`. */
export function metaBoxesIn(file: Uint8Array): Box[] {
  const meta = boxesIn(file, 0, file.length).find(({ type }) => type === 'meta')
  return meta === undefined ? [] : boxesIn(file, meta.from + 4, meta.to)
}

/** A property of one or more items (pictures). An `Association` says of which. */
export interface Property extends Box {
  /** From 1, as associations count. */
  readonly index: number
}

/** All properties in the file, in the order of their indexes. @param meta of `metaBoxesIn`. @throws as `boxesIn`. */
export function propertiesIn(file: Uint8Array, meta: readonly Box[]): Property[] {
  return childrenOf(file, childrenOf(file, meta, 'iprp'), 'ipco').map((box, k) => ({ ...box, index: k + 1 }))
}

/** Says that an item has a property. */
export interface Association {
  readonly item: number
  readonly index: number
  /** Where the index is stored. Its highest bit says whether a reader has to understand the property. */
  readonly at: number
  readonly indexBytes: 1 | 2
}

const MAX_ASSOCIATIONS = 100_000

/** All associations, at most 100,000; further ones are ignored. @param meta of `metaBoxesIn`. @throws as `boxesIn`. */
export function associationsIn(file: Uint8Array, meta: readonly Box[]): Association[] {
  const view = viewOf(file)
  const uint = (at: number, bytes: 1 | 2 | 4) =>
    bytes === 1 ? view.getUint8(at) : bytes === 2 ? view.getUint16(at) : view.getUint32(at)
  const found: Association[] = []
  for (const { type, from, to } of childrenOf(file, meta, 'iprp')) {
    if (type !== 'ipma') continue
    const [idBytes, indexBytes] = [uint(from, 1) === 0 ? 2 : 4, (uint(from + 3, 1) & 1) === 0 ? 1 : 2] as const
    for (let at = from + 8; at + idBytes < to; ) {
      const item = uint(at, idBytes)
      const end = at + idBytes + 1 + indexBytes * uint(at + idBytes, 1)
      for (at += idBytes + 1; at < end && at + indexBytes <= to && found.length < MAX_ASSOCIATIONS; at += indexBytes) {
        found.push({ item, index: uint(at, indexBytes) & (indexBytes === 1 ? 0x7f : 0x7fff), at, indexBytes })
      }
      at = end
    }
  }
  return found
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length)
}

// Pictures in AV1 whose data holds more frames than one: browsers show the first that is to be shown, and libheif the last.

import { type Box, boxesIn, TooManyBoxes } from '../domain/media/heif-boxes.js'

/** Bytes that replace those of a file. */
export interface Patch {
  readonly at: number
  readonly byte: number
}

export interface Av1Frames {
  /** Frames that have to be decoded for the picture that is shown, of the item that has most. One in most files; more with layers. */
  readonly decoded: number
  /** Makes padding of what follows the picture that is shown. Empty for most files. */
  readonly patches: readonly Patch[]
}

/**
 * Looks at each AV1 item of a file. Items that cannot be read are left as they are. Cost: a few steps for each unit of data.
 * @throws {RangeError} when the file ends within its boxes. @throws {TooManyBoxes} when there are more units than in any picture.
 */
export function av1Frames(file: Buffer): Av1Frames {
  const meta = boxesIn(file, 0, file.length).find(({ type }) => type === 'meta')
  if (meta === undefined) return { decoded: 0, patches: [] }
  const parts = boxesIn(file, meta.from + 4, meta.to)
  const isAv1 = av1Items(file, parts)
  const idat = parts.find(({ type }) => type === 'idat')
  const patches: Patch[] = []
  let steps = 0
  const count = () => {
    if (++steps > MAX_STEPS) throw new TooManyBoxes()
  }
  let decoded = 0
  for (const { item, ranges } of placesOf(file, parts, idat, count)) {
    if (!isAv1.has(item)) continue
    const { frames, end, length, place } = shownIn(file, ranges, count)
    decoded = Math.max(decoded, frames)
    if (end < length) patches.push(...padding(end, length, place))
  }
  return { decoded, patches }
}

/** Units and parts of data, of all items together. A picture has a few for each of its tiles, and a grid a hundred pictures. */
const MAX_STEPS = 16_384
/** Parts that the data of an item may be in. Encoders write one. */
const MAX_RANGES = 32

function av1Items(file: Buffer, parts: readonly Box[]): ReadonlySet<number> {
  const found = new Set<number>()
  for (const { type, from, to } of parts) {
    if (type !== 'iinf') continue
    for (const entry of boxesIn(file, from + (file.readUInt8(from) === 0 ? 6 : 8), to)) {
      if (entry.type !== 'infe') continue
      const idBytes = file.readUInt8(entry.from) === 2 ? 2 : 4
      const typeAt = entry.from + 4 + idBytes + 2
      if (file.toString('latin1', typeAt, typeAt + 4) === 'av01') found.add(file.readUIntBE(entry.from + 4, idBytes))
    }
  }
  return found
}

type Range = readonly [from: number, to: number]

/** Where the data of each item lies. Data that is constructed from other items is left out: libheif does not read it. */
function* placesOf(
  file: Buffer,
  parts: readonly Box[],
  idat: Box | undefined,
  count: () => void,
): Generator<{ readonly item: number; readonly ranges: readonly Range[] }> {
  for (const { type, from } of parts) {
    if (type !== 'iloc') continue
    const version = file.readUInt8(from)
    const [offsetBytes, lengthBytes] = halves(file.readUInt8(from + 4))
    const [baseBytes, indexBytes] = halves(file.readUInt8(from + 5))
    let at = from + 6
    const read = (bytes: number): number => {
      at += bytes
      if (bytes === 8) return file.readUInt32BE(at - 8) * 2 ** 32 + file.readUInt32BE(at - 4)
      return bytes === 0 ? 0 : file.readUIntBE(at - bytes, bytes)
    }
    const idBytes = version < 2 ? 2 : 4
    for (let left = read(idBytes); left > 0; left--) {
      const item = read(idBytes)
      const method = version === 0 ? 0 : read(2) & 15
      read(2)
      const start = read(baseBytes) + (method === 1 ? (idat?.from ?? 0) : 0)
      const ranges: Range[] = []
      for (let extents = read(2); extents > 0; extents--) {
        count()
        if (version > 0) read(indexBytes)
        const offset = start + read(offsetBytes)
        const length = read(lengthBytes)
        ranges.push([Math.min(offset, file.length), Math.min(length === 0 ? file.length : offset + length, file.length)])
      }
      if (ranges.length > MAX_RANGES) throw new TooManyBoxes()
      if (method < 2) yield { item, ranges }
    }
  }
}

const halves = (byte: number) => [byte >> 4, byte & 15] as const

const SEQUENCE = 1
const DELIMITER = 2
const FRAME_HEADER = 3
const TILE_GROUP = 4
const FRAME = 6
const PADDING = 15
const HAS_EXTENSION = 4
const HAS_SIZE = 2

/**
 * https://aomediacodec.github.io/av1-spec/#obu-syntax
 * The picture ends before the next frame that is no higher layer of it.
 */
function shownIn(file: Buffer, ranges: readonly Range[], count: () => void) {
  const length = ranges.reduce((sum, [from, to]) => sum + to - from, 0)
  const place = (at: number): number => {
    let left = at
    for (const [from, to] of ranges) {
      if (left < to - from) return from + left
      left -= to - from
    }
    return file.length
  }
  const byte = (at: number) => file[place(at)] ?? 0
  let frames = 0
  let isReduced = false
  let shownLayer = -1
  let end: number | undefined
  for (let at = 0; at < length; ) {
    count()
    const header = byte(at)
    const kind = (header >> 3) & 15
    const isExtended = (header & HAS_EXTENSION) !== 0
    const layer = isExtended ? (byte(at + 1) >> 3) & 3 : 0
    const { value, bytes } =
      (header & HAS_SIZE) === 0 ? { value: length, bytes: 0 } : leb128(byte, at + (isExtended ? 2 : 1))
    const content = at + (isExtended ? 2 : 1) + bytes
    const isFrame = kind === FRAME || kind === FRAME_HEADER
    if (shownLayer >= 0 && (kind === DELIMITER || (isFrame && layer <= shownLayer)))
      return { frames, end: end ?? at, length, place }
    // seq_profile, still_picture, reduced_still_picture_header
    if (kind === SEQUENCE) isReduced = (byte(content) & 0b0000_1000) !== 0
    if (isFrame) {
      frames++
      // show_existing_frame, frame_type, show_frame
      if (isReduced || (byte(content) & 0b1001_0000) !== 0) shownLayer = layer
    }
    if (isFrame || kind === TILE_GROUP) end = undefined
    else if (shownLayer >= 0) end ??= at // of what may belong to the next frame
    at = content + value
  }
  return { frames, end: length, length, place }
}

function leb128(byte: (at: number) => number, from: number): { readonly value: number; readonly bytes: number } {
  let value = 0
  for (let k = 0; k < 8; k++) {
    value += (byte(from + k) & 127) * 128 ** k
    if (byte(from + k) < 128) return { value, bytes: k + 1 }
  }
  return { value, bytes: 8 }
}

/** One unit of padding from `end` on. Its length may be written with more bytes than it needs. */
function padding(end: number, length: number, place: (at: number) => number): Patch[] {
  const rest = length - end - 1
  const sizeBytes = [1, 2, 3, 4, 5].find((bytes) => rest - bytes >= 0 && rest - bytes < 128 ** bytes)
  if (sizeBytes === undefined) return []
  const head = [(PADDING << 3) | HAS_SIZE]
  for (let k = 0; k < sizeBytes; k++) {
    const digit = Math.floor((rest - sizeBytes) / 128 ** k) % 128
    head.push(k < sizeBytes - 1 ? digit | 128 : digit)
  }
  const patches = head.map((byte, k) => ({ at: place(end + k), byte }))
  // The last bit that is set has to be the first of a byte.
  return rest > sizeBytes ? [...patches, { at: place(length - 1), byte: 0x80 }] : patches
}

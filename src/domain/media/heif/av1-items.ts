// Finds AV1 pictures whose data holds several frames. Browsers show the first frame that is to be shown, and libheif the last.

import { associationsIn, type Box, metaBoxesIn, propertiesIn } from './heif-boxes.js'
import {
  createStepCounter,
  type ItemData,
  itemData,
  itemsOfKind,
  itemsOfPrimary,
  type Patch,
  placesOf,
} from './item-data.js'

export interface Av1Frames {
  /** Number of frames that have to be decoded for the shown one, of the item that has most. 1 in most files; more with layers. */
  readonly decoded: number
  /**
   * Patches that turn the data after the shown frame of the primary picture into padding. Empty for most files. Other items get none, because items may
   * share data.
   */
  readonly patches: readonly Patch[]
}

/**
 * Looks at each AV1 item of a file. Items that cannot be read are left as they are. Cost: a few steps for each unit of data.
 * @throws {RangeError} when the file ends within its boxes. @throws {TooManyBoxes} when there are more units than in any picture.
 */
export function av1Frames(file: Buffer): Av1Frames {
  const parts = metaBoxesIn(file)
  const isAv1 = itemsOfKind(file, parts, 'av01')
  const shown = itemsOfPrimary(file, parts)
  const selectedOf = selections(file, parts)
  const patches: Patch[] = []
  const count = createStepCounter()
  let decoded = 0
  for (const { item, ranges } of placesOf(file, parts, count)) {
    if (!isAv1.has(item)) continue
    const data = itemData(file, ranges)
    const { frames, end } = shownIn(data, selectedOf.get(item) ?? {}, count)
    decoded = Math.max(decoded, frames)
    if (end < data.length && shown?.has(item) !== false) patches.push(...padding(end, data))
  }
  return { decoded, patches }
}

/** Which of several layers is shown, if a property of the item says so. libheif ignores both properties. */
interface Selected {
  /** `lsel` */
  readonly layer?: number
  /** `a1op`: one of the lists of layers in the sequence header. */
  readonly point?: number
}

/** The value of `lsel` that selects no layer: all are shown. */
const NO_LAYER = 0xffff

function selections(file: Buffer, parts: readonly Box[]): ReadonlyMap<number, Selected> {
  const selected = new Map<number, Selected>()
  const properties = propertiesIn(file, parts).filter(({ type }) => type === 'lsel' || type === 'a1op')
  const declared = new Map(properties.map((property) => [property.index, property]))
  if (declared.size === 0) return selected
  for (const { item, index } of associationsIn(file, parts)) {
    const found = declared.get(index)
    if (found === undefined) continue
    const value = found.type === 'a1op' ? { point: file.readUInt8(found.from) } : { layer: file.readUInt16BE(found.from) }
    if (value.layer !== NO_LAYER) selected.set(item, { ...selected.get(item), ...value })
  }
  return selected
}

const SEQUENCE = 1
const DELIMITER = 2
const FRAME_HEADER = 3
const TILE_GROUP = 4
const FRAME = 6
const PADDING = 15
const HAS_EXTENSION = 4
const HAS_SIZE = 2

/**
 * Finds the end of the shown picture. It ends before the next frame that is not a higher layer of it, or above the selected layer.
 * @see https://aomediacodec.github.io/av1-spec/#obu-syntax
 */
function shownIn({ length, byte }: ItemData, { layer: selected, point }: Selected, count: () => void) {
  let frames = 0
  let last = selected
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
    const isNext = layer <= shownLayer || (last !== undefined && layer > last)
    if (shownLayer >= 0 && (kind === DELIMITER || (isFrame && isNext))) return { frames, end: end ?? at }
    // seq_profile, still_picture, reduced_still_picture_header
    if (kind === SEQUENCE) {
      isReduced = (byte(content) & 0b0000_1000) !== 0
      if (point !== undefined && !isReduced) last ??= highestLayer(byte, content, point)
    }
    if (isFrame) {
      frames++
      // show_existing_frame, frame_type, show_frame
      if (isReduced || (byte(content) & 0b1001_0000) !== 0) shownLayer = layer
    }
    if (isFrame || kind === TILE_GROUP) end = undefined
    else if (shownLayer >= 0) end ??= at // this unit may belong to the next frame
    at = content + value
  }
  return { frames, end: length }
}

const MAX_POINTS = 32
const TIERED_LEVEL = 7

/**
 * @returns the highest layer of an operating point; `undefined` if the sequence header does not name one.
 * @see https://aomediacodec.github.io/av1-spec/#sequence-header-obu-syntax
 */
function highestLayer(byte: (at: number) => number, from: number, point: number): number | undefined {
  let at = 8 * from + 5
  const read = (bits: number): number => {
    let value = 0
    for (const end = at + bits; at < end; at++) value = 2 * value + ((byte(at >> 3) >> (7 - (at & 7))) & 1)
    return value
  }
  if (read(1) === 1) return undefined // timing, which no still picture has
  const hasDelays = read(1) === 1
  const points = read(5) + 1
  for (let k = 0; k < Math.min(points, MAX_POINTS); k++) {
    const layers = read(12) >> 8
    if (k === point) return layers === 0 ? undefined : 31 - Math.clz32(layers)
    if (read(5) > TIERED_LEVEL) read(1)
    if (hasDelays && read(1) === 1) read(4)
  }
  return undefined
}

function leb128(byte: (at: number) => number, from: number): { readonly value: number; readonly bytes: number } {
  let value = 0
  for (let k = 0; k < 8; k++) {
    value += (byte(from + k) & 127) * 128 ** k
    if (byte(from + k) < 128) return { value, bytes: k + 1 }
  }
  return { value, bytes: 8 }
}

/**
 * @returns patches for one unit of padding from `end` to the end of the data. Its length may take more bytes than it needs, so that all is covered.
 */
function padding(end: number, { length, place }: ItemData): Patch[] {
  const rest = length - end - 1
  const sizeBytes = [1, 2, 3, 4, 5].find((bytes) => rest - bytes >= 0 && rest - bytes < 128 ** bytes)
  if (sizeBytes === undefined) return []
  const head = [(PADDING << 3) | HAS_SIZE]
  for (let k = 0; k < sizeBytes; k++) {
    const digit = Math.floor((rest - sizeBytes) / 128 ** k) % 128
    head.push(k < sizeBytes - 1 ? digit | 128 : digit)
  }
  const patches = head.map((byte, k) => ({ at: place(end + k), byte }))
  // The content of padding has to end with a byte of which only the first bit is set.
  return rest > sizeBytes ? [...patches, { at: place(length - 1), byte: 0x80 }] : patches
}

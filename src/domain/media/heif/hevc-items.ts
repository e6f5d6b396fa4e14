// Finds HEVC pictures whose data holds several frames. Viewers and libheif show the first frame that is to be shown.
// libheif decodes hidden ones before it: 300 of 640 × 480 took 2.4 s instead of 0.04 s.

import { type Box, metaBoxesIn, propertiesIn } from './heif-boxes.js'
import { hevcUnits, unitBits, unitKind } from './hevc-config.js'
import {
  createStepCounter,
  type ItemData,
  itemData,
  itemsOfKind,
  itemsOfPrimary,
  type Patch,
  placesOf,
} from './item-data.js'

export interface HevcFrames {
  /** Number of frames that have to be decoded for the shown one, of the item that has most. 1 in all real files. */
  readonly decoded: number
  /**
   * Patches that turn frames of the primary picture after the shown one into units that decoders skip. Otherwise they may be decoded before the shown
   * one is returned. Other items get none, because items may share data.
   */
  readonly patches: readonly Patch[]
}

const LENGTHS_AT = 21
/** Units of types up to this are slices. */
const LAST_SLICE = 31
const PICTURE_PARAMETERS = 34
/** A unit type that decoders ignore (ITU-T H.265, table 7-1). */
const RESERVED = 41
/** How many bytes of a unit are read: enough of a slice or a parameter set to tell whether the picture is shown. */
const HEAD_BYTES = 32

/**
 * Looks at each HEVC item of a file. Cost: a few steps for each unit of data.
 * @throws {RangeError} when the file ends within its boxes. @throws {TooManyBoxes} when there are more units than in any picture.
 */
export function hevcFrames(file: Buffer): HevcFrames {
  const parts = metaBoxesIn(file)
  const configs = propertiesIn(file, parts).filter(({ type }) => type === 'hvcC')
  // libheif passes these units to the decoder first.
  const before = configs.flatMap((box) => hevcUnits(file.subarray(box.from, box.to)))
  const hiding: HidingSets = new Map()
  for (const unit of before) noteParameters(unit, hiding)
  const slices = before.filter((unit) => unitKind(unit) <= LAST_SLICE).length
  const items = itemsOfKind(file, parts, 'hvc1')
  const ofPrimary = itemsOfPrimary(file, parts)
  const [lengthBytes, ...others] = new Set(configs.map((box) => lengthBytesOf(file, box)))
  const count = createStepCounter()
  const patches: Patch[] = []
  let decoded = 0
  for (const { item, ranges } of placesOf(file, parts, count)) {
    if (!items.has(item) || lengthBytes === undefined) continue
    const found = shownIn(itemData(file, ranges), lengthBytes, new Map(hiding), count)
    decoded = Math.max(decoded, found.frames)
    if (others.length === 0 && ofPrimary?.has(item) !== false) patches.push(...found.patches)
  }
  return { decoded: Math.max(1, decoded + slices), patches }
}

const lengthBytesOf = (file: Buffer, { from }: Box) => (file.readUInt8(from + LENGTHS_AT) & 3) + 1

/**
 * By id of a picture parameter set whose slices have a flag that says whether the picture is shown: how many extra bits precede it in the slice
 * header.
 */
type HidingSets = Map<number, number>

function shownIn(data: ItemData, lengthBytes: number, hiding: HidingSets, count: () => void) {
  const patches: Patch[] = []
  let frames = 0
  let isShown = false
  for (let at = 0; at + lengthBytes < data.length; ) {
    count()
    let bytes = 0
    for (let k = 0; k < lengthBytes; k++) bytes = 256 * bytes + data.byte(at + k)
    const from = at + lengthBytes
    const unit = Buffer.from(Array.from({ length: Math.min(HEAD_BYTES, bytes) }, (_, k) => data.byte(from + k)))
    const isFirst = unitKind(unit) <= LAST_SLICE && ((unit[2] ?? 0) & 0x80) !== 0
    if (isFirst && isShown) patches.push({ at: data.place(from), byte: RESERVED << 1 })
    else if (isFirst) {
      frames++
      isShown = isOutput(unit, hiding)
    } else noteParameters(unit, hiding)
    at = from + bytes
  }
  return { frames, patches }
}

/**
 * Notes a picture parameter set: `output_flag_present_flag` and `num_extra_slice_header_bits`.
 * @see https://www.itu.int/rec/T-REC-H.265
 */
function noteParameters(unit: Buffer, hiding: HidingSets): void {
  if (unitKind(unit) !== PICTURE_PARAMETERS) return
  unlessCut(() => {
    const bits = unitBits(unit)
    const id = bits.readGolomb()
    bits.readGolomb()
    bits.skip(1)
    const isHiding = bits.read(1) === 1
    if (isHiding) hiding.set(id, bits.read(3))
    else hiding.delete(id)
  })
}

const FIRST_RANDOM_ACCESS = 16
const LAST_RANDOM_ACCESS = 23

/** @returns whether a picture is shown: `pic_output_flag` of its first slice, if it has one. */
function isOutput(unit: Buffer, hiding: HidingSets): boolean {
  const isShown = unlessCut(() => {
    const bits = unitBits(unit)
    const kind = unitKind(unit)
    bits.skip(kind >= FIRST_RANDOM_ACCESS && kind <= LAST_RANDOM_ACCESS ? 2 : 1)
    const extraBits = hiding.get(bits.readGolomb())
    if (extraBits === undefined) return true
    bits.skip(extraBits)
    bits.readGolomb()
    return bits.read(1) === 1
  })
  return isShown ?? true
}

/** @returns `undefined` for a unit that ends too early. */
function unlessCut<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

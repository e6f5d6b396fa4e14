// Reads the `hvcC` box of an HEVC image in a HEIF file.

export interface HevcConfig {
  /** The largest area in its sequence parameter sets. It may differ from what `ispe` declares, and the decoder uses this one. */
  readonly pixels: number
  /** More than 8 bits a channel. */
  readonly isDeep: boolean
}

const DEPTHS_AT = 17
const ARRAYS_AT = 22
const SEQUENCE_PARAMETERS = 33

/** @param box the content of the box. @throws {RangeError} when it ends too early. */
export function hevcConfig(box: Buffer): HevcConfig {
  const isDeep = (box.readUInt8(DEPTHS_AT) & 7) > 0 || (box.readUInt8(DEPTHS_AT + 1) & 7) > 0
  const sets = hevcUnits(box).filter((unit) => unitKind(unit) === SEQUENCE_PARAMETERS)
  return { pixels: sets.reduce((most, unit) => Math.max(most, pixelsOf(unit)), 0), isDeep }
}

/** @returns the NAL units in the box, which a decoder gets before the picture. @throws {RangeError} as `hevcConfig`. */
export function hevcUnits(box: Buffer): Buffer[] {
  const units: Buffer[] = []
  let at = ARRAYS_AT + 1
  for (let arrays = box.readUInt8(ARRAYS_AT); arrays > 0; arrays--) {
    const count = box.readUInt16BE(at + 1)
    at += 3
    for (let unit = 0; unit < count; unit++) {
      const bytes = box.readUInt16BE(at)
      units.push(box.subarray(at + 2, at + 2 + bytes))
      at += 2 + bytes
    }
  }
  return units
}

/** @returns the type of a NAL unit (ITU-T H.265, table 7-1). */
export function unitKind(unit: Uint8Array): number {
  return ((unit[0] ?? 0) >> 1) & 63
}

/** @returns a reader of the bits in a unit's content, without its header. */
export function unitBits(unit: Buffer) {
  return bitsOf(withoutEmulation(unit.subarray(UNIT_HEADER_BYTES)))
}

const UNIT_HEADER_BYTES = 2
/** Sizes of the fields for profile and level, in bits. */
const GENERAL_BITS = 96
const PROFILE_BITS = 88
const LEVEL_BITS = 8
const SUB_LAYERS = 8
const CHROMA_444 = 3
const MAX_SIDE = 65_535

/** @returns the area that a sequence parameter set declares (ITU-T H.265, 7.3.2.2); 0 for one that decoders refuse. */
function pixelsOf(unit: Buffer): number {
  const bits = unitBits(unit)
  bits.skip(4)
  const subLayers = bits.read(3)
  bits.skip(1 + GENERAL_BITS)
  const present = Array.from({ length: subLayers }, () => ({ profile: bits.read(1), level: bits.read(1) }))
  if (subLayers > 0) bits.skip(2 * (SUB_LAYERS - subLayers))
  for (const { profile, level } of present) bits.skip(profile * PROFILE_BITS + level * LEVEL_BITS)
  bits.readGolomb()
  if (bits.readGolomb() === CHROMA_444) bits.skip(1)
  const [width, height] = [bits.readGolomb(), bits.readGolomb()]
  return width > MAX_SIDE || height > MAX_SIDE ? 0 : width * height
}

/** Removes emulation prevention: within a unit, the bytes 00 00 03 stand for 00 00. */
function withoutEmulation(bytes: Buffer): Buffer {
  return Buffer.from(bytes.filter((byte, k) => byte !== 3 || k < 2 || bytes[k - 1] !== 0 || bytes[k - 2] !== 0))
}

function bitsOf(bytes: Buffer) {
  let at = 0
  const read = (count: number): number => {
    let value = 0
    for (let end = at + count; at < end; at++) value = 2 * value + ((bytes.readUInt8(at >> 3) >> (7 - (at & 7))) & 1)
    return value
  }
  return {
    read,
    skip: (count: number) => {
      at += count
    },
    /** Reads an Exp-Golomb number, ue(v) in H.265. */
    readGolomb: (): number => {
      let zeros = 0
      while (zeros < 32 && read(1) === 0) zeros++
      return 2 ** zeros - 1 + read(zeros)
    },
  }
}

// Reads the header of a JPEG XL file, without decoding anything: size, channels and animation.

import { type JxlBits, jxlBits } from './jxl-bits.js'

export interface JxlHeader {
  /** Before rotation. */
  readonly width: number
  readonly height: number
  /** Whether the colours are stored in XYB, as by lossy encoders. */
  readonly isXyb: boolean
  /** Channels besides the colours: alpha, black of CMYK, depth and others. */
  readonly extraChannels: number
  readonly isAnimation: boolean
  readonly hasTimecodes: boolean
  /** Where the frames begin in the codestream, in bytes. `undefined` after a preview or a profile, because the header does not give its length. */
  readonly framesAt: number | undefined
}

/**
 * @returns the codestream of a file: the file itself, or what the boxes of a container hold. In one box it is not copied.
 * @param maxBytes where a codestream in several boxes is cut off.
 */
export function jxlCodestream(file: Uint8Array, maxBytes = file.length): Uint8Array {
  if (file[0] === 0xff) return file
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const parts: Uint8Array[] = []
  for (let at = 0, found = 0; at + 8 <= file.length && found < maxBytes; ) {
    const isLong = view.getUint32(at) === 1
    const from = at + (isLong ? 16 : 8)
    if (from > file.length) break
    const length = isLong ? view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12) : view.getUint32(at)
    const to = Math.min(file.length, length === 0 ? file.length : at + length)
    if (to < from) break
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8))
    if (name === 'jxlc') return file.subarray(from, to)
    if (name === 'jxlp') parts.push(file.subarray(Math.min(from + PART_INDEX_BYTES, to), to))
    found += name === 'jxlp' ? to - from : 0
    at = to
  }
  return joined(parts, maxBytes)
}

const PART_INDEX_BYTES = 4

function joined(parts: readonly Uint8Array[], maxBytes: number): Uint8Array {
  const whole = new Uint8Array(
    Math.min(
      maxBytes,
      parts.reduce((sum, { length }) => sum + length, 0),
    ),
  )
  let at = 0
  for (const part of parts) {
    if (at >= whole.length) break
    whole.set(part.subarray(0, whole.length - at), at)
    at += part.length
  }
  return whole
}

const SIGNATURE_BYTES = 2

/** @throws {RangeError} when the codestream ends within its header. */
export function jxlHeader(codestream: Uint8Array): JxlHeader {
  const bits = jxlBits(codestream, SIGNATURE_BYTES)
  const { width, height } = sizeIn(bits)
  const found = metadataIn(bits)
  bits.alignToByte()
  const framesAt = found.hasPreview || found.hasProfile ? undefined : bits.position
  return { width, height, ...found, framesAt }
}

const SIDE = [
  [1, 9],
  [1, 13],
  [1, 18],
  [1, 30],
] as const
/** Width over height. */
const RATIOS = [0, 1, 1.2, 4 / 3, 1.5, 16 / 9, 1.25, 2]

function sizeIn(bits: JxlBits): { readonly width: number; readonly height: number } {
  const isSmall = bits.isSet()
  const side = () => (isSmall ? 8 * (1 + bits.read(5)) : bits.u32(...SIDE))
  const height = side()
  const ratio = bits.read(3)
  return { height, width: ratio === 0 ? side() : Math.floor(height * (RATIOS[ratio] ?? 0)) }
}

const PREVIEW_EIGHTHS = [16, 32, [1, 5], [33, 9]] as const
const PREVIEW_SIDE = [
  [1, 6],
  [65, 8],
  [321, 10],
  [1345, 12],
] as const

function skipPreview(bits: JxlBits): void {
  const isSmall = bits.isSet()
  const side = () => (isSmall ? bits.u32(...PREVIEW_EIGHTHS) : bits.u32(...PREVIEW_SIDE))
  side()
  if (bits.read(3) === 0) side()
}

const F16 = 16

function metadataIn(bits: JxlBits) {
  const found = {
    isXyb: true,
    extraChannels: 0,
    isAnimation: false,
    hasTimecodes: false,
    hasPreview: false,
    hasProfile: false,
  }
  if (bits.isSet()) {
    skipTransform(bits, found.isXyb)
    return found
  }
  const hasExtraFields = bits.isSet()
  if (hasExtraFields) {
    bits.skip(3) // orientation
    if (bits.isSet()) sizeIn(bits) // intended display size
    found.hasPreview = bits.isSet()
    if (found.hasPreview) skipPreview(bits)
    found.isAnimation = bits.isSet()
    if (found.isAnimation) {
      bits.u32(100, 1000, [1, 10], [1, 30]) // ticks per second
      bits.u32(1, 1001, [1, 8], [1, 10])
      bits.u32(0, [0, 3], [0, 16], [0, 32]) // loops
      found.hasTimecodes = bits.isSet()
    }
  }
  skipDepth(bits)
  bits.skip(1)
  found.extraChannels = bits.u32(0, 1, [2, 4], [1, 12])
  for (let k = 0; k < found.extraChannels; k++) skipExtraChannel(bits)
  found.isXyb = bits.isSet()
  found.hasProfile = skipColours(bits)
  if (hasExtraFields && !bits.isSet()) bits.skip(3 * F16 + 1) // tone mapping
  skipExtensions(bits)
  skipTransform(bits, found.isXyb)
  return found
}

function skipDepth(bits: JxlBits): void {
  if (bits.isSet()) {
    bits.u32(32, 16, 24, [1, 6])
    bits.skip(4)
  } else {
    bits.u32(8, 10, 12, [1, 6])
  }
}

const ALPHA = 0
const SPOT_COLOUR = 2
const COLOUR_FILTER = 5

function skipExtraChannel(bits: JxlBits): void {
  if (bits.isSet()) return
  const kind = bits.enumeration()
  skipDepth(bits)
  bits.u32(0, 3, 4, [1, 3])
  skipName(bits)
  if (kind === ALPHA) bits.skip(1)
  if (kind === SPOT_COLOUR) bits.skip(4 * F16)
  if (kind === COLOUR_FILTER) bits.u32(1, [0, 2], [3, 4], [19, 8])
}

export function skipName(bits: JxlBits): void {
  bits.skip(8 * bits.u32(0, [0, 4], [16, 5], [48, 10]))
}

/** Skips extensions. Each has its length in bits before all of them. */
export function skipExtensions(bits: JxlBits): void {
  const present = bits.u64()
  let length = 0
  for (let k = 0; k < 64; k++) if (Math.floor(present / 2 ** k) % 2 === 1) length += bits.u64()
  bits.skip(length)
}

const GREY = 1
const XYB = 2
const CUSTOM = 2

/** @returns whether a profile follows the header. */
function skipColours(bits: JxlBits): boolean {
  if (bits.isSet()) return false
  const hasProfile = bits.isSet()
  const space = bits.enumeration()
  if (hasProfile) return true
  const skipPoint = () => {
    for (let k = 0; k < 2; k++) bits.u32([0, 19], [524_288, 19], [1_048_576, 20], [2_097_152, 21])
  }
  if (space !== XYB && bits.enumeration() === CUSTOM) skipPoint()
  if (space !== XYB && space !== GREY && bits.enumeration() === CUSTOM) for (let k = 0; k < 3; k++) skipPoint()
  if (bits.isSet()) bits.skip(24)
  else bits.enumeration()
  bits.enumeration()
  return false
}

/** Skips the matrix for XYB and the weights for upsampling. */
function skipTransform(bits: JxlBits, isXyb: boolean): void {
  if (bits.isSet()) return
  if (isXyb && !bits.isSet()) bits.skip(16 * F16)
  const own = bits.read(3)
  for (const [k, weights] of [15, 55, 210].entries()) if ((own >> k) % 2 === 1) bits.skip(weights * F16)
}

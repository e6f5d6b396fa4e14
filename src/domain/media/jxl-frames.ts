// Lists the frames of a JPEG XL file by their headers, without decoding any. A few bytes may declare a thousand layers, so the cost has to be known
// first.

import type { JxlBits } from './jxl-bits.js'
import { jxlBits } from './jxl-bits.js'
import { type JxlHeader, jxlCodestream, jxlHeader, skipExtensions, skipName } from './jxl-header.js'

export interface JxlFrames {
  /** Duration of each picture that is shown, in ticks of the header's animation clock. A decoder counts the same pictures. */
  readonly durations: readonly number[]
  /** Pixels of all frames, including layers and references. */
  readonly pixels: number
}

/**
 * Finds the frames by their headers. It finds all in files of common encoders. Progressive encoders write a permuted table of contents; after one,
 * the start of the next frame is unknown, and further frames are not found.
 *
 * Cost: reads each byte of the headers once.
 */
export function jxlFrames(codestream: Uint8Array, header: JxlHeader): JxlFrames {
  const durations: number[] = []
  let pixels = 0
  try {
    for (let at = header.framesAt; at !== undefined; ) {
      const bits = jxlBits(codestream, at)
      const frame = frameIn(bits, header)
      pixels += (frame.width * frame.height) / 64 ** frame.lfLevel
      if (frame.isShown) durations.push(frame.duration)
      at = frame.isLast ? undefined : endOf(bits, frame)
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error // the file ends here
  }
  return { durations, pixels }
}

/**
 * @param pictures how many the file shows, as a decoder counts them.
 * @returns how long each is shown, in ticks. One whose header cannot be found counts as shown briefly.
 */
export function jxlDurations(file: Uint8Array, pictures: number): number[] {
  const durations = pictures === 1 ? [] : durationsIn(file)
  return Array.from({ length: pictures }, (_, k) => durations[k] ?? 1)
}

function durationsIn(file: Uint8Array): readonly number[] {
  const codestream = jxlCodestream(file)
  try {
    return jxlFrames(codestream, jxlHeader(codestream)).durations
  } catch (error) {
    if (error instanceof RangeError) return [] // the file ends within its header
    throw error
  }
}

// Frame types: low-frequency coefficients of a later frame, and a reference that is never shown.
const LF = 1
const REFERENCE = 2
/** Flag of a frame: its low-frequency coefficients are in an earlier frame. */
const USES_LF = 0x20

interface Frame {
  readonly width: number
  readonly height: number
  readonly isShown: boolean
  readonly duration: number
  readonly isLast: boolean
  readonly passes: number
  readonly upsampling: number
  readonly lfLevel: number
  readonly groupShift: number
}

const USUAL = { isShown: true, duration: 0, isLast: true, passes: 1, upsampling: 1, lfLevel: 0, groupShift: 1 } as const

function frameIn(bits: JxlBits, header: JxlHeader): Frame {
  const { width, height, isXyb, extraChannels } = header
  if (bits.isSet()) return { width, height, ...USUAL }
  const kind = bits.read(2)
  const isModular = bits.isSet()
  const usesLf = (bits.u64() & USES_LF) !== 0
  const isYcbcr = !isXyb && bits.isSet()
  if (isYcbcr && !usesLf) bits.skip(6)
  const factors = usesLf ? [1] : Array.from({ length: 1 + extraChannels }, () => bits.u32(1, 2, 4, 8))
  const groupShift = isModular ? bits.read(2) : 1
  if (!isModular && isXyb) bits.skip(6)
  const passes = kind === REFERENCE ? 1 : passesIn(bits)
  const lfLevel = kind === LF ? 1 + bits.read(2) : 0
  const crop = kind !== LF && bits.isSet() ? cropIn(bits, kind) : { x: 0, y: 0, width, height }
  const isFull = crop.x <= 0 && crop.y <= 0 && crop.x + crop.width >= width && crop.y + crop.height >= height
  const end =
    kind === LF || kind === REFERENCE ? { duration: 0, isLast: false, isReset: false } : shownIn(bits, header, isFull)
  const reference = kind !== LF && !end.isLast ? bits.read(2) : 0
  const mayKeep = end.isReset && !end.isLast && (end.duration === 0 || reference !== 0)
  if (kind === REFERENCE || mayKeep) bits.skip(1)
  skipName(bits)
  skipFilters(bits, isModular)
  skipExtensions(bits)
  const isShown = kind !== LF && kind !== REFERENCE && (end.isLast || end.duration !== 0)
  const { duration, isLast } = end
  return {
    width: crop.width,
    height: crop.height,
    isShown,
    duration,
    isLast,
    passes,
    upsampling: factors[0] ?? 1,
    lfLevel,
    groupShift,
  }
}

function passesIn(bits: JxlBits): number {
  const passes = bits.u32(1, 2, 3, [4, 3])
  if (passes === 1) return 1
  const downsampled = bits.u32(0, 1, 2, [3, 1])
  bits.skip(2 * (passes - 1))
  for (let k = 0; k < downsampled; k++) bits.u32(1, 2, 4, 8)
  for (let k = 0; k < downsampled; k++) bits.u32(0, 1, 2, [0, 3])
  return passes
}

function cropIn(bits: JxlBits, kind: number) {
  const number = () => bits.u32([0, 8], [256, 11], [2304, 14], [18_688, 30])
  const signed = () => {
    const packed = number()
    return packed % 2 === 0 ? packed / 2 : -(packed + 1) / 2
  }
  const [x, y] = kind === REFERENCE ? [0, 0] : [signed(), signed()]
  return { x, y, width: number(), height: number() }
}

const REPLACE = 0
const BLEND = 2
const MULTIPLY_ADD = 3
const MULTIPLY = 4

function shownIn(bits: JxlBits, { extraChannels, isAnimation, hasTimecodes }: JxlHeader, isFull: boolean) {
  let isReset = false
  for (let k = 0; k <= extraChannels; k++) {
    const mode = bits.u32(0, 1, 2, [3, 2])
    if (k === 0) isReset = mode === REPLACE && isFull
    const usesAlpha = extraChannels > 0 && (mode === BLEND || mode === MULTIPLY_ADD)
    if (usesAlpha) bits.u32(0, 1, 2, [3, 3])
    if (usesAlpha || mode === MULTIPLY) bits.skip(1)
    if (!isReset) bits.skip(2)
  }
  const duration = isAnimation ? bits.u32(0, 1, [0, 8], [0, 32]) : 0
  if (hasTimecodes) bits.skip(32)
  return { duration, isLast: bits.isSet(), isReset }
}

const F16 = 16

function skipFilters(bits: JxlBits, isModular: boolean): void {
  if (bits.isSet()) return
  if (bits.isSet() && bits.isSet()) bits.skip(6 * F16)
  if (bits.read(2) > 0) {
    if (!isModular && bits.isSet()) bits.skip(8 * F16)
    if (bits.isSet()) bits.skip(3 * F16 + 32)
    if (bits.isSet()) bits.skip((isModular ? 3 : 4) * F16)
    if (isModular) bits.skip(F16)
  }
  skipExtensions(bits)
}

/** Decoders refuse a table of contents with more entries. */
const MAX_ENTRIES = 65_536

/** @returns where the next frame begins, in bytes; `undefined` if the table of contents does not say it. */
function endOf(bits: JxlBits, { width, height, passes, upsampling, lfLevel, groupShift }: Frame): number | undefined {
  const scale = upsampling * 8 ** lfLevel
  const groupsOf = (side: number) => Math.ceil(Math.ceil(width / scale) / side) * Math.ceil(Math.ceil(height / scale) / side)
  const side = 128 << groupShift
  const groups = groupsOf(side)
  const entries = groups === 1 && passes === 1 ? 1 : 2 + groupsOf(8 * side) + groups * passes
  if (entries > MAX_ENTRIES || bits.isSet()) return undefined
  bits.alignToByte()
  let bytes = 0
  for (let k = 0; k < entries; k++) bytes += bits.u32([0, 10], [1024, 14], [17_408, 22], [4_211_712, 30])
  bits.alignToByte()
  return bits.position + bytes
}

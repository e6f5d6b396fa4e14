// The frames of an animated PNG: https://www.w3.org/TR/png-3/#apng-frame-based-animation

import { shownMs } from '../../../../packages/hash/src/file-frames.js'
import { type Animation, type ByteRange, type FrameHeader, MAX_LISTED_FRAMES } from './animation.js'

export interface PngAnimation extends Animation {
  /** The whole chunks PLTE and tRNS, which every frame needs. */
  readonly palette: readonly ByteRange[]
  /** The whole chunks that say how colours are displayed, and the EXIF data. */
  readonly colour: readonly ByteRange[]
  readonly bitDepth: number
  readonly colourType: number
  readonly isInterlaced: boolean
  /** Whether chunks break a rule, so that viewers may show the default image instead of the animation. Only if it is not a frame itself. */
  readonly mayShowDefault: boolean
}

const SIGNATURE_BYTES = 8
const COLOUR_CHUNKS = ['gAMA', 'cHRM', 'sRGB', 'iCCP', 'cICP', 'mDCV', 'cLLI', 'eXIf']
const OPAQUE_TYPES = [0, 2, 3]
const DISPOSALS: readonly FrameHeader['disposal'][] = ['keep', 'clear', 'restore']

interface Found {
  readonly palette: ByteRange[]
  readonly colour: ByteRange[]
  readonly frames: (FrameHeader & { readonly data: ByteRange[] })[]
  hasTransparency: boolean
  /** Number of frames that acTL declares, if it comes before the default image. */
  declared: number | undefined
  hasDefault: boolean
  isDefaultAFrame: boolean
  sequence: number
  isRegular: boolean
}

/** @returns `undefined` for a still picture. */
export function pngAnimation(file: Buffer): PngAnimation | undefined {
  if (file.length < 33) return undefined
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)]
  const found: Found = {
    palette: [],
    colour: [],
    frames: [],
    hasTransparency: false,
    declared: undefined,
    hasDefault: false,
    isDefaultAFrame: false,
    sequence: 0,
    isRegular: true,
  }
  for (const chunk of chunksIn(file)) {
    if (chunk.type === 'IEND' || !take(file, chunk, found)) break
    if (found.hasDefault && found.declared === undefined) return undefined // the control chunk comes before the pixels, or there is none
  }
  const colourType = file.readUInt8(25)
  const isOpaque = OPAQUE_TYPES.includes(colourType) && !found.hasTransparency
  const frames = found.frames.map((frame) => ({ ...frame, isOpaque })).filter(({ data }) => data.length > 0)
  if (found.declared === undefined || frames.length === 0) return undefined
  return {
    width,
    height,
    frames,
    palette: found.palette,
    colour: found.colour,
    bitDepth: file.readUInt8(24),
    colourType,
    isInterlaced: file.readUInt8(28) !== 0,
    mayShowDefault: !found.isDefaultAFrame && !(found.isRegular && frames.length === found.declared),
  }
}

interface Chunk {
  readonly type: string
  readonly at: number
  /** After its content. */
  readonly to: number
  readonly isWhole: boolean
}

function* chunksIn(file: Buffer): Iterable<Chunk> {
  for (let at = SIGNATURE_BYTES; at + 8 <= file.length; ) {
    const to = at + 8 + file.readUInt32BE(at)
    yield {
      type: file.toString('latin1', at + 4, at + 8),
      at,
      to: Math.min(to, file.length),
      isWhole: to + 4 <= file.length,
    }
    at = to + 4
  }
}

/** Reads one chunk into `found`. @returns whether to read on. */
function take(file: Buffer, { type, at, to, isWhole }: Chunk, found: Found): boolean {
  const from = at + 8
  const { frames } = found
  const last = frames.at(-1)
  if (type === 'acTL' && to - from >= 8 && !found.hasDefault) found.declared ??= file.readUInt32BE(from)
  else if (type === 'fcTL' && to - from >= 26) {
    if (frames.length >= Math.min(MAX_LISTED_FRAMES, found.declared ?? 0)) return false
    const frame = frameAt(file, from, isWhole)
    if (!isNext(file.readUInt32BE(from), found) || !fits(file, from, frame)) return end(found)
    frames.push(frame)
  } else if (type === 'fdAT' && to - from >= 4) {
    if (!isNext(file.readUInt32BE(from), found) || last === undefined) return end(found)
    addData(found, [from + 4, to], isWhole)
  } else if (type === 'IDAT') {
    found.hasDefault = true
    if (frames.length > 1) found.isRegular = false
    if (last !== undefined && frames.length === 1) {
      found.isDefaultAFrame = true
      addData(found, [from, to], isWhole)
    }
  } else if (isWhole && !found.hasDefault && (type === 'PLTE' || type === 'tRNS')) {
    found.palette.push([at, to + 4])
    found.hasTransparency ||= type === 'tRNS'
  } else if (isWhole && !found.hasDefault && COLOUR_CHUNKS.includes(type)) found.colour.push([at, to + 4])
  return true
}

/** Chunks of frames are numbered without gaps. */
function isNext(number: number, found: Found): boolean {
  return number === found.sequence++
}

const CANVAS_AT = 16

/** Whether a frame is allowed: it lies on the canvas, and its operations are known. */
function fits(file: Buffer, from: number, { left, top, width, height }: FrameHeader): boolean {
  const isOnCanvas = left + width <= file.readUInt32BE(CANVAS_AT) && top + height <= file.readUInt32BE(CANVAS_AT + 4)
  const areKnown = file.readUInt8(from + 24) <= 2 && file.readUInt8(from + 25) <= 1
  return width > 0 && height > 0 && isOnCanvas && areKnown
}

/** Ends reading at a chunk that breaks a rule. Browsers show the frames before it, and its own frame as far as it goes. */
function end(found: Found): false {
  found.isRegular = false
  return false
}

function addData({ frames }: Found, range: ByteRange, isWhole: boolean): void {
  const frame = frames.at(-1)
  if (frame === undefined) return
  frame.data.push(range)
  if (!isWhole) frames[frames.length - 1] = { ...frame, isWhole }
}

function frameAt(file: Buffer, from: number, isWhole: boolean): Found['frames'][number] {
  const denominator = file.readUInt16BE(from + 22) || 100
  return {
    width: file.readUInt32BE(from + 4),
    height: file.readUInt32BE(from + 8),
    left: file.readUInt32BE(from + 12),
    top: file.readUInt32BE(from + 16),
    durationMs: shownMs((1000 * file.readUInt16BE(from + 20)) / denominator),
    disposal: DISPOSALS[file.readUInt8(from + 24)] ?? 'keep',
    isSource: file.readUInt8(from + 25) === 0,
    isOpaque: false,
    isWhole,
    data: [],
  }
}

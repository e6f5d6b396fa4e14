// Reads the frames of a GIF by iterating over its blocks.

import { shownMs } from '../../../../packages/hash/src/file-frames.js'
import { type Animation, type ByteRange, type FrameHeader, MAX_LISTED_FRAMES } from './animation.js'

export interface GifFrame extends FrameHeader {
  /** Red, green and blue of each colour: the frame's own palette, or that of the file. */
  readonly palette: ByteRange
  readonly transparentIndex: number | undefined
  readonly isInterlaced: boolean
}

const EXTENSION = 0x21
const IMAGE = 0x2c
const GRAPHIC_CONTROL = 0xf9
const HEADER_BYTES = 13
const DESCRIPTOR_BYTES = 10

interface GraphicControl {
  readonly durationMs: number
  readonly disposal: FrameHeader['disposal']
  readonly transparentIndex: number | undefined
}
const NO_CONTROL: GraphicControl = { durationMs: shownMs(0), disposal: 'keep', transparentIndex: undefined }

/**
 * Reads frames up to the end of the file, the trailer, or bytes that are not a block, as browsers do.
 * @returns `undefined` if the file ends within its header. A still picture has one frame.
 */
export function gifAnimation(file: Buffer): Animation<GifFrame> | undefined {
  if (file.length < HEADER_BYTES) return undefined
  const [width, height] = [file.readUInt16LE(6), file.readUInt16LE(8)]
  const globalPalette = paletteAt(HEADER_BYTES, file.readUInt8(10))
  const frames: GifFrame[] = []
  let control = NO_CONTROL
  for (let at = globalPalette[1]; at < file.length && frames.length < MAX_LISTED_FRAMES; ) {
    const kind = file[at]
    if (kind === EXTENSION) {
      if (file[at + 1] === GRAPHIC_CONTROL && at + 8 <= file.length) control = controlAt(file, at)
      at = endOfBlocks(file, at + 2).end
    } else if (kind === IMAGE && at + DESCRIPTOR_BYTES + 1 < file.length) {
      const frame = frameAt(file, at, control, globalPalette)
      frames.push(frame)
      control = NO_CONTROL
      at = frame.data[0]?.[1] ?? file.length
    } else break
  }
  const canvas = enlarged(width, height, frames[0])
  return { ...canvas, frames: frames.map((frame) => cutBelow(frame, canvas.height)) }
}

/** Cuts off rows below the canvas, so that they are not decoded; not for an interlaced frame, whose rows are not in order. */
function cutBelow(frame: GifFrame, canvasHeight: number): GifFrame {
  const rows = Math.max(0, canvasHeight - frame.top)
  return frame.isInterlaced || frame.height <= rows ? frame : { ...frame, height: rows }
}

/** The first frame enlarges a canvas that is too small for it, as in browsers. */
function enlarged(width: number, height: number, first: GifFrame | undefined) {
  if (first === undefined) return { width, height }
  return { width: Math.max(width, first.left + first.width), height: Math.max(height, first.top + first.height) }
}

function paletteAt(at: number, flags: number): ByteRange {
  return [at, at + ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))]
}

/** By number in the file. Some encoders write 4 for `restore`, and browsers accept it. */
const DISPOSALS: readonly FrameHeader['disposal'][] = ['keep', 'keep', 'clear', 'restore', 'restore']

function controlAt(file: Buffer, at: number): GraphicControl {
  const flags = file.readUInt8(at + 3)
  return {
    durationMs: shownMs(10 * file.readUInt16LE(at + 4)),
    disposal: DISPOSALS[(flags >> 2) & 7] ?? 'keep',
    transparentIndex: (flags & 1) === 0 ? undefined : file.readUInt8(at + 6),
  }
}

function frameAt(file: Buffer, at: number, control: GraphicControl, globalPalette: ByteRange): GifFrame {
  const flags = file.readUInt8(at + 9)
  const ownPalette = paletteAt(at + DESCRIPTOR_BYTES, flags)
  const { end, isWhole } = endOfBlocks(file, ownPalette[1] + 1) // after the code size
  return {
    left: file.readUInt16LE(at + 1),
    top: file.readUInt16LE(at + 3),
    width: file.readUInt16LE(at + 5),
    height: file.readUInt16LE(at + 7),
    ...control,
    isSource: false,
    isOpaque: control.transparentIndex === undefined,
    isWhole,
    isInterlaced: (flags & 0x40) !== 0,
    palette: ownPalette[1] > ownPalette[0] ? ownPalette : globalPalette,
    data: [[ownPalette[1], end]],
  }
}

/** @returns where a list of blocks of at most 255 bytes ends. Each block follows its length; an empty one ends the list. */
function endOfBlocks(file: Buffer, from: number): { readonly end: number; readonly isWhole: boolean } {
  let at = from
  while (at < file.length) {
    const length = file[at] ?? 0
    at += 1 + length
    if (length === 0) return { end: at, isWhole: true }
  }
  return { end: file.length, isWhole: false }
}

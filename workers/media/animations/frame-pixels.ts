// Decodes one frame of an animation without decoding the previous ones.

import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { MAX_PIXELS } from '../../../packages/hash/src/pixels.js'
import type { ByteRange, FrameHeader } from '../../../src/domain/media/animations/animation.js'
import type { PngAnimation } from '../../../src/domain/media/animations/apng.js'
import type { GifFrame } from '../../../src/domain/media/animations/gif.js'
import type { WebpFrame } from '../../../src/domain/media/animations/webp.js'
import type { Rgba } from './canvas.js'
import { unpackLzw } from './lzw.js'

export interface FramePixels extends Rgba {
  /** Whether data was missing or wrong. Then the pixels that were not decoded are transparent. */
  readonly isDamaged: boolean
}

const OPAQUE = 255
/** Of each pass of an interlaced GIF: its first row, and the distance between its rows. */
const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const

/** The caller overwrites the pixels. @throws {RangeError} for a frame with more than `MAX_PIXELS`. */
export function gifPixels(file: Buffer, frame: GifFrame): FramePixels {
  const { width, height, palette, transparentIndex, isInterlaced, data } = frame
  const [from, to] = data[0] ?? [0, 0]
  if (width * height > MAX_PIXELS) throw new RangeError('the frame is too large')
  const indexes = new Uint8Array(width * height)
  const written = unpackLzw(file, from, to, indexes)
  const colours = coloursOf(file, palette, transparentIndex)
  const pixels = new Uint32Array(width * height)
  const rows = isInterlaced ? interlacedRows(height) : undefined
  for (let row = 0, at = 0; at < written; row++) {
    const target = (rows?.[row] ?? row) * width
    for (let x = 0; x < width && at < written; x++, at++) pixels[target + x] = colours[indexes[at] ?? 0] ?? 0
  }
  indexes.fill(0)
  return { data: new Uint8Array(pixels.buffer), width, height, isDamaged: written < indexes.length }
}

function coloursOf(file: Buffer, [from, to]: ByteRange, transparentIndex: number | undefined): Uint32Array {
  const colours = new Uint32Array(256)
  const end = Math.min(to, file.length) - 2
  for (let index = 0, at = from; index < 256; index++, at += 3) {
    const rgb = at < end ? file.readUIntLE(at, 3) : 0
    colours[index] = index === transparentIndex ? 0 : OPAQUE * 2 ** 24 + rgb
  }
  return colours
}

function interlacedRows(height: number): number[] {
  const rows: number[] = []
  for (const [first, step] of PASSES) for (let row = first; row < height; row += step) rows.push(row)
  return rows
}

/** The caller overwrites the pixels. @throws whatever sharp throws. */
export async function webpPixels(file: Buffer, frame: WebpFrame, isLenient: boolean): Promise<FramePixels> {
  const chunks = frame.data.map(([from, to]) => file.subarray(from, to))
  const extended = frame.hasAlphaChunk ? [extendedHeader(frame)] : []
  const padded = chunks.flatMap((chunk) => [chunk, PADDING.subarray(0, chunk.length & 1)])
  const still = Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP'), ...extended, ...padded])
  still.writeUInt32LE(still.length - 8, 4)
  return await decoded(still, frame, isLenient)
}

/** A chunk of odd length is followed by one byte. */
const PADDING = Buffer.alloc(1)
const HAS_ALPHA = 0x10

function extendedHeader({ width, height }: FrameHeader): Buffer {
  const header = Buffer.from('VP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0', 'latin1')
  header.writeUInt8(HAS_ALPHA, 8)
  header.writeUIntLE(width - 1, 12, 3)
  header.writeUIntLE(height - 1, 15, 3)
  return header
}

/** The caller overwrites the pixels. @throws whatever sharp throws. */
export async function pngPixels(
  file: Buffer,
  animation: PngAnimation,
  frame: FrameHeader,
  isLenient: boolean,
): Promise<FramePixels> {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(frame.width)
  header.writeUInt32BE(frame.height, 4)
  header.set([animation.bitDepth, animation.colourType, 0, 0, animation.isInterlaced ? 1 : 0], 8)
  const palette = animation.palette.map(([from, to]) => file.subarray(from, to))
  const pixels = joined(file, frame.data)
  const chunk = pngChunk('IDAT', pixels)
  const parts = [PNG_SIGNATURE, pngChunk('IHDR', header), ...palette, chunk, pngChunk('IEND', Buffer.alloc(0))]
  const still = Buffer.concat(parts)
  pixels.fill(0)
  chunk.fill(0)
  return await decoded(still, frame, isLenient)
}

/** Joins ranges of the file. There may be a million, so it creates no object for each. */
function joined(file: Buffer, ranges: readonly ByteRange[]): Buffer {
  const bytes = Buffer.alloc(ranges.reduce((sum, [from, to]) => sum + to - from, 0))
  let at = 0
  for (const [from, to] of ranges) at += file.copy(bytes, at, from, to)
  return bytes
}

export const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

export function pngChunk(type: string, content: Uint8Array): Buffer {
  const chunk = Buffer.alloc(12 + content.length)
  chunk.writeUInt32BE(content.length)
  chunk.write(type, 4, 'latin1')
  chunk.set(content, 8)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + content.length)), 8 + content.length)
  return chunk
}

/** Decodes a still picture and overwrites its file. */
async function decoded(still: Buffer, { width, height }: FrameHeader, isLenient: boolean): Promise<FramePixels> {
  try {
    const { data, info } = await sharp(still, { failOn: isLenient ? 'none' : 'error', limitInputPixels: MAX_PIXELS })
      .ensureAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    if (info.width !== width || info.height !== height || info.channels !== 4) {
      data.fill(0)
      throw new Error('a frame has the size that its header says')
    }
    return { data, width, height, isDamaged: false }
  } finally {
    still.fill(0)
  }
}

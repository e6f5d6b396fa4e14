// Reads the frames of an animated WebP.

import { shownMs } from '../../../../packages/hash/src/file-frames.js'
import { type Animation, type ByteRange, type FrameHeader, MAX_LISTED_FRAMES } from './animation.js'

export interface WebpFrame extends FrameHeader {
  /** Whether an ALPH chunk comes before the pixels. */
  readonly hasAlphaChunk: boolean
}

export interface WebpAnimation extends Animation<WebpFrame> {
  readonly profile: ByteRange | undefined
  readonly exif: ByteRange | undefined
}

const IS_ANIMATED = 0x02
const FRAME_HEADER_BYTES = 16

/** @returns `undefined` for a still picture. */
export function webpAnimation(file: Buffer): WebpAnimation | undefined {
  if (file.length < 30 || file.toString('latin1', 12, 16) !== 'VP8X') return undefined
  if ((file.readUInt8(20) & IS_ANIMATED) === 0) return undefined
  const frames: WebpFrame[] = []
  let profile: ByteRange | undefined
  let exif: ByteRange | undefined
  const end = Math.min(file.length, 8 + file.readUInt32LE(4))
  for (const { type, range, isWhole } of chunksIn(file, 12, end)) {
    if (type === 'ANMF') {
      const frame = frameIn(file, range, isWhole)
      if (frame !== undefined) frames.push(frame)
      if (frames.length >= MAX_LISTED_FRAMES) break
    } else if (type === 'ICCP' && isWhole) profile ??= range
    else if (type === 'EXIF' && isWhole) exif ??= range
  }
  return { width: file.readUIntLE(24, 3) + 1, height: file.readUIntLE(27, 3) + 1, frames, profile, exif }
}

interface Chunk {
  readonly type: string
  /** Its content. */
  readonly range: ByteRange
  readonly isWhole: boolean
}

/** Each chunk takes 8 bytes or more, so their number is bounded by the file's length. */
function* chunksIn(file: Buffer, from: number, end: number): Iterable<Chunk> {
  for (let at = from; at + 8 <= end; ) {
    const length = file.readUInt32LE(at + 4)
    const to = at + 8 + length
    yield { type: file.toString('latin1', at, at + 4), range: [at + 8, Math.min(to, end)], isWhole: to <= end }
    at = to + (length & 1)
  }
}

function frameIn(file: Buffer, [from, to]: ByteRange, isWhole: boolean): WebpFrame | undefined {
  if (to - from < FRAME_HEADER_BYTES) return undefined
  const flags = file.readUInt8(from + 15)
  const data: ByteRange[] = []
  let hasAlphaChunk = false
  let isOpaque = false
  for (const { type, range } of chunksIn(file, from + FRAME_HEADER_BYTES, to)) {
    if (type === 'ALPH' && data.length === 0) hasAlphaChunk = true
    else if (type === 'VP8L') isOpaque = range[1] - range[0] >= 5 && (file.readUInt8(range[0] + 4) & 0x10) === 0
    else if (type === 'VP8 ') isOpaque = !hasAlphaChunk
    else continue
    data.push([range[0] - 8, range[1]])
    if (type !== 'ALPH') break
  }
  return {
    left: 2 * file.readUIntLE(from, 3),
    top: 2 * file.readUIntLE(from + 3, 3),
    width: file.readUIntLE(from + 6, 3) + 1,
    height: file.readUIntLE(from + 9, 3) + 1,
    durationMs: shownMs(file.readUIntLE(from + 12, 3)),
    isSource: (flags & 2) !== 0,
    disposal: (flags & 1) === 0 ? 'keep' : 'clear',
    isOpaque,
    isWhole,
    hasAlphaChunk,
    data,
  }
}

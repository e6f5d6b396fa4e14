// What the structure of a file says before it is decoded: whether it is animated, and its orientation.

import { jxlCodestream, jxlHeader } from '../../src/domain/media/jxl-header.js'
import type { MediaFormat } from '../../src/domain/media/media-formats.js'

/** Whether files of the format may have several frames. */
export function mayBeAnimated(format: MediaFormat): boolean {
  return HAS_FRAMES[format] !== undefined
}

/**
 * @param bytes of the whole file.
 * @returns whether it has several frames. A broken file counts as a still picture.
 */
export function isAnimated(bytes: Uint8Array, format: MediaFormat): boolean {
  return HAS_FRAMES[format]?.(bytes) === true
}

/** Whether a file has several frames, by format. `undefined`: only one frame of this format is hashed. */
const HAS_FRAMES: Readonly<Record<MediaFormat, ((bytes: Uint8Array) => boolean) | undefined>> = {
  jpeg: undefined,
  png: hasAnimationControl,
  webp: (bytes) => textAt(bytes, 12, 4) === 'VP8X' && ((bytes[20] ?? 0) & HAS_ANIMATION) !== 0,
  gif: (bytes) => framesOfGif(bytes) > 1,
  avif: (bytes) => textAt(bytes, 8, 4) === 'avis',
  tiff: undefined,
  heif: undefined,
  bmp: undefined,
  jxl: isAnimatedJxl,
}

function isAnimatedJxl(bytes: Uint8Array): boolean {
  try {
    return jxlHeader(jxlCodestream(bytes, JXL_HEADER_BYTES)).isAnimation
  } catch {
    return false
  }
}

/** Within these bytes, a JPEG XL says whether it is animated. */
const JXL_HEADER_BYTES = 4096

const HAS_ANIMATION = 2

/** The chunk must come before the pixels of a PNG; otherwise browsers ignore it. */
function hasAnimationControl(bytes: Uint8Array): boolean {
  const view = viewOf(bytes)
  for (let at = 8; at + 8 <= bytes.length; at += 12 + view.getUint32(at)) {
    const name = textAt(bytes, at + 4, 4)
    if (name === 'acTL' || name === 'IDAT') return name === 'acTL'
  }
  return false
}

const IMAGE = 0x2c
const EXTENSION = 0x21

/** @returns 2 for two and more. */
function framesOfGif(bytes: Uint8Array): number {
  const byte = (at: number) => bytes[at] ?? 0
  const tableBytes = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)
  const afterBlocks = (at: number): number => {
    let next = at
    while (byte(next) !== 0) next += 1 + byte(next)
    return next + 1
  }
  let frames = 0
  for (let at = 13 + tableBytes(byte(10)); at < bytes.length && frames < 2; ) {
    if (byte(at) === IMAGE) {
      frames++
      at = afterBlocks(at + 11 + tableBytes(byte(at + 9)))
    } else if (byte(at) === EXTENSION) at = afterBlocks(at + 2)
    else break
  }
  return frames
}

/**
 * Browsers do not turn a WebP by its EXIF; the service and many programs do.
 * @returns the orientation, 1…8; 1 where there is none.
 */
export function orientationOfWebp(bytes: Uint8Array): number {
  const view = viewOf(bytes)
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true)
    if (textAt(bytes, at, 4) === 'EXIF') return orientationIn(bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length + (length & 1)
  }
  return 1
}

const ORIENTATION = 0x112
const SHORT = 3

function orientationIn(exif: Uint8Array): number {
  const tiff = textAt(exif, 0, 4) === 'Exif' ? exif.subarray(6) : exif
  const view = viewOf(tiff)
  if (tiff.length < 10) return 1
  const isLittle = textAt(tiff, 0, 2) === 'II'
  const directory = view.getUint32(4, isLittle)
  if (directory + 2 > tiff.length) return 1
  const entries = view.getUint16(directory, isLittle)
  for (let entry = directory + 2; entry < directory + 2 + 12 * entries && entry + 12 <= tiff.length; entry += 12) {
    if (view.getUint16(entry, isLittle) !== ORIENTATION || view.getUint16(entry + 2, isLittle) !== SHORT) continue
    const orientation = view.getUint16(entry + 8, isLittle)
    return orientation >= 1 && orientation <= 8 ? orientation : 1
  }
  return 1
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length)
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}

// What the structure of a file says before it is decoded: whether it is animated, how long its frames are shown, and its orientation.

import { shownMs } from '../../packages/hash/src/file-frames.js'
import { type Box, boxesIn, childrenOf, TooManyBoxes } from '../../src/domain/media/heif/heif-boxes.js'
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
  let frames = 0
  for (let at = 13 + gifPaletteBytes(byte(10)); at < bytes.length && frames < 2; ) {
    if (byte(at) === IMAGE) {
      frames++
      at = endOfGifBlocks(bytes, at + 11 + gifPaletteBytes(byte(at + 9)))
    } else if (byte(at) === EXTENSION) at = endOfGifBlocks(bytes, at + 2)
    else break
  }
  return frames
}

/** @param flags of the file's header or of a frame. @returns the length of the palette after it. */
function gifPaletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0
}

/** @returns where a list of blocks ends. Each block follows its length; an empty one ends the list. */
function endOfGifBlocks(bytes: Uint8Array, at: number): number {
  let next = at
  for (let length = bytes[next] ?? 0; length !== 0; length = bytes[next] ?? 0) next += 1 + length
  return next + 1
}

/**
 * @param bytes of the whole file.
 * @returns how long browsers show each frame, in the order in which they are shown. Ends where the file does not go on as its format requires.
 */
export function* declaredDurations(bytes: Uint8Array, format: MediaFormat): Generator<number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  try {
    for (const durationMs of DURATIONS[format]?.(view, bytes) ?? []) yield shownMs(durationMs)
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TooManyBoxes)) throw error // the file ends here
  }
}

type Durations = (view: DataView, bytes: Uint8Array) => Iterable<number>

const DURATIONS: Readonly<Partial<Record<MediaFormat, Durations>>> = {
  png: pngDurations,
  webp: webpDurations,
  gif: gifDurations,
  avif: avifDurations,
}

function* pngDurations(view: DataView): Generator<number> {
  for (let at = 8; at + 8 <= view.byteLength; at += 12 + view.getUint32(at))
    if (view.getUint32(at + 4) === FRAME_CONTROL)
      yield (1000 * view.getUint16(at + 28)) / (view.getUint16(at + 30) || DEFAULT_DENOMINATOR)
}

/** `fcTL` */
const FRAME_CONTROL = 0x6663544c
const DEFAULT_DENOMINATOR = 100

function* webpDurations(view: DataView): Generator<number> {
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const length = view.getUint32(at + 4, true)
    if (view.getUint32(at) === ANIMATION_FRAME) yield view.getUint32(at + 20, true) & 0xffffff
    at += 8 + length + (length & 1)
  }
}

/** `ANMF` */
const ANIMATION_FRAME = 0x414e4d46

function* gifDurations(view: DataView, bytes: Uint8Array): Generator<number> {
  let durationMs = 0
  for (let at = 13 + gifPaletteBytes(view.getUint8(10)); at < bytes.length; ) {
    const kind = view.getUint8(at)
    if (kind === IMAGE) {
      yield durationMs
      durationMs = 0
      at = endOfGifBlocks(bytes, at + 11 + gifPaletteBytes(view.getUint8(at + 9)))
    } else if (kind === EXTENSION) {
      if (view.getUint8(at + 1) === GRAPHIC_CONTROL) durationMs = 10 * view.getUint16(at + 4, true)
      at = endOfGifBlocks(bytes, at + 2)
    } else return
  }
}

const GRAPHIC_CONTROL = 0xf9

/** Of the first track of pictures. */
function* avifDurations(view: DataView, bytes: Uint8Array): Generator<number> {
  const within = (boxes: readonly Box[], name: string) => childrenOf(bytes, boxes, name)
  for (const track of within(boxesIn(bytes, 0, bytes.length), 'moov')) {
    const media = within([track], 'trak').filter(({ type }) => type === 'mdia')
    const parts = within(media, 'mdia')
    const handler = parts.find(({ type }) => type === 'hdlr')
    const header = parts.find(({ type }) => type === 'mdhd')
    const table = within(within(parts, 'minf'), 'stbl').find(({ type }) => type === 'stts')
    if (handler === undefined || header === undefined || table === undefined) continue
    if (!PICTURES.includes(view.getUint32(handler.from + 8))) continue
    const perSecond = view.getUint32(header.from + (view.getUint8(header.from) === 1 ? 20 : 12)) || 1000
    for (let at = table.from + 8; at + 8 <= table.to; at += 8)
      for (let frame = 0; frame < view.getUint32(at); frame++) yield (1000 * view.getUint32(at + 4)) / perSecond
    return
  }
}

/** `pict` and `vide` */
const PICTURES = [0x70696374, 0x76696465]

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

// Finds where the image in a file ends. No viewer shows the bytes after it, so appended bytes must not make a query fail.

import { type ByteReader, createByteReader } from './byte-reader.js'
import { END_OF_IMAGE, jpegMarkers, START_OF_SCAN } from './jpeg-markers.js'
import { FORMAT_BYTES, formatOf, type MediaFormat } from './media-formats.js'
import { tiffEnd } from './tiff-end.js'

/** Maximum bytes that are read. A photograph of 20 MB takes 200,000 to 300,000. */
const MAX_READS = 600_000

/**
 * Finds the length of the image. The first bytes decide its format, as in viewers, whatever else the file contains.
 *
 * @param pieces the file, or its beginning, in the pieces in which it arrived.
 * @returns the number of bytes up to the end of the image, including its metadata. `undefined` if that is unknown, or more than was given. Never
 *   throws.
 * Cost: at most `MAX_READS` reads.
 */
export function imageEnd(pieces: readonly Uint8Array[]): number | undefined {
  const file = createByteReader(pieces, MAX_READS)
  const format = formatOf(file.head(FORMAT_BYTES))
  if (format === undefined) return undefined
  try {
    const end = ENDS[format](file)
    return end !== undefined && end <= file.length ? end : undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined // the file ends within the image
    throw error
  }
}

const ENDS: Readonly<Record<MediaFormat, (file: ByteReader) => number | undefined>> = {
  jpeg: jpegEnd,
  png: pngEnd,
  gif: gifEnd,
  webp: (file) => 8 + file.u32(4, true),
  tiff: tiffEnd,
  avif: boxesEnd,
  heif: boxesEnd,
  bmp: bmpEnd,
  jxl: (file) => (file.u8(0) === 0 ? boxesEnd(file) : fillerEnd(file)), // the bare codestream says its length nowhere
}

/** This many equal bytes at the end of a file are filler: compressed pixels do not repeat like that. */
const FILLER_BYTES = 1 << 16

/** A JPEG without a marker for its end: if the file ends in filler, the image takes all of it; otherwise its end is unknown. */
function jpegEnd(file: ByteReader): number | undefined {
  let hasScan = false
  for (const { code, at } of jpegMarkers(file)) {
    if (code === END_OF_IMAGE) return at + 2
    hasScan ||= code === START_OF_SCAN
  }
  return hasScan ? fillerEnd(file) : undefined
}

/** @returns the length of the file if it ends in filler, which then counts as part of the image; otherwise `undefined`. */
function fillerEnd(file: ByteReader): number | undefined {
  const fillerAt = file.length - FILLER_BYTES
  const filler = file.u8(fillerAt)
  for (let at = fillerAt; at < file.length; at++) if (file.u8(at) !== filler) return undefined
  return file.length
}

const PIXEL_CHUNKS = ['IDAT', 'fdAT']

/** Viewers show the pixels before the first bytes that are not a chunk, and before a chunk without pixels that is longer than the file. */
function pngEnd(file: ByteReader): number | undefined {
  let hasPixels = false
  for (let at = 8; ; ) {
    const type = file.text(at + 4, 4)
    const end = at + 12 + file.u32(at)
    if (!/^[A-Za-z]{4}$/.test(type)) return hasPixels ? at : undefined
    if (end > file.length) return hasPixels && !PIXEL_CHUNKS.includes(type) ? at : undefined
    if (type === 'IEND') return end
    hasPixels ||= PIXEL_CHUNKS.includes(type)
    at = end
  }
}

const EXTENSION = 0x21
const FRAME = 0x2c
const TRAILER = 0x3b

/** Viewers show the frames before the first bytes that are not a block, and before an extension that is longer than the file. */
function gifEnd(file: ByteReader): number | undefined {
  let at = 13 + paletteBytes(file.u8(10))
  for (let hasFrame = false; ; ) {
    const kind = file.u8(at)
    if (kind === TRAILER) return at + 1
    if (kind === FRAME) {
      at = afterBlocks(file, at + 11 + paletteBytes(file.u8(at + 9)))
      hasFrame = true
      continue
    }
    const next = kind === EXTENSION ? afterBlocks(file, at + 2) : Number.POSITIVE_INFINITY
    if (next > file.length) return hasFrame ? at : undefined
    at = next
  }
}

const paletteBytes = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1))

/** @returns where the sub-blocks end; infinity if the file ends within them. */
function afterBlocks(file: ByteReader, at: number): number {
  for (;;) {
    if (at >= file.length) return Number.POSITIVE_INFINITY
    const length = file.u8(at)
    at += 1 + length
    if (length === 0) return at
  }
}

/** No real picture has more boxes. */
const MAX_BOXES = 4096
/** Boxes with pixels. */
const PIXEL_BOXES = ['mdat', 'mini', 'jxlc', 'jxlp']
/** Also boxes that say where pixels are. If one of these is cut off, so is the image. */
const IMAGE_BOXES = [...PIXEL_BOXES, 'ftyp', 'meta', 'moov', 'moof']
/** Boxes for padding. */
const PADDING_BOXES = ['free', 'skip', 'wide']

/** The image ends with the last box that is not padding. */
function boxesEnd(file: ByteReader): number | undefined {
  let hasPixels = false
  let end: number | undefined
  for (let at = 0, count = 0; at + 8 <= file.length; count++) {
    if (count >= MAX_BOXES) return undefined
    const type = file.text(at + 4, 4)
    const short = file.u32(at)
    const size = short === 1 ? file.u32(at + 8) * 2 ** 32 + file.u32(at + 12) : short
    const isWhole = size >= 8 && at + size <= file.length
    if (!isWhole && IMAGE_BOXES.includes(type)) return undefined
    if (!isWhole || !/^[ -~]{4}$/.test(type)) break
    at += size
    hasPixels ||= PIXEL_BOXES.includes(type)
    if (!PADDING_BOXES.includes(type)) end = at
  }
  return hasPixels ? end : undefined
}

/** Many files have a wrong size in their header, so it is computed from width, height and bits. */
function bmpEnd(file: ByteReader): number | undefined {
  const headerBytes = file.u32(14, true)
  if (headerBytes === 12) {
    const [width, height] = [file.u16(18, true), file.u16(20, true)]
    return bmpRowsEnd(file, { width, height, bits: file.u16(24, true) })
  }
  const height = file.u32(22, true) | 0 // negative when rows are stored from top to bottom
  const isCoded = [1, 2, 4, 5].includes(file.u32(30, true))
  if (isCoded) return file.u32(10, true) + file.u32(34, true)
  return bmpRowsEnd(file, { width: file.u32(18, true), height: Math.abs(height), bits: file.u16(28, true) })
}

interface BmpRows {
  readonly width: number
  readonly height: number
  readonly bits: number
}

function bmpRowsEnd(file: ByteReader, { width, height, bits }: BmpRows): number {
  return file.u32(10, true) + 4 * Math.ceil((width * bits) / 32) * height
}

// Estimates the cost of decoding a picture by its header, before anything is decoded: a small file may cost seconds and a gigabyte.

import { MAX_CHOSEN_FRAMES } from '../../../packages/hash/src/file-frames.js'
import { isLong } from '../../../packages/hash/src/windows.js'
import { NS_PER_AV1_BYTE } from './animations/avif.js'
import { animationCost } from './animations/costs.js'
import { createByteReader } from './byte-reader.js'
import {
  MAX_DECODING_MB,
  MAX_DECODING_MS,
  MAX_JPEG_PIXELS,
  MAX_PROGRESSIVE_JPEG_PIXELS,
  MAX_WHOLE_PIXELS,
} from './decoding-limits.js'
import { av1Frames } from './heif/av1-items.js'
import { TooManyBoxes } from './heif/heif-boxes.js'
import { fileFormatOf, type HeifPixels, heifPixels } from './heif/heif-pixels.js'
import { hevcFrames } from './heif/hevc-items.js'
import { usualHeif } from './heif/usual-heif.js'
import { jpegMarkers, START_OF_SCAN } from './jpeg-markers.js'
import { jxlFrames } from './jxl-frames.js'
import { jxlCodestream, jxlHeader } from './jxl-header.js'
import type { MediaFormat } from './media-formats.js'

export interface PictureCost {
  /** Time on one core of a processor of 2022. Measured by `npm run bench decoding`, rounded up. */
  readonly timeMs: number
  readonly memoryMb: number
  /**
   * Additional time for the windows of a long picture, which is decoded a second time. No picture is refused for it: if it costs too much, it gets
   * none.
   */
  readonly windowsMs?: number
  /** Set if it has more pixels than its format allows, whatever they cost. */
  readonly isTooLarge?: true
}

/**
 * Limits by size of the file: any file may cost `FREE_MS` and `FREE_MB`, and more for each kilobyte. That suffices for 12 megapixels of AVIF, and for
 * all real pictures. No file of less than 60 kB may cost more than 1.5 s or 500 MB.
 */
const FREE_MS = 500
const MS_PER_KB = 15
const FREE_MB = 250
const MB_PER_KB = 4
/** Cost of a file whose header is missing or cannot be read. Decoding refuses such a file, or takes about this much. */
export const UNKNOWN_COST: PictureCost = { timeMs: 100, memoryMb: 0 }
/** Fixed cost of a picture, for reading and hashing. */
const BASE_MS = 50
/** Cost of a file with too many boxes to count. Finite, because callers add costs up. */
const ENDLESS: PictureCost = { timeMs: 2 * (BASE_MS + MAX_DECODING_MS), memoryMb: 0 }
/** Time to find photographs in a long picture, and to hash 120 windows. */
const WINDOWS_MS = 400

/** @returns whether a picture costs more than a file of this size may. */
export function isTooCostly({ timeMs, memoryMb, isTooLarge }: PictureCost, sizeBytes: number): boolean {
  const allowedMs = Math.min(MAX_DECODING_MS, FREE_MS + (MS_PER_KB * sizeBytes) / 1000)
  return isTooLarge === true || timeMs - BASE_MS > allowedMs || memoryMb > allowedMemoryMb(sizeBytes)
}

/** @returns how much memory a file of this size may cost. */
export function allowedMemoryMb(sizeBytes: number): number {
  return Math.min(MAX_DECODING_MB, FREE_MB + (MB_PER_KB * sizeBytes) / 1000)
}

/**
 * @param head the file, or its beginning; what is declared after it is not counted. @param sizeBytes of the whole file.
 * Never throws. Cost: reads each byte a few times at most.
 */
export function pictureCost(head: Buffer, sizeBytes = head.length): PictureCost {
  const usual = usualHeif(head)
  const cost = costOf(usual ?? head, sizeBytes)
  usual?.fill(0)
  return cost
}

function costOf(head: Buffer, sizeBytes: number): PictureCost {
  try {
    const format = fileFormatOf(head)
    const found = format === undefined ? undefined : LAYOUTS[format]?.(head, sizeBytes)
    if (format === undefined || found === undefined) return UNKNOWN_COST
    const { pixels, nsPerPixel, bytesPerPixel, codedMs = 0, maxPixels = pixels, aspect = 1 } = found
    const animation = animationCost(head, format)
    const timeMs = Math.max((pixels * nsPerPixel) / 1e6 + codedMs, animation.timeMs)
    return {
      timeMs: BASE_MS + timeMs,
      ...(isLong(aspect) && { windowsMs: WINDOWS_MS + timeMs }),
      memoryMb: Math.max((pixels * bytesPerPixel) / 1e6, animation.memoryMb),
      ...(pixels > maxPixels && { isTooLarge: true }),
    }
  } catch (error) {
    return error instanceof TooManyBoxes ? ENDLESS : UNKNOWN_COST // a RangeError: the file ends within its header
  }
}

interface Layout {
  readonly pixels: number
  readonly nsPerPixel: number
  readonly bytesPerPixel: number
  /** Time for the coded data, besides that for its pixels. */
  readonly codedMs?: number
  readonly maxPixels?: number
  /** Width over height, where the header has both. */
  readonly aspect?: number
}

/** How the header of each format is read; `undefined` for formats that are refused before they cost anything. */
const LAYOUTS: Readonly<Record<MediaFormat, ((head: Buffer, sizeBytes: number) => Layout | undefined) | undefined>> = {
  jpeg: jpegLayout,
  png: pngLayout,
  gif: (head) => sized(head.readUInt16LE(6), head.readUInt16LE(8), 10, 8),
  webp: webpLayout,
  tiff: tiffLayout,
  avif: heifLayout,
  heif: hevcLayout,
  bmp: bmpLayout,
  jxl: jxlLayout,
}

function plain(pixels: number, nsPerPixel: number, bytesPerPixel: number): Layout {
  return { pixels, nsPerPixel, bytesPerPixel }
}

function sized(width: number, height: number, nsPerPixel: number, bytesPerPixel: number): Layout {
  return { ...plain(width * height, nsPerPixel, bytesPerPixel), aspect: width / height }
}

/** For an interlaced picture the decoder holds all of it, because no row is complete before the end. */
function pngLayout(head: Buffer): Layout {
  const [width, height] = [head.readUInt32BE(16), head.readUInt32BE(20)]
  const bytes = (head.readUInt8(24) > 8 ? 2 : 1) * (PNG_CHANNELS.get(head.readUInt8(25)) ?? 4)
  const isInterlaced = head.readUInt8(28) !== 0
  return isInterlaced ? sized(width, height, 7 * bytes, 2 * bytes) : sized(width, height, 3 * bytes, Math.max(1, bytes / 3))
}
const PNG_CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [3, 3],
  [4, 2],
  [6, 4],
])

/** A header of 12 bytes has sides of 16 bits. A negative height means that the first row is the top one. */
function bmpLayout(head: Buffer): Layout {
  const isShort = head.readUInt32LE(14) === 12
  const width = isShort ? head.readUInt16LE(18) : head.readInt32LE(18)
  const height = isShort ? head.readUInt16LE(20) : head.readInt32LE(22)
  return sized(Math.abs(width), Math.abs(height), 30, 5)
}

const PROGRESSIVE = [0xc2, 0xc6, 0xca, 0xce]
/** Arithmetic coding takes several times as long as Huffman coding. */
const isArithmetic = (code: number) => code >= 0xc9
/** SOF markers. DHT, JPG and DAC are in the same range. */
const isFrame = (code: number) => code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code)

/**
 * A file in one scan is reduced while it is read. For any other, the decoder keeps all coefficients, and each scan takes time for the whole picture,
 * however little it contains.
 */
function jpegLayout(head: Buffer): Layout | undefined {
  let frame: { readonly code: number; readonly at: number } | undefined
  let isHeld = false
  let scans = 0
  for (const { code, at } of jpegMarkers(createByteReader([head]))) {
    if (isFrame(code)) frame ??= { code, at }
    if (code !== START_OF_SCAN) continue
    if (frame === undefined) return undefined
    scans++
    isHeld ||= PROGRESSIVE.includes(frame.code) || head.readUInt8(at + 4) < head.readUInt8(frame.at + 9)
    if (!isHeld) break
  }
  if (frame === undefined) return undefined
  const { code, at } = frame
  const [height, width] = [head.readUInt16BE(at + 5), head.readUInt16BE(at + 7)]
  const nsOfScan = isArithmetic(code) ? 15 : 2
  if (!isHeld && !PROGRESSIVE.includes(code)) return { ...sized(width, height, nsOfScan, 0.5), maxPixels: MAX_JPEG_PIXELS }
  const ns = 5 + nsOfScan * scans
  return { ...sized(width, height, ns, 2 * samplesPerPixel(head, at + 9)), maxPixels: MAX_PROGRESSIVE_JPEG_PIXELS }
}

/** @returns samples of all components for each pixel. Colour components often have fewer samples than there are pixels. */
function samplesPerPixel(head: Buffer, at: number): number {
  const factors = Array.from({ length: head.readUInt8(at) }, (_, i) => head.readUInt8(at + 2 + 3 * i))
  const largest = Math.max(...factors.map((each) => each >> 4)) * Math.max(...factors.map((each) => each & 15))
  return factors.reduce((sum, each) => sum + (each >> 4) * (each & 15), 0) / Math.max(1, largest)
}

function webpLayout(head: Buffer): Layout {
  const kind = head.toString('latin1', 12, 16)
  if (kind === 'VP8L') {
    const bits = head.readUInt32LE(21)
    return webpOf((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1, 20, 6)
  }
  if (kind === 'VP8 ') return webpOf(head.readUInt16LE(26) & 0x3fff, head.readUInt16LE(28) & 0x3fff, 20, 1)
  return webpOf(head.readUIntLE(24, 3) + 1, head.readUIntLE(27, 3) + 1, 25, 8)
}

/** Up to `MAX_WHOLE_PIXELS` it is decoded at full size, which takes 9 bytes a pixel, and 12 with transparency. */
function webpOf(width: number, height: number, ns: number, bytes: number): Layout {
  return width * height > MAX_WHOLE_PIXELS
    ? sized(width, height, ns, bytes)
    : sized(width, height, ns + 5, bytes < 8 ? 9 : 12)
}

const WIDTH = 256
const HEIGHT = 257
const BITS = 258
const SAMPLES = 277

const SHORT = 3
const LONG8 = 16

/**
 * Reads the first picture of the file. Pixels with more samples, or more bits in each, cost in proportion. If a field appears twice, the first one
 * counts, as for the decoder.
 */
function tiffLayout(head: Buffer): Layout | undefined {
  const order = head.toString('latin1', 0, 2)
  if (order !== 'II' && order !== 'MM') return undefined
  const short = (at: number) => (order === 'II' ? head.readUInt16LE(at) : head.readUInt16BE(at))
  const long = (at: number) => (order === 'II' ? head.readUInt32LE(at) : head.readUInt32BE(at))
  const long8 = (at: number) => Number(order === 'II' ? head.readBigUInt64LE(at) : head.readBigUInt64BE(at))
  const isBig = short(2) === 43
  const { word, wordBytes, entryBytes } = isBig
    ? { word: long8, wordBytes: 8, entryBytes: 20 }
    : { word: long, wordBytes: 4, entryBytes: 12 }
  const directoryAt = word(wordBytes)
  const entries = isBig ? long8(directoryAt) : short(directoryAt)
  const values = new Map<number, number>()
  for (let i = 0; i < entries; i++) {
    const at = directoryAt + (isBig ? 8 : 2) + entryBytes * i
    const isOne = word(at + 4) === 1
    if (values.has(short(at)) || (!isOne && short(at) !== BITS)) continue
    const type = short(at + 2)
    const inlineAt = at + 4 + wordBytes
    const valueAt = type === LONG8 && !isBig ? long(inlineAt) : inlineAt
    const value = () => (type === SHORT ? short(valueAt) : type === LONG8 ? long8(valueAt) : long(valueAt))
    values.set(short(at), isOne ? value() : 8)
  }
  const bytes = ((values.get(SAMPLES) ?? 1) * (values.get(BITS) ?? 8)) / 8
  return sized(values.get(WIDTH) ?? 0, values.get(HEIGHT) ?? 0, 4 * Math.max(1, bytes), 2 * bytes)
}

/** Coded data takes more time than pixels if a picture is noise: 40 ns a pixel and 130 ns a byte were measured. */
function heifLayout(head: Buffer, sizeBytes: number): Layout | undefined {
  const found = heifPixels(head, sizeBytes)
  if (found === undefined) return undefined
  const factor = (found.hasAlpha ? 1.5 : 1) * (found.isDeep ? 2 : 1)
  return decodedLayout(found, 40 * factor * decodedFrames(head, av1Frames), 20 * factor, found.codedBytes * NS_PER_AV1_BYTE)
}

/** @returns how many frames have to be decoded for the shown one, at least 1. */
function decodedFrames(head: Buffer, framesOf: (file: Buffer) => { readonly decoded: number }): number {
  try {
    return Math.max(1, framesOf(head).decoded)
  } catch (error) {
    if (error instanceof RangeError) return 1 // the file ends within its header
    throw error
  }
}

/** libheif in WebAssembly, 12 megapixels: 20 to 30 ns a pixel if flat; besides 200 ns a byte, and less for the bytes that only noise needs. */
function hevcLayout(head: Buffer, sizeBytes: number): Layout | undefined {
  const found = heifPixels(head, sizeBytes)
  if (found === undefined) return undefined
  const { largest, codedBytes, hasAlpha, isDeep } = found
  const first = Math.min(codedBytes, HEVC_BYTES_PER_PIXEL * largest)
  return decodedLayout(
    found,
    45 * decodedFrames(head, hevcFrames) * (hasAlpha ? 1.5 : 1) * (isDeep ? 1.3 : 1),
    10 * (hasAlpha ? 1.7 : 1) * (isDeep ? 1.4 : 1),
    200 * first + 60 * (codedBytes - first),
  )
}
/** Up to so many for a photograph at high quality. */
const HEVC_BYTES_PER_PIXEL = 0.6

function decodedLayout({ largest, decoded }: HeifPixels, ns: number, bytes: number, codedNs: number): Layout {
  return { ...plain(largest, ns * Math.max(1, decoded / Math.max(1, largest)), bytes), codedMs: codedNs / 1e6 }
}

/**
 * For each pixel, decoding takes 25 ns a channel, and about half of that for each further layer or reference. Writing PNG takes 35 ns a channel if
 * the picture is flat and 85 ns if it is not, by the size of the file. One that describes a detailed picture by a formula may cost twice as much.
 */
function jxlLayout(head: Buffer, sizeBytes: number): Layout {
  const codestream = jxlCodestream(head)
  const header = jxlHeader(codestream)
  const pixels = header.width * header.height
  const frames = jxlFrames(codestream, header)
  const channels = 3 + header.extraChannels
  const shown = header.isAnimation ? Math.min(MAX_CHOSEN_FRAMES, Math.max(1, frames.durations.length)) : 1
  const layers = Math.max(shown, frames.pixels / Math.max(1, pixels))
  const isDetailed = Math.min(1, sizeBytes / (JXL_DETAILED_BYTES_PER_PIXEL * pixels))
  const ns = channels * (25 + 12 * (layers - 1)) + Math.min(4, channels) * shown * (35 + 50 * isDetailed)
  return plain(pixels, ns, 12 * channels)
}
const JXL_DETAILED_BYTES_PER_PIXEL = 0.06

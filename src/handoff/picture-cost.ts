// What decoding a picture costs, told by its header before anything is decoded: a small file may declare what takes seconds and a gigabyte.

export interface PictureCost {
  /** Of one core, in some processor of 2022; measured by `npm run bench:decoding` and rounded up. */
  readonly timeMs: number
  readonly memoryMb: number
}

/** Pictures within it wait for each other; one beyond would hold up everybody, or be killed for its memory after it has cost that time. */
export const MAX_DECODING_MS = 4000
export const MAX_DECODING_MB = 1100
/** What every file may cost, and what each of its bytes adds: 12 megapixels of AVIF, and more of any picture that shows something. */
const FREE_MS = 500
const MS_PER_KB = 15
/** Where the header is not understood or not here: decoding refuses it or costs about so much. */
const UNKNOWN: PictureCost = { timeMs: 100, memoryMb: 0 }
/** Fixed cost of a picture: reading, hashing. */
const BASE_MS = 50

/** Has it more to decode than a file of this size can show? */
export function isTooCostly({ timeMs, memoryMb }: PictureCost, sizeBytes: number): boolean {
  const allowedMs = Math.min(MAX_DECODING_MS, FREE_MS + (MS_PER_KB * sizeBytes) / 1000)
  return timeMs - BASE_MS > allowedMs || memoryMb > MAX_DECODING_MB
}

/** @param head the file, or its beginning: what lies behind it is not counted. Never throws, reads each byte a few times at most. */
export function pictureCost(head: Buffer): PictureCost {
  try {
    const found = layoutOf(head)
    if (found === undefined) return UNKNOWN
    const { pixels, nsPerPixel, bytesPerPixel } = found
    return { timeMs: BASE_MS + (pixels * nsPerPixel) / 1e6, memoryMb: (pixels * bytesPerPixel) / 1e6 }
  } catch {
    return UNKNOWN // a RangeError: it ends within its header
  }
}

interface Layout {
  readonly pixels: number
  readonly nsPerPixel: number
  readonly bytesPerPixel: number
}

function layoutOf(head: Buffer): Layout | undefined {
  if (head.readUInt32BE(0) === 0x89504e47) return pngLayout(head)
  if (head.readUInt16BE(0) === 0xffd8) return jpegLayout(head)
  if (head.toString('latin1', 0, 3) === 'GIF') return plain(head.readUInt16LE(6) * head.readUInt16LE(8), 10, 8)
  if (head.toString('latin1', 8, 12) === 'WEBP') return webpLayout(head)
  if (head.toString('latin1', 4, 8) === 'ftyp') return heifLayout(head)
  return tiffLayout(head)
}

function plain(pixels: number, nsPerPixel: number, bytesPerPixel: number): Layout {
  return { pixels, nsPerPixel, bytesPerPixel }
}

/** Of an interlaced one no row is whole before the end. */
function pngLayout(head: Buffer): Layout {
  const pixels = head.readUInt32BE(16) * head.readUInt32BE(20)
  const bytes = (head.readUInt8(24) > 8 ? 2 : 1) * (PNG_CHANNELS.get(head.readUInt8(25)) ?? 4)
  return head.readUInt8(28) === 0 ? plain(pixels, 2 * bytes, 1) : plain(pixels, 7 * bytes, 2 * bytes)
}
const PNG_CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [3, 3],
  [4, 2],
  [6, 4],
])

const START_OF_SCAN = Buffer.from([0xff, 0xda])
const PROGRESSIVE = [0xc2, 0xc6, 0xca, 0xce]

/** Of a progressive one each scan goes over the whole picture, however little it says. */
function jpegLayout(head: Buffer): Layout | undefined {
  for (let at = 2; ; at += 2 + head.readUInt16BE(at + 2)) {
    while (head.readUInt8(at + 1) === 0xff) at++
    const marker = head.readUInt8(at + 1)
    if (head.readUInt8(at) !== 0xff || marker === 0xda) return undefined
    if (marker < 0xc0 || marker > 0xcf || [0xc4, 0xc8, 0xcc].includes(marker)) continue
    const pixels = head.readUInt16BE(at + 5) * head.readUInt16BE(at + 7)
    if (!PROGRESSIVE.includes(marker)) return plain(pixels, 5, 1)
    return plain(pixels, 5 + 2 * countOf(START_OF_SCAN, head), 2 * head.readUInt8(at + 9))
  }
}

/** More than this cost too much for any picture. */
const MOST_COUNTED = 10_000

function countOf(needle: Buffer, bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(needle); at >= 0 && count < MOST_COUNTED; at = bytes.indexOf(needle, at + needle.length))
    count++
  return count
}

function webpLayout(head: Buffer): Layout {
  const kind = head.toString('latin1', 12, 16)
  if (kind === 'VP8L') {
    const bits = head.readUInt32LE(21)
    return plain(((bits & 0x3fff) + 1) * (((bits >>> 14) & 0x3fff) + 1), 14, 6)
  }
  if (kind === 'VP8 ') return plain((head.readUInt16LE(26) & 0x3fff) * (head.readUInt16LE(28) & 0x3fff), 25, 4)
  return plain((head.readUIntLE(24, 3) + 1) * (head.readUIntLE(27, 3) + 1), 25, 8)
}

const WIDTH = 256
const HEIGHT = 257
const BITS = 258
const SAMPLES = 277

/** Of the first picture. A large number of samples, or of bits in each, is as much to read as more pixels. BigTIFF is read by its decoder alone. */
function tiffLayout(head: Buffer): Layout | undefined {
  const order = head.toString('latin1', 0, 2)
  if (order !== 'II' && order !== 'MM') return undefined
  const short = (at: number) => (order === 'II' ? head.readUInt16LE(at) : head.readUInt16BE(at))
  const long = (at: number) => (order === 'II' ? head.readUInt32LE(at) : head.readUInt32BE(at))
  const directoryAt = long(4)
  const values = new Map<number, number>()
  for (let i = 0; i < short(directoryAt); i++) {
    const at = directoryAt + 2 + 12 * i
    const isInline = long(at + 4) === 1
    if (isInline || short(at) === BITS)
      values.set(short(at), !isInline ? 8 : short(at + 2) === 3 ? short(at + 8) : long(at + 8))
  }
  const bytes = ((values.get(SAMPLES) ?? 1) * (values.get(BITS) ?? 8)) / 8
  return plain((values.get(WIDTH) ?? 0) * (values.get(HEIGHT) ?? 0), 4 * Math.max(1, bytes), 2 * bytes)
}

/** HEIF, of which AVIF is a kind: sizes, depths and kinds of items stand in boxes of its `meta`. */
function heifLayout(head: Buffer): Layout | undefined {
  const meta = boxesIn(head, 0, head.length).find(({ type }) => type === 'meta')
  if (meta === undefined) return undefined
  const parts = boxesIn(head, meta.from + 4, meta.to)
  const properties = parts
    .filter(({ type }) => type === 'iprp')
    .flatMap(({ from, to }) => boxesIn(head, from, to))
    .filter(({ type }) => type === 'ipco')
    .flatMap(({ from, to }) => boxesIn(head, from, to))
  const areas = properties
    .filter(({ type }) => type === 'ispe')
    .map(({ from }) => head.readUInt32BE(from + 4) * head.readUInt32BE(from + 8))
  const isDeep = properties.some(({ type, from }) => type === 'av1C' && (head.readUInt8(from + 2) & 0x40) !== 0)
  const hasAlpha = properties.some(({ type }) => type === 'auxC')
  // An overlay draws each of its pictures on the whole; as many as are referred to, at least once each.
  const references = parts.filter(({ type }) => type === 'iref').reduce((sum, { from, to }) => sum + (to - from), 0) / 2
  const kinds = parts.filter(({ type }) => type === 'iinf').map(({ from, to }) => head.toString('latin1', from, to))
  const draws = kinds.some((kind) => kind.includes('iovl')) ? Math.max(1, references) : 1
  const factor = (hasAlpha ? 1.5 : 1) * (isDeep ? 2 : 1)
  return plain(Math.max(0, ...areas), 40 * factor * draws, 20 * factor)
}

interface Box {
  readonly type: string
  readonly from: number
  readonly to: number
}

/** Of ordinary pictures a grid has some hundred. */
const MOST_BOXES = 4096

/** Those that are here whole or in part; of a box that lies about its size, nothing behind it. */
function boxesIn(head: Buffer, from: number, to: number): Box[] {
  const found: Box[] = []
  for (let at = from; at + 8 <= to && found.length < MOST_BOXES; ) {
    const size = head.readUInt32BE(at)
    const isLong = size === 1
    const length = isLong ? head.readUInt32BE(at + 8) * 2 ** 32 + head.readUInt32BE(at + 12) : size
    const end = size === 0 ? to : at + length
    if (end < at + (isLong ? 16 : 8)) break
    found.push({ type: head.toString('latin1', at + 4, at + 8), from: at + (isLong ? 16 : 8), to: Math.min(end, to) })
    at = end
  }
  return found
}

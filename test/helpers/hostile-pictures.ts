// Files that must be refused or survived: they lie about their format, size or completeness.
// All are cheap to make. `mark` is a text to put into the file, for tests that search for it afterwards.

import { crc32, deflateRawSync, constants as zlib } from 'node:zlib'
import sharp from 'sharp'
import { contentTypes, fromPixels, once, type Picture, paddedJpeg, scene, scenePixels } from './pictures.js'

export interface Marked {
  readonly mark?: string
}

const MIB = 1024 * 1024

/** A graphic control extension, and one black pixel with a colour table of its own. */
const GIF_DELAY = Buffer.from('21f9040001000000', 'hex')
const GIF_DOT = Buffer.from('2c000000000100010080000000ffffff0202440100', 'hex')

/** No decoder may turn these into pixels: other formats, whatever their name and content type, and broken files. */
export function unreadable(options: Marked = {}): Promise<Picture[]> {
  return Promise.all([
    emptyFile(),
    textNamedJpg(options),
    svg(options),
    pdf(options),
    html(options),
    ppm(options),
    truncatedJpeg(options),
    truncatedPng(options),
    wrongCrcPng(options),
    headerOnlyJpeg(),
    bombPng(options),
    ...hugeHeaders(options),
  ])
}

/** Valid pictures without structure: PDQ quality 0. */
export function tooPlain(options: Marked = {}): Promise<Picture[]> {
  return Promise.all([onePixel(options), flat(options), flatJpeg()])
}

/** A letter on a colour, as apps draw for accounts without a photograph. */
export async function letter(): Promise<Picture> {
  const [width, height] = [240, 240]
  const isInk = (x: number, y: number) => (x > 80 && x < 110 && y > 50 && y < 190) || (y > 50 && y < 80 && x > 80 && x < 170)
  const data = Buffer.alloc(3 * width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(isInk(x, y) ? [255, 255, 255] : [90, 40, 150], 3 * (y * width + x))
  }
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer()
  return { name: 'letter.jpg', contentType: contentTypes.jpeg, bytes }
}

export async function emptyFile(): Promise<Picture> {
  return { name: 'empty.jpg', contentType: contentTypes.jpeg, bytes: Buffer.alloc(0) }
}

export async function textNamedJpg({ mark = '' }: Marked = {}): Promise<Picture> {
  return {
    name: 'text.jpg',
    contentType: contentTypes.jpeg,
    bytes: Buffer.from(`This is not a picture. ${mark}\n`.repeat(50)),
  }
}

export async function svg({ mark = '' }: Marked = {}): Promise<Picture> {
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"><title>${mark}</title><circle r="80"/></svg>`
  return { name: 'drawing.svg', contentType: 'image/svg+xml', bytes: Buffer.from(drawing) }
}

export async function pdf({ mark = '' }: Marked = {}): Promise<Picture> {
  const document = `%PDF-1.7\n% ${mark}\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n`
  return { name: 'paper.pdf', contentType: 'application/pdf', bytes: Buffer.from(document) }
}

export async function html({ mark = '' }: Marked = {}): Promise<Picture> {
  return { name: 'page.png', contentType: contentTypes.png, bytes: Buffer.from(`<!doctype html><script>'${mark}'</script>`) }
}

/** A valid picture in a format that a full build of libvips reads and the service does not allow. */
export async function ppm({ mark = '' }: Marked = {}): Promise<Picture> {
  const { data, width, height } = scenePixels(77, { width: 160, height: 120 })
  const header = `P6\n# ${mark}\n${width} ${height}\n255\n`
  return { name: 'plain.ppm', contentType: 'image/x-portable-pixmap', bytes: Buffer.concat([Buffer.from(header), data]) }
}

/** The first half of a JPEG: its header is complete, so the decoder starts. */
export async function truncatedJpeg({ mark = '' }: Marked = {}): Promise<Picture> {
  const { bytes } = await scene(78)
  const whole = withJpegComment(bytes, mark)
  return { name: 'truncated.jpg', contentType: contentTypes.jpeg, bytes: whole.subarray(0, whole.length >> 1) }
}

export async function truncatedPng({ mark = '' }: Marked = {}): Promise<Picture> {
  const { bytes } = await scene(78, { format: 'png' })
  const whole = withPngText(bytes, mark)
  return { name: 'truncated.png', contentType: contentTypes.png, bytes: whole.subarray(0, whole.length >> 1) }
}

/** A PNG with one flipped bit in the checksum of its first chunk of pixels. */
export async function wrongCrcPng({ mark = '' }: Marked = {}): Promise<Picture> {
  const bytes = withPngText((await scene(79, { format: 'png' })).bytes, mark)
  const at = bytes.indexOf('IDAT')
  const checksumAt = at + 4 + bytes.readUInt32BE(at - 4)
  bytes.writeUInt8(bytes.readUInt8(checksumAt) ^ 1, checksumAt)
  return { name: 'wrong-crc.png', contentType: contentTypes.png, bytes }
}

export async function headerOnlyJpeg(): Promise<Picture> {
  return { name: 'header.jpg', contentType: contentTypes.jpeg, bytes: Buffer.from('ffd8ffe000104a46494600010100', 'hex') }
}

/**
 * 60,000 × 60,000 grey pixels, all zero, in some 3.6 MB. The compressed megabyte is made once and repeated; the Adler-32 of n
 * zeros is (n mod 65521) · 2¹⁶ + 1, so the 3.6 GB are never written.
 */
export function bombPng({ mark = '', width = 60_000, height = 60_000 }: Marked & { width?: number; height?: number } = {}) {
  return once(`bomb ${mark} ${width} ${height}`, async () => {
    const sizeBytes = height * (width + 1)
    const megabyte = deflateRawSync(Buffer.alloc(MIB), { level: 9, finishFlush: zlib.Z_FULL_FLUSH })
    const rest = deflateRawSync(Buffer.alloc(sizeBytes % MIB), { level: 9 })
    const adler = Buffer.alloc(4)
    adler.writeUInt32BE((sizeBytes % 65_521) * 2 ** 16 + 1)
    const megabytes = Array.from({ length: Math.floor(sizeBytes / MIB) }, () => megabyte)
    const pixels = Buffer.concat([Buffer.from('78da', 'hex'), ...megabytes, rest, adler])
    const bytes = pngFile([pngHeader(width, height), pngText(mark), pngChunk('IDAT', pixels)])
    return { name: 'bomb.png', contentType: contentTypes.png, bytes }
  })
}

/** Small files whose headers claim more than any memory holds. */
export function hugeHeaders({ mark = '' }: Marked = {}): Promise<Picture>[] {
  return [hugePng(mark), hugeJpeg(mark), hugeGif(mark), hugeTiff(mark)]
}

/** A picture, followed by 9,999 frames of one pixel, which may cost little. */
export function longGif({ mark = '', frames = 10_000 }: Marked & { frames?: number } = {}): Promise<Picture> {
  return once(`gif ${mark} ${frames}`, async () => {
    const first = (await scene(80, { format: 'gif' })).bytes
    const frame = Buffer.concat([GIF_DELAY, GIF_DOT])
    const comment = mark === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x21, 0xfe]), gifText(mark)])
    const more = Array.from({ length: frames - 1 }, () => frame)
    const bytes = Buffer.concat([first.subarray(0, -1), comment, ...more, first.subarray(-1)])
    return { name: 'long.gif', contentType: contentTypes.gif, bytes }
  })
}

/** 30 MiB that would decode, with the mark at both ends. */
export async function tooLarge({ mark = '', sizeBytes = 30 * MIB }: Marked & { sizeBytes?: number } = {}): Promise<Picture> {
  const comment = Buffer.from(mark)
  const { bytes } = await paddedJpeg(81, sizeBytes - comment.length * 2 - (mark === '' ? 0 : 4))
  const marked = Buffer.concat([withJpegComment(bytes, mark), comment])
  return { name: 'large.jpg', contentType: contentTypes.jpeg, bytes: marked }
}

export async function onePixel({ mark = '' }: Marked = {}): Promise<Picture> {
  const dot = sharp({ create: { width: 1, height: 1, channels: 3, background: '#336699' } })
  return { name: 'one.png', contentType: contentTypes.png, bytes: withPngText(await dot.png().toBuffer(), mark) }
}

export async function flat({ mark = '' }: Marked = {}): Promise<Picture> {
  const wall = sharp({ create: { width: 640, height: 480, channels: 3, background: '#336699' } })
  return { name: 'flat.png', contentType: contentTypes.png, bytes: withPngText(await wall.png().toBuffer(), mark) }
}

export async function flatJpeg(): Promise<Picture> {
  const wall = sharp({ create: { width: 640, height: 480, channels: 3, background: '#996633' } })
  return { name: 'flat.jpg', contentType: contentTypes.jpeg, bytes: await wall.jpeg().toBuffer() }
}

/** A COM segment right behind the start of image. */
export function withJpegComment(jpeg: Buffer, text: string): Buffer {
  if (text === '') return Buffer.from(jpeg)
  const head = Buffer.alloc(4)
  head.writeUInt16BE(0xfffe)
  head.writeUInt16BE(2 + Buffer.byteLength(text), 2)
  return Buffer.concat([jpeg.subarray(0, 2), head, Buffer.from(text), jpeg.subarray(2)])
}

const MAX_SEGMENT_BYTES = 65_537

/** The JPEG, made longer by comments before its picture: it ends with the file. @param sizeBytes at least 4 more than it has. */
export function withLongHead(jpeg: Buffer, sizeBytes: number): Buffer {
  const segments: Buffer[] = []
  for (let left = sizeBytes - jpeg.length; left > 0; ) {
    const segment = Buffer.alloc(left > MAX_SEGMENT_BYTES ? Math.min(MAX_SEGMENT_BYTES, left - 4) : left, 0x5a)
    segment.writeUInt16BE(0xfffe)
    segment.writeUInt16BE(segment.length - 2, 2)
    segments.push(segment)
    left -= segment.length
  }
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)])
}

/** A tEXt chunk right behind the header. */
export function withPngText(png: Buffer, text: string): Buffer {
  const headerEnd = 8 + 25
  return Buffer.concat([png.subarray(0, headerEnd), pngText(text), png.subarray(headerEnd)])
}

async function hugePng(mark: string): Promise<Picture> {
  const pixels = pngChunk('IDAT', Buffer.from('789c030000000001', 'hex'))
  const bytes = pngFile([pngHeader(0x7fffffff, 0x7fffffff), pngText(mark), pixels])
  return { name: 'huge.png', contentType: contentTypes.png, bytes }
}

async function hugeJpeg(mark: string): Promise<Picture> {
  const bytes = withJpegComment((await scene(82)).bytes, mark)
  const frameAt = bytes.indexOf(Buffer.from('ffc00011', 'hex'))
  bytes.writeUInt32BE(0xfde8_fde8, frameAt + 5)
  return { name: 'huge.jpg', contentType: contentTypes.jpeg, bytes }
}

async function hugeGif(mark: string): Promise<Picture> {
  const screen = Buffer.from('474946383961ffffffff800000000000ffffff', 'hex')
  const image = Buffer.from('2c00000000ffffffff0002024401003b', 'hex')
  const comment = mark === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x21, 0xfe]), gifText(mark)])
  return { name: 'huge.gif', contentType: contentTypes.gif, bytes: Buffer.concat([screen, comment, image]) }
}

async function hugeTiff(mark: string): Promise<Picture> {
  const bytes = await fromPixels(scenePixels(83, { width: 160, height: 120 }))
    .tiff({ compression: 'none' })
    .toBuffer()
  for (const tag of [0x100, 0x101]) writeTiffTag(bytes, tag, 60_000)
  return { name: 'huge.tiff', contentType: contentTypes.tiff, bytes: Buffer.concat([bytes, Buffer.from(mark)]) }
}

/** Overwrites a number in the first directory of a little-endian TIFF. */
function writeTiffTag(tiff: Buffer, tag: number, value: number): void {
  const directoryAt = tiff.readUInt32LE(4)
  for (let entry = 0; entry < tiff.readUInt16LE(directoryAt); entry++) {
    const at = directoryAt + 2 + entry * 12
    if (tiff.readUInt16LE(at) !== tag) continue
    tiff.writeUInt16LE(4, at + 2)
    tiff.writeUInt32LE(value, at + 8)
  }
}

function pngFile(chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...chunks, pngChunk('IEND', Buffer.alloc(0))])
}

function pngHeader(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header.writeUInt8(8, 8)
  return pngChunk('IHDR', header)
}

function pngText(text: string): Buffer {
  return text === '' ? Buffer.alloc(0) : pngChunk('tEXt', Buffer.from(`Comment\0${text}`, 'latin1'))
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** Sub-blocks of at most 255 bytes, closed by an empty one. */
function gifText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.subarray(at, at + 255)
    blocks.push(Buffer.from([block.length]), block)
  }
  return Buffer.concat([...blocks, Buffer.from([0])])
}

// Assembles animations from frames, because no encoder writes all forms that viewers display.

import { crc32 } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { randomFrom, type Size } from './pictures.js'

/** Four bytes a pixel: red, green, blue, alpha. */
export interface FramePicture extends Size {
  readonly data: Buffer
}

export interface DrawnFrame {
  readonly picture: FramePicture
  readonly left?: number
  readonly top?: number
  readonly delayMs: number
  /** What viewers do after the frame. WebP has no `restore`. */
  readonly disposal?: 'keep' | 'clear' | 'restore'
  /** Transparent pixels replace those beneath. GIF cannot do this. */
  readonly isSource?: boolean
}

/** Smooth colours with a hard shape; `alpha` gives each pixel's opacity. */
export function framePicture(seed: number, size: Size, alpha: (x: number, y: number) => number = () => 255): FramePicture {
  const random = randomFrom(seed)
  const waves = Array.from({ length: 9 }, () => random() * 6)
  const data = Buffer.alloc(4 * size.width * size.height)
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const at = 4 * (y * size.width + x)
      for (let channel = 0; channel < 3; channel++) {
        const [a = 0, b = 0, c = 0] = waves.slice(3 * channel)
        data[at + channel] = 128 + 127 * Math.sin((a * x) / size.width + (b * y) / size.height + c)
      }
      data[at + 3] = alpha(x, y)
    }
  }
  return { data, ...size }
}

export function flatPicture(size: Size, [red, green, blue, alpha]: readonly [number, number, number, number]): FramePicture {
  return { data: Buffer.alloc(4 * size.width * size.height, Buffer.from([red, green, blue, alpha])), ...size }
}

/** For frames with at most 256 colours; otherwise the encoder chooses colours. */
export async function gifOf({ width, height }: Size, frames: readonly DrawnFrame[]): Promise<Buffer> {
  const screen = Buffer.from('GIF89a\0\0\0\0\0\0\0', 'latin1')
  screen.writeUInt16LE(width, 6)
  screen.writeUInt16LE(height, 8)
  return Buffer.concat([screen, ...(await Promise.all(frames.map(gifFrame))), Buffer.from(';')])
}

const GIF_DISPOSALS = { keep: 1, clear: 2, restore: 3 } as const

async function gifFrame({ picture, left = 0, top = 0, delayMs, disposal = 'keep' }: DrawnFrame): Promise<Buffer> {
  const gif = await sharpOf(picture).gif({ colours: 128, dither: 0, effort: 1 }).toBuffer()
  const paletteBytes = 3 * 2 ** ((gif.readUInt8(10) & 7) + 1)
  const controlAt = gif.indexOf(Buffer.from('21f904', 'hex'))
  const imageAt = gif.indexOf(0x2c, controlAt + 8)
  const control = Buffer.from(gif.subarray(controlAt, controlAt + 8))
  control.writeUInt8((control.readUInt8(3) & 1) | (GIF_DISPOSALS[disposal] << 2), 3)
  control.writeUInt16LE(Math.round(delayMs / 10), 4)
  const descriptor = Buffer.from(gif.subarray(imageAt, imageAt + 10))
  descriptor.writeUInt16LE(left, 1)
  descriptor.writeUInt16LE(top, 3)
  descriptor.writeUInt8(0x80 | (gif.readUInt8(10) & 7), 9)
  return Buffer.concat([control, descriptor, gif.subarray(13, 13 + paletteBytes), gif.subarray(imageAt + 10, -1)])
}

/** @param hidden a default image that is not a frame. */
export async function apngOf(
  { width, height }: Size,
  frames: readonly DrawnFrame[],
  { hidden, chunks = [] }: { readonly hidden?: FramePicture; readonly chunks?: readonly Buffer[] } = {},
): Promise<Buffer> {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header.set([8, 6], 8)
  const parts = [pngChunk('IHDR', header), ...chunks, pngChunk('acTL', u32(frames.length), u32(0))]
  if (hidden !== undefined) parts.push(pngChunk('IDAT', await pngDataOf(hidden)))
  let sequence = 0
  for (const [index, frame] of frames.entries()) {
    parts.push(pngChunk('fcTL', u32(sequence++), frameControl(frame)))
    const data = await pngDataOf(frame.picture)
    parts.push(index === 0 && hidden === undefined ? pngChunk('IDAT', data) : pngChunk('fdAT', u32(sequence++), data))
  }
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts, pngChunk('IEND')])
}

const PNG_DISPOSALS = { keep: 0, clear: 1, restore: 2 } as const

function frameControl({ picture, left = 0, top = 0, delayMs, disposal = 'keep', isSource = false }: DrawnFrame): Buffer {
  const control = Buffer.alloc(22)
  for (const [at, value] of [picture.width, picture.height, left, top].entries()) control.writeUInt32BE(value, 4 * at)
  control.writeUInt16BE(delayMs, 16)
  control.writeUInt16BE(1000, 18)
  control.set([PNG_DISPOSALS[disposal], isSource ? 0 : 1], 20)
  return control
}

async function pngDataOf(picture: FramePicture): Promise<Buffer> {
  const png = await sharpOf(picture).png().toBuffer()
  const parts: Buffer[] = []
  for (let at = 8; at + 8 < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  }
  return Buffer.concat(parts)
}

export function pngChunk(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), ...parts])
  return Buffer.concat([u32(body.length - 4), body, u32(crc32(body))])
}

/** Lossless. Offsets are even. */
export async function webpOf({ width, height }: Size, frames: readonly DrawnFrame[]): Promise<Buffer> {
  const header = Buffer.alloc(10)
  header.writeUInt8(0x12) // animated, with alpha
  header.writeUIntLE(width - 1, 4, 3)
  header.writeUIntLE(height - 1, 7, 3)
  const made = await Promise.all(frames.map(webpFrame))
  const body = Buffer.concat([Buffer.from('WEBP'), riffChunk('VP8X', header), riffChunk('ANIM', Buffer.alloc(6)), ...made])
  return riffChunk('RIFF', body)
}

async function webpFrame({
  picture,
  left = 0,
  top = 0,
  delayMs,
  disposal = 'keep',
  isSource = false,
}: DrawnFrame): Promise<Buffer> {
  const header = Buffer.alloc(16)
  for (const [at, value] of [left / 2, top / 2, picture.width - 1, picture.height - 1, delayMs].entries()) {
    header.writeUIntLE(value, 3 * at, 3)
  }
  header.writeUInt8((isSource ? 2 : 0) | (disposal === 'clear' ? 1 : 0), 15)
  const webp = await sharpOf(picture).webp({ lossless: true, exact: true }).toBuffer()
  const from = webp.toString('latin1', 12, 16) === 'VP8X' ? 12 + 18 : 12
  return riffChunk('ANMF', header, webp.subarray(from))
}

function riffChunk(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(body.length)
  return Buffer.concat([Buffer.from(type, 'latin1'), length, body, Buffer.alloc(body.length & 1)])
}

/** An image sequence of independent pictures without alpha, all of one size. */
export async function avifSequenceOf({ width, height }: Size, frames: readonly DrawnFrame[]): Promise<Buffer> {
  const stills = await Promise.all(
    frames.map(({ picture }) => sharpOf(picture).removeAlpha().avif({ effort: 0, quality: 70 }).toBuffer()),
  )
  const configuration = boxIn(stills[0] ?? Buffer.alloc(0), 'av1C')
  const samples = stills.map((still) => boxIn(still, 'mdat').subarray(8))
  const brand = box('ftyp', Buffer.from('avis'), u32(0), Buffer.from('avisavifmsf1miaf'))
  const entry = Buffer.alloc(78)
  entry.writeUInt16BE(1, 6)
  entry.writeUInt16BE(width, 24)
  entry.writeUInt16BE(height, 26)
  const moovAt = (offset: number) =>
    box(
      'moov',
      box(
        'trak',
        fullBox('tkhd', Buffer.alloc(8), u32(1), Buffer.alloc(60), u32(width * 65_536), u32(height * 65_536)),
        box(
          'mdia',
          fullBox('mdhd', Buffer.alloc(8), u32(1000), u32(0), u32(0)),
          fullBox('hdlr', u32(0), Buffer.from('pict'), Buffer.alloc(13)),
          box(
            'minf',
            box(
              'stbl',
              fullBox('stsd', u32(1), box('av01', entry, configuration)),
              fullBox('stts', u32(frames.length), ...frames.flatMap(({ delayMs }) => [u32(1), u32(delayMs)])),
              fullBox('stsc', u32(1), u32(1), u32(samples.length), u32(1)),
              fullBox('stsz', u32(0), u32(samples.length), ...samples.map(({ length }) => u32(length))),
              fullBox('stco', u32(1), u32(offset)),
            ),
          ),
        ),
      ),
    )
  const offset = brand.length + moovAt(0).length + 8
  return Buffer.concat([brand, moovAt(offset), box('mdat', ...samples)])
}

function boxIn(file: Buffer, type: string): Buffer {
  const at = file.indexOf(type, 0, 'latin1') - 4
  return file.subarray(at, at + file.readUInt32BE(at))
}

function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([u32(8 + body.length), Buffer.from(type, 'latin1'), body])
}

function fullBox(type: string, ...parts: readonly Buffer[]): Buffer {
  return box(type, u32(0), ...parts)
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function sharpOf({ data, width, height }: FramePicture): Sharp {
  return sharp(data, { raw: { width, height, channels: 4 } })
}

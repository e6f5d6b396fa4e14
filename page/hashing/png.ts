// Writes a PNG that names the colour space of its pixels.

import type { Pixels } from '../../packages/hash/src/pixels.js'

/** An ICC profile of red, green and blue; or code points of ITU-T H.273. */
export type ColourSpace = Uint8Array | { readonly primaries: number; readonly transfer: number }

const SIGNATURE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** By the number of channels: grey, RGB, RGBA. */
const COLOUR_TYPES: Readonly<Record<number, number>> = { 1: 0, 3: 2, 4: 6 }

export async function pngOf({ data, width, height, channels }: Pixels, space: ColourSpace): Promise<Blob> {
  const rowBytes = width * channels
  const lines = new Uint8Array(height * (1 + rowBytes)) // each begins with its filter, 0: none
  for (let y = 0; y < height; y++) lines.set(data.subarray(rowBytes * y, rowBytes * (y + 1)), y * (1 + rowBytes) + 1)
  const header = [...bytesOf(width), ...bytesOf(height), 8, COLOUR_TYPES[channels] ?? 6, 0, 0, 0]
  const image = await deflated(lines)
  lines.fill(0)
  const chunks = [
    chunk('IHDR', new Uint8Array(header)),
    await colourChunk(space),
    chunk('IDAT', image),
    chunk('IEND', new Uint8Array()),
  ]
  return new Blob([SIGNATURE, ...chunks], { type: 'image/png' })
}

async function colourChunk(space: ColourSpace): Promise<Uint8Array<ArrayBuffer>> {
  if (space instanceof Uint8Array) return chunk('iCCP', joined([utf8('icc\0\0'), await deflated(space)]))
  return chunk('cICP', new Uint8Array([space.primaries, space.transfer, 0, 1]))
}

function chunk(name: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const named = joined([utf8(name), content])
  return joined([bytesOf(content.length), named, bytesOf(crc32(named))])
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function bytesOf(number: number): Uint8Array {
  return new Uint8Array([number >>> 24, number >>> 16, number >>> 8, number])
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

async function deflated(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream('deflate'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc
}

// The decoder of BMP files. The libraries on npm read only some of the variants that browsers display, and trust the sizes in the header.

import { MAX_PIXELS, MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { Problem } from '../../src/domain/problem.js'
import { type BmpLayout, bmpLayout } from './bmp-header.js'
import { drawRuns, drawRuns24 } from './bmp-runs.js'
import type { Decoder } from './decoder.js'
import { libvips } from './libvips.js'
import { plainTiff } from './plain-tiff.js'

/** Refuses a file that ends too early at registration. In a query it draws what is there; the rest is white. */
export const bmp: Decoder = {
  async *open(bytes, _, limits) {
    const layout = layoutOf(bytes)
    const { width, height, masks, profile } = layout
    if (width * height > MAX_PIXELS || Math.max(width, height) > MAX_SIDE_PX) throw new Problem('image-too-many-pixels')
    const { file, pixels } = plainTiff({ width, height, channels: masks[3] === 0 ? 3 : 4, profile })
    try {
      if (!layout.storage.startsWith('rle')) pixels.fill(255) // missing rows are white; what a run-length encoded picture skips is black
      const drawnRows = DRAW[layout.storage](bytes, layout, pixels)
      if (drawnRows < (limits.purpose === 'register' ? height : 1)) throw new Problem('image-undecodable')
      yield* libvips.open(file, 'tiff', limits)
    } finally {
      file.fill(0)
    }
  },
}

function layoutOf(bytes: Buffer): BmpLayout {
  try {
    const layout = bmpLayout(bytes)
    if (layout !== undefined) return layout
  } catch (error) {
    if (!(error instanceof RangeError)) throw error // the file ends within its header
  }
  throw new Problem('image-undecodable')
}

/** Each draws the rows that the file has, and returns their number. */
const DRAW: Readonly<Record<BmpLayout['storage'], (bytes: Buffer, layout: BmpLayout, pixels: Buffer) => number>> = {
  palette: (bytes, layout, pixels) => eachRow(bytes, layout, (at, row) => drawIndexes(bytes, at, layout, pixels, row)),
  masks: drawMasked,
  rle: drawRuns,
  rle24: drawRuns24,
}

function eachRow(
  bytes: Buffer,
  { width, height, isTopDown, bits, pixelsAt }: BmpLayout,
  draw: (at: number, row: number) => void,
) {
  const stride = 4 * Math.ceil((width * bits) / 32)
  const withoutPadding = Math.ceil((width * bits) / 8)
  for (let k = 0; k < height; k++) {
    const at = pixelsAt + stride * k
    if (at + withoutPadding > bytes.length) return k
    draw(at, isTopDown ? k : height - 1 - k)
  }
  return height
}

function drawIndexes(bytes: Buffer, at: number, { width, bits, palette }: BmpLayout, pixels: Buffer, row: number): void {
  const perByte = 8 / bits
  for (let x = 0, to = 3 * width * row; x < width; x++, to += 3) {
    const byte = bytes[at + Math.floor(x / perByte)] ?? 0
    const index = (byte >> (8 - bits - bits * (x % perByte))) & (2 ** bits - 1)
    pixels[to] = palette[3 * index] ?? 0
    pixels[to + 1] = palette[3 * index + 1] ?? 0
    pixels[to + 2] = palette[3 * index + 2] ?? 0
  }
}

/** Draws pixels that are numbers of 16, 24 or 32 bits. @returns the number of rows. */
function drawMasked(bytes: Buffer, layout: BmpLayout, pixels: Buffer): number {
  const { width, bits, masks } = layout
  const channels = masks[3] === 0 ? 3 : 4
  const scales = masks.slice(0, channels).map(scaleFor)
  const pixelBytes = bits / 8
  let isSeen = channels === 3
  const rows = eachRow(bytes, layout, (at, row) => {
    for (let x = 0, to = channels * width * row; x < width; x++, to += channels) {
      const from = at + pixelBytes * x
      const low = (bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8)
      const value =
        bits === 16 ? low : low | ((bytes[from + 2] ?? 0) << 16) | (bits === 32 ? (bytes[from + 3] ?? 0) << 24 : 0)
      for (let channel = 0; channel < channels; channel++) {
        const { mask, shift, factor } = scales[channel] ?? NOTHING
        pixels[to + channel] = Math.round(((value & mask) >>> shift) * factor)
      }
      isSeen ||= pixels[to + 3] !== 0
    }
  })
  // If all pixels are transparent, the program that wrote the file left alpha at 0 without meaning it.
  if (!isSeen) for (let at = 3; at < pixels.length; at += 4) pixels[at] = 255
  return rows
}

interface Scale {
  readonly mask: number
  readonly shift: number
  readonly factor: number
}
const NOTHING: Scale = { mask: 0, shift: 0, factor: 0 }

/** How to convert the bits of a mask to 0…255. */
function scaleFor(mask: number): Scale {
  if (mask === 0) return NOTHING
  const shift = 31 - Math.clz32(mask & -mask)
  return { mask, shift, factor: 255 / (mask >>> shift) }
}

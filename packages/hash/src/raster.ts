// A picture reduced to the size at which frame removal runs and parts are hashed.

import type { Pixels } from './pixels.js'
import type { Rectangle } from './rectangle.js'

/** Maximum length of a side. Longer sides are reduced to `REDUCED_SIDE_PX` by averaging areas. */
const MAX_RASTER_SIDE_PX = 650
const REDUCED_SIDE_PX = 640

export interface Raster {
  readonly width: number
  readonly height: number
  /** [height × width × 3] red, green, blue, 0…255. */
  readonly rgb: Uint8Array
  /** [height × width] 0…255, by PDQ's weights. */
  readonly luma: Float32Array
}

/**
 * Reduces a picture. Each side is reduced independently, which keeps most of a long narrow picture: parts are hashed as squares anyway, and
 * straight edges stay straight. Sides are never enlarged.
 *
 * Cost: about 60 ns a pixel if the picture is reduced, 6 ns if not. `FrameKernel` needs 3 ns, and under 1 ns.
 */
export function rasterOf(pixels: Pixels): Raster {
  const width = rasterSideOf(pixels.width)
  const height = rasterSideOf(pixels.height)
  const rgb = width === pixels.width && height === pixels.height ? colours(pixels) : averaged(pixels, width, height)
  const luma = new Float32Array(width * height)
  for (let i = 0, k = 0; i < luma.length; i++, k += 3) {
    luma[i] = lumaOf(rgb[k] ?? 0, rgb[k + 1] ?? 0, rgb[k + 2] ?? 0)
  }
  return { width, height, rgb, luma }
}

const RED = Math.fround(0.299)
const GREEN = Math.fround(0.587)
const BLUE = Math.fround(0.114)

function lumaOf(red: number, green: number, blue: number): number {
  return Math.fround(Math.fround(Math.fround(RED * red) + Math.fround(GREEN * green)) + Math.fround(BLUE * blue))
}

/** @returns the length of a side in the raster. */
export function rasterSideOf(sidePx: number): number {
  return sidePx <= MAX_RASTER_SIDE_PX ? sidePx : REDUCED_SIDE_PX
}

export function wholeOf({ width, height }: Pick<Raster, 'width' | 'height'>): Rectangle {
  return { left: 0, top: 0, right: width, bottom: height }
}

function colours({ data, width, height, channels }: Pixels): Uint8Array {
  const rgb = new Uint8Array(3 * width * height)
  if (channels === 3) {
    rgb.set(data)
    return rgb
  }
  for (let i = 0, k = 0; k < rgb.length; i += channels, k += 3) {
    rgb[k] = data[i] ?? 0
    rgb[k + 1] = data[channels === 1 ? i : i + 1] ?? 0
    rgb[k + 2] = data[channels === 1 ? i : i + 2] ?? 0
  }
  return rgb
}

/** Borders of rows are rounded to 1/4096 of a pixel, so that sums are whole numbers and do not depend on the order of addition. */
const PARTS_PX = 4096
/** From this value on float32 has no fractions, so adding it rounds to the nearest whole number in one instruction. */
const ROUNDER = 2 ** 23

/**
 * Each new pixel is the mean of its area; old pixels on a border count in proportion. First adds up rows, in whole numbers, then columns from left to
 * right, in float32, so that the kernel can compute the same bits.
 */
function averaged(pixels: Pixels, newWidth: number, newHeight: number): Uint8Array {
  const { width, height, channels } = pixels
  const rgb = new Uint8Array(3 * newWidth * newHeight)
  const line = new Float32Array((width + 1) * channels)
  for (let row = 0; row < newHeight; row++) {
    const top = borderOf(row, newHeight, height)
    const bottom = borderOf(row + 1, newHeight, height)
    addRows(pixels, top, bottom, line)
    const scale = Math.fround(1 / (((bottom - top) * width) / newWidth))
    for (let x = 0; x < newWidth; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const sum = sumAcross(line, x, newWidth, width, channels, channels === 1 ? 0 : channel)
        rgb[3 * (row * newWidth + x) + channel] = Math.fround(Math.fround(sum * scale) + ROUNDER) - ROUNDER
      }
    }
  }
  return rgb
}

/** Where a row begins, in 1/4096 of a pixel. */
function borderOf(row: number, newHeight: number, height: number): number {
  return Math.floor((row * height * PARTS_PX) / newHeight + 0.5)
}

function addRows({ data, width, height, channels }: Pixels, top: number, bottom: number, line: Float32Array): void {
  const sums = new Int32Array(width * channels)
  for (let y = Math.floor(top / PARTS_PX); y < height && y * PARTS_PX < bottom; y++) {
    const part = Math.min(bottom, (y + 1) * PARTS_PX) - Math.max(top, y * PARTS_PX)
    const from = y * sums.length
    for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] ?? 0) + part * (data[from + k] ?? 0)
  }
  line.set(sums)
}

function sumAcross(
  line: Float32Array,
  x: number,
  newWidth: number,
  width: number,
  channels: number,
  channel: number,
): number {
  const first = Math.floor((x * width) / newWidth)
  const last = Math.floor(((x + 1) * width) / newWidth)
  const before = Math.fround(((x * width) % newWidth) / newWidth)
  const after = Math.fround((((x + 1) * width) % newWidth) / newWidth)
  let sum = Math.fround(Math.fround(1 - before) * (line[first * channels + channel] ?? 0))
  for (let k = first + 1; k < last; k++) sum = Math.fround(sum + (line[k * channels + channel] ?? 0))
  return Math.fround(sum + Math.fround(after * (line[last * channels + channel] ?? 0)))
}

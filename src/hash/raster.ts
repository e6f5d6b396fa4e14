// The picture at the one size at which it is looked at for frames, and at which its parts are hashed.

import type { Pixels } from './pixels.js'
import type { Rectangle } from './rectangle.js'

/** Both sides are at most this long; the longer ones of what the decoder gives come here area-averaged. */
export const MAX_RASTER_SIDE_PX = 650
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
 * Each side is reduced by itself, so a long narrow picture keeps what it can: hashes of parts are taken from squares anyhow, and
 * straight edges stay straight. Nothing is enlarged.
 *
 * Cost: 10 ns a pixel of a picture that is larger, 3 of one that is not.
 */
export function rasterOf(pixels: Pixels): Raster {
  const width = reduced(pixels.width)
  const height = reduced(pixels.height)
  const rgb = width === pixels.width && height === pixels.height ? colours(pixels) : averaged(pixels, width, height)
  const luma = new Float32Array(width * height)
  for (let i = 0, k = 0; i < luma.length; i++, k += 3) {
    luma[i] = 0.299 * (rgb[k] ?? 0) + 0.587 * (rgb[k + 1] ?? 0) + 0.114 * (rgb[k + 2] ?? 0)
  }
  return { width, height, rgb, luma }
}

export function wholeOf({ width, height }: Pick<Raster, 'width' | 'height'>): Rectangle {
  return { left: 0, top: 0, right: width, bottom: height }
}

/** Overwrites every pixel. */
export function wipeRaster({ rgb, luma }: Raster): void {
  rgb.fill(0)
  luma.fill(0)
}

function reduced(sidePx: number): number {
  return sidePx <= MAX_RASTER_SIDE_PX ? sidePx : REDUCED_SIDE_PX
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

/** A pixel that lies on a border counts by its parts on both sides. */
function averaged({ data, width, height, channels }: Pixels, newWidth: number, newHeight: number): Uint8Array {
  const rgb = new Uint8Array(3 * newWidth * newHeight)
  const sums = new Float32Array(3 * newWidth)
  const line = new Float32Array(3 * newWidth)
  const green = channels === 1 ? 0 : 1
  const blue = channels === 1 ? 0 : 2
  const acrossScale = newWidth / width
  const downScale = newHeight / height
  const scale = acrossScale * downScale
  let row = 0
  const emit = () => {
    for (let k = 0, to = 3 * newWidth * row; k < sums.length; k++, to++) rgb[to] = (sums[k] ?? 0) * scale + 0.5
    sums.fill(0)
    row++
  }
  for (let y = 0; y < height; y++) {
    line.fill(0)
    let at = y * width * channels
    for (let x = 0; x < width; x++, at += channels) {
      const from = x * acrossScale
      const column = Math.min(newWidth - 1, Math.floor(from))
      const over = Math.max(0, from + acrossScale - (column + 1)) / acrossScale
      const red = data[at] ?? 0
      const g = data[at + green] ?? 0
      const b = data[at + blue] ?? 0
      const k = 3 * column
      const part = 1 - over
      line[k] = (line[k] ?? 0) + red * part
      line[k + 1] = (line[k + 1] ?? 0) + g * part
      line[k + 2] = (line[k + 2] ?? 0) + b * part
      if (over > 0 && column + 1 < newWidth) {
        line[k + 3] = (line[k + 3] ?? 0) + red * over
        line[k + 4] = (line[k + 4] ?? 0) + g * over
        line[k + 5] = (line[k + 5] ?? 0) + b * over
      }
    }
    const below = Math.max(0, (y + 1) * downScale - (row + 1)) / downScale
    for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] ?? 0) + (line[k] ?? 0) * (1 - below)
    if ((y + 1) * downScale < row + 1 - 1e-9 || row + 1 >= newHeight) continue
    emit()
    for (let k = 0; k < sums.length; k++) sums[k] = (line[k] ?? 0) * below
  }
  if (row < newHeight) emit()
  return rgb
}

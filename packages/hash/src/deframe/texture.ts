// Measures fine structure. Photographs have it; flat and blurred margins do not.

import type { Raster } from '../raster.js'
import type { Rectangle } from '../rectangle.js'

/** A summed-area table of pixels with fine structure: the count left of and above each pixel corner. [(height + 1) × (width + 1)] */
export interface Texture {
  readonly width: number
  readonly height: number
  readonly counts: Uint32Array
}

/** [levels] A pixel with a larger Laplacian has fine structure. */
const MIN_LAPLACIAN = 5

export function textureOf({ width, height, luma }: Raster): Texture {
  const counts = new Uint32Array((width + 1) * (height + 1))
  for (let y = 0; y < height; y++) {
    const here = (y + 1) * (width + 1)
    const above = here - width - 1
    let line = 0
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      if (x > 0 && y > 0 && x + 1 < width && y + 1 < height) {
        const beside = Math.fround((luma[i - 1] ?? 0) + (luma[i + 1] ?? 0))
        const around = Math.fround(Math.fround(beside + (luma[i - width] ?? 0)) + (luma[i + width] ?? 0))
        if (Math.abs(Math.fround(4 * (luma[i] ?? 0) - around)) > MIN_LAPLACIAN) line++
      }
      counts[here + x + 1] = line + (counts[above + x + 1] ?? 0)
    }
  }
  return { width, height, counts }
}

/** @returns the share of pixels with fine structure in a rectangle: 0…1; 0 for an empty one. */
export function densityOf({ width, height, counts }: Texture, { left, top, right, bottom }: Rectangle): number {
  const x0 = Math.max(0, Math.round(left))
  const y0 = Math.max(0, Math.round(top))
  const x1 = Math.min(width, Math.round(right))
  const y1 = Math.min(height, Math.round(bottom))
  if (x1 <= x0 || y1 <= y0) return 0
  const stride = width + 1
  const sum =
    (counts[y1 * stride + x1] ?? 0) -
    (counts[y0 * stride + x1] ?? 0) -
    (counts[y1 * stride + x0] ?? 0) +
    (counts[y0 * stride + x0] ?? 0)
  return sum / ((x1 - x0) * (y1 - y0))
}

/** Minimum density of each row or column of a band. */
const BAND_DENSITY = 0.25
/** Density is averaged over this share of the side, in both directions. */
const SMOOTHED_OVER = 0.01
/** Minimum width of a band, as a share of the side. */
const MIN_BAND = 0.12

/** Narrows the picture to its longest textured band of rows, then of columns, twice. @returns `undefined` if there is no such band. */
export function texturedPart(texture: Texture): Rectangle | undefined {
  let part: Rectangle = { left: 0, top: 0, right: texture.width, bottom: texture.height }
  for (const along of ['rows', 'columns', 'rows', 'columns'] as const) {
    const band = largestBand(texture, part, along)
    if (band === undefined) return undefined
    part = band
  }
  return part
}

function largestBand(texture: Texture, part: Rectangle, along: 'rows' | 'columns'): Rectangle | undefined {
  const from = along === 'rows' ? part.top : part.left
  const to = along === 'rows' ? part.bottom : part.right
  const slice = (a: number, b: number): Rectangle =>
    along === 'rows' ? { ...part, top: a, bottom: b } : { ...part, left: a, right: b }
  const reach = Math.max(1, Math.round(SMOOTHED_OVER * (to - from)))
  let best: Rectangle | undefined
  let longest = MIN_BAND * (to - from)
  let start: number | undefined
  for (let at = from; at <= to; at++) {
    const textured =
      at < to && densityOf(texture, slice(Math.max(from, at - reach), Math.min(to, at + reach + 1))) >= BAND_DENSITY
    if (textured) start ??= at
    else if (start !== undefined) {
      if (at - start > longest) {
        longest = at - start
        best = slice(start, at)
      }
      start = undefined
    }
  }
  return best
}

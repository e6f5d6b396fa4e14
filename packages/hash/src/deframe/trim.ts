// Cuts off margins of a single colour.

import type { Raster } from '../raster.js'
import type { Rectangle } from '../rectangle.js'

type Colours = Pick<Raster, 'width' | 'rgb'>

/** Maximum difference between a margin's pixel and its colour, in levels. JPEG leaves artefacts around edges. */
const TOLERANCE = 12
/** Maximum share of a row or column that may differ more: a caption, a clock, dust. */
const STRAY_SHARE = 0.02
/** Minimum share of each side that remains. */
const MIN_REST = 0.1

/** Removes rows and columns of one colour from all four sides. @returns the rest: at least a tenth of each side. */
export function trimmed(raster: Colours, within: Rectangle): Rectangle {
  const part = { left: within.left, top: within.top, right: within.right, bottom: within.bottom }
  for (let pass = 0; pass < 2; pass++) {
    const minHeight = MIN_REST * (within.bottom - within.top)
    const minWidth = MIN_REST * (within.right - within.left)
    while (part.bottom - part.top > minHeight && isPlain(raster, { ...part, bottom: part.top + 1 })) part.top++
    while (part.bottom - part.top > minHeight && isPlain(raster, { ...part, top: part.bottom - 1 })) part.bottom--
    while (part.right - part.left > minWidth && isPlain(raster, { ...part, right: part.left + 1 })) part.left++
    while (part.right - part.left > minWidth && isPlain(raster, { ...part, left: part.right - 1 })) part.right--
  }
  return part
}

/** Whether a row or column has one colour, except for a few stray pixels. */
function isPlain({ width, rgb }: Colours, line: Rectangle): boolean {
  const across = line.bottom - line.top === 1
  const count = across ? line.right - line.left : line.bottom - line.top
  const step = across ? 3 : 3 * width
  const start = 3 * (line.top * width + line.left)
  const middle = start + step * (count >> 1)
  const quarter = start + step * (count >> 2)
  // Tries the colours of two pixels, in case one of them is a stray.
  return fits(rgb, start, step, count, middle) || fits(rgb, start, step, count, quarter)
}

function fits(rgb: Uint8Array, start: number, step: number, count: number, model: number): boolean {
  const r = rgb[model] ?? 0
  const g = rgb[model + 1] ?? 0
  const b = rgb[model + 2] ?? 0
  let strays = Math.floor(STRAY_SHARE * count)
  for (let i = 0, k = start; i < count; i++, k += step) {
    const far = Math.max(Math.abs((rgb[k] ?? 0) - r), Math.abs((rgb[k + 1] ?? 0) - g), Math.abs((rgb[k + 2] ?? 0) - b))
    if (far > TOLERANCE && strays-- === 0) return false
  }
  return true
}

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

/** Padding is less deep than this, relative to the side that it reduces. A wider margin is none. */
const MAX_PADDING = 0.05
/** Share of a row or column at each end that is not looked at: bubbles and pictures in them have round corners. */
const CORNER = 0.1
/** Minimum number of sides with padding of the same colour. A picture of the sky has one side of one colour. */
const MIN_PADDED_SIDES = 3

/** Removes the padding that a bubble or a card leaves around a picture: lines of one colour at three sides or more, less than a twentieth of each side. */
export function withoutPadding<Part extends Rectangle>(raster: Colours, part: Part): Part {
  const sides = linesAt(part).map(({ line, most }) => plainColours(raster, line, most))
  const isNear = (a: number, b: number) => isSameColour(raster.rgb, a, b)
  const innermost = sides.flatMap((colours) => colours.slice(-1))
  const padding = innermost.find(
    (colour) => sides.filter((colours) => colours.some((other) => isNear(colour, other))).length >= MIN_PADDED_SIDES,
  )
  if (padding === undefined) return part
  const [left = 0, top = 0, right = 0, bottom = 0] = sides.map(
    (colours) => colours.findLastIndex((colour) => isNear(colour, padding)) + 1,
  )
  return {
    ...part,
    left: part.left + left,
    top: part.top + top,
    right: part.right - right,
    bottom: part.bottom - bottom,
  }
}

/** The lines along the left, top, right and bottom of a part, from its border on, and how many of them may be padding. */
function linesAt(part: Rectangle) {
  const [left, top] = [Math.round(part.left), Math.round(part.top)]
  const [right, bottom] = [Math.round(part.right), Math.round(part.bottom)]
  const corner = { across: Math.round(CORNER * (right - left)), down: Math.round(CORNER * (bottom - top)) }
  const [rows, columns] = [
    { left: left + corner.across, right: right - corner.across },
    { top: top + corner.down, bottom: bottom - corner.down },
  ]
  const [across, down] = [MAX_PADDING * (right - left), MAX_PADDING * (bottom - top)]
  return [
    { most: across, line: (i: number) => ({ ...columns, left: left + i, right: left + i + 1 }) },
    { most: down, line: (i: number) => ({ ...rows, top: top + i, bottom: top + i + 1 }) },
    { most: across, line: (i: number) => ({ ...columns, left: right - i - 1, right: right - i }) },
    { most: down, line: (i: number) => ({ ...rows, top: bottom - i - 1, bottom: bottom - i }) },
  ]
}

/** @returns for each line of one colour, up to the first of several, the index of a pixel with it. None if `most` lines are: that is no padding. */
function plainColours(raster: Colours, lineAt: (index: number) => Rectangle, most: number): number[] {
  const colours: number[] = []
  while (colours.length < most) {
    const colour = plainColour(raster, lineAt(colours.length))
    if (colour === undefined) return colours
    colours.push(colour)
  }
  return []
}

export function isSameColour(rgb: Uint8Array, a: number, b: number): boolean {
  return [0, 1, 2].every((channel) => Math.abs((rgb[a + channel] ?? 0) - (rgb[b + channel] ?? 0)) <= TOLERANCE)
}

function isPlain(raster: Colours, line: Rectangle): boolean {
  return plainColour(raster, line) !== undefined
}

/** @returns the index of a pixel with the colour of a row or column, if it has one except for a few stray pixels. */
export function plainColour({ width, rgb }: Colours, line: Rectangle): number | undefined {
  const across = line.bottom - line.top === 1
  const count = across ? line.right - line.left : line.bottom - line.top
  const step = across ? 3 : 3 * width
  const start = 3 * (line.top * width + line.left)
  const middle = start + step * (count >> 1)
  const quarter = start + step * (count >> 2)
  // Tries the colours of two pixels, in case one of them is a stray.
  return [middle, quarter].find((model) => fits(rgb, start, step, count, model))
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

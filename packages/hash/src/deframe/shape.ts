// Finds pictures cut to a shape on a plain background: a circle, rounded corners, a heart; and to other outlines, such as a star. Many pictures share
// such a background, so it must not be registered.

import { type Raster, wholeOf } from '../raster.js'
import type { Rectangle } from '../rectangle.js'
import { canvasesAround, framesOf, type IsBackground } from './mask.js'

type Colours = Pick<Raster, 'width' | 'height' | 'rgb'>

/** Maximum difference between a background pixel and the top left pixel, in levels. JPEG leaves artefacts around edges. */
const TOLERANCE = 14
const MIN_SIDE_PX = 32
/** A shape is sampled in 64 × 64 cells, each at 4 × 4 points. */
const CELLS = 64
const POINTS = 4
/** Limits for the share of background in the shape's bounding box: from round corners with a radius of a twentieth of a side to a heart. */
const MIN_BACKGROUND = 0.002
const MAX_BACKGROUND = 0.4
/** Minimum share of background in each corner cell. */
const MIN_CORNER = 0.9
/** Maximum share of the background that may lie on one side only. */
const MAX_ASYMMETRY = 0.1
/** Limits for the share of background in the bounding box of other outlines: from torn paper to a star. */
const MIN_MASKED = 0.02
const MAX_MASKED = 0.7
/** Minimum share of the picture's border that has the background's colour. */
const MIN_PLAIN_BORDER = 0.6
/** Maximum deviation from the background of an ellipse or round corners, relative to the background. */
const MAX_UNLIKE_ROUND = 0.3
/** The share of a round corner's square that is background. */
const ROUND_SHARE = 1 - Math.PI / 4
/** Side of the rectangle inscribed in an ellipse, relative to the ellipse's own. */
const INSCRIBED = Math.SQRT1_2

/** What is around a picture that was cut out, whatever its outline. */
export interface Mask {
  /** The smallest rectangle around the picture. */
  readonly box: Rectangle
  /** Where the picture may have ended before it was cut out. Without the `box` if that is an ellipse or has round corners, which leave its common parts. */
  readonly frames: readonly Rectangle[]
  readonly isBackground: IsBackground
  /** The largest rectangle without background. */
  readonly inside: Rectangle
}

export interface Shape extends Mask {
  /** The `inscribed` rectangle, which is the same in every app that cuts circles. Absent if it contains background. */
  readonly middle: Rectangle | undefined
  /** Whether a part of the picture lies inside the shape and contains no background. */
  readonly holds: (part: Rectangle) => boolean
}

/**
 * @returns the shape that a picture is cut to; for other outlines, such as a star or a cloud, only what is around the picture; `undefined` if there is
 *   no plain background.
 *
 * @param aspect width over height of the displayed picture.
 * Cost: reads four pixels of most pictures; 2.2 ms for a picture of 600 × 600 pixels in a circle. Scans from the borders inwards, so a plain picture is
 *   the slowest: 25 ms for a million pixels.
 */
export function outlineOf(raster: Colours, aspect: number): Shape | Mask | undefined {
  const seen = seenFromBorders(raster)
  if (seen === undefined) return undefined
  const { part: box, background: all } = seen
  const sides = (aspect * ((box.right - box.left) / raster.width) * raster.height) / (box.bottom - box.top)
  const canvas = { whole: wholeOf(raster), aspect }
  const background = backgroundOf(all, sides)
  const inside = largestInside(background ?? all, box)
  if (inside === undefined) return undefined
  if (background === undefined) {
    const share = sumOf(all) / all.length
    if (share < MIN_MASKED || share > MAX_MASKED || !hasPlainBorder(raster)) return undefined
    return { box, inside, frames: [box, ...canvasesAround(box, canvas)], isBackground: isBackgroundIn(all, box) }
  }
  const holds = (other: Rectangle) => isInside(background, cellsOf(other, box))
  const middle = inscribed(box)
  return {
    ...{ box, inside, holds, middle: holds(middle) ? middle : undefined },
    frames: background === all ? framesOf(box, sides, canvas) : canvasesAround(box, canvas),
    isBackground: isBackgroundIn(background, box),
  }
}

export function isShape(outline: Shape | Mask | undefined): outline is Shape {
  return outline !== undefined && 'holds' in outline
}

function isBackgroundIn(background: Float32Array, { left, top, right, bottom }: Rectangle): IsBackground {
  return (x, y) => {
    const [column, row] = [
      Math.floor((CELLS * (x - left)) / (right - left)),
      Math.floor((CELLS * (y - top)) / (bottom - top)),
    ]
    return Math.min(column, row) < 0 || Math.max(column, row) >= CELLS || (background[row * CELLS + column] ?? 0) > 0
  }
}

/** Whether most of the picture's border has the colour of its corner. */
function hasPlainBorder({ width, height, rgb }: Colours): boolean {
  let plain = 0
  for (let x = 0; x < width; x++) plain += Number(isNearCorner(rgb, x)) + Number(isNearCorner(rgb, (height - 1) * width + x))
  for (let y = 0; y < height; y++)
    plain += Number(isNearCorner(rgb, y * width)) + Number(isNearCorner(rgb, (y + 1) * width - 1))
  return plain >= MIN_PLAIN_BORDER * 2 * (width + height)
}

/** Whether a pixel differs from the top left one by at most `TOLERANCE`. */
function isNearCorner(rgb: Uint8Array, pixel: number): boolean {
  for (let i = 0; i < 3; i++) if (Math.abs((rgb[3 * pixel + i] ?? 0) - (rgb[i] ?? 0)) > TOLERANCE) return false
  return true
}

/** The rectangle inscribed in the ellipse that fills a part. Circles and round corners do not cut it. */
export function inscribed({ left, top, right, bottom }: Rectangle): Rectangle {
  const [across, down] = [((1 - INSCRIBED) / 2) * (right - left), ((1 - INSCRIBED) / 2) * (bottom - top)]
  return { left: left + across, top: top + down, right: right - across, bottom: bottom - down }
}

/**
 * Scans from the borders.
 * @returns the bounding box of all that differs from the corners' colour, and the share of background in each of its cells.
 */
function seenFromBorders({ width, height, rgb }: Colours): { part: Rectangle; background: Float32Array } | undefined {
  const isBackground = (x: number, y: number) => isNearCorner(rgb, y * width + x)
  const corners = [0, height - 1].every((y) => isBackground(0, y) && isBackground(width - 1, y))
  if (!corners) return undefined
  const rows = runsOf(height, width, (y, x) => isBackground(x, y))
  const columns = runsOf(width, height, isBackground)
  const part = { left: least(rows.starts), right: most(rows.ends), top: least(columns.starts), bottom: most(columns.ends) }
  if (part.right - part.left < MIN_SIDE_PX || part.bottom - part.top < MIN_SIDE_PX) return undefined
  const isBeyond = ({ starts, ends }: Runs, line: number, at: number) => at < (starts[line] ?? 0) || at >= (ends[line] ?? 0)
  const background = new Float32Array(CELLS * CELLS)
  const [right, down] = [(part.right - part.left) / (CELLS * POINTS), (part.bottom - part.top) / (CELLS * POINTS)]
  for (let i = 0; i < CELLS * POINTS; i++) {
    const y = Math.floor(part.top + (i + 0.5) * down)
    for (let j = 0; j < CELLS * POINTS; j++) {
      const x = Math.floor(part.left + (j + 0.5) * right)
      const cell = Math.floor(i / POINTS) * CELLS + Math.floor(j / POINTS)
      if (isBeyond(rows, y, x) || isBeyond(columns, x, y)) background[cell] = (background[cell] ?? 0) + 1 / (POINTS * POINTS)
    }
  }
  return { part, background }
}

/** For each row or column, where the shape starts and ends. */
interface Runs {
  readonly starts: Uint16Array
  readonly ends: Uint16Array
}

function runsOf(lines: number, length: number, isBackground: (line: number, at: number) => boolean): Runs {
  const starts = new Uint16Array(lines).fill(length)
  const ends = new Uint16Array(lines)
  for (let line = 0; line < lines; line++) {
    let start = 0
    while (start < length && isBackground(line, start)) start++
    if (start === length) continue
    let end = length
    while (isBackground(line, end - 1)) end--
    starts[line] = start
    ends[line] = end
  }
  return { starts, ends }
}

/**
 * @returns the share of background in each cell; `undefined` if this is no shape. Inside an ellipse or round corners there is none, even where the picture
 *   has its colour.
 */
function backgroundOf(background: Float32Array, sides: number): Float32Array | undefined {
  const corners = [0, CELLS - 1, CELLS * (CELLS - 1), CELLS * CELLS - 1]
  if (corners.some((cell) => (background[cell] ?? 0) < MIN_CORNER)) return undefined
  const total = sumOf(background) / background.length
  const isSymmetric = () => total >= MIN_BACKGROUND && total <= MAX_BACKGROUND && isMirrorSymmetric(background)
  return roundIn(background, sides) ?? (isSymmetric() ? background : undefined)
}

/** Whether the background is nearly the same on the left as on the right. */
function isMirrorSymmetric(background: Float32Array): boolean {
  let uneven = 0
  for (let k = 0; k < background.length; k++) uneven += Math.abs((background[k] ?? 0) - (background[mirrored(k)] ?? 0))
  return uneven <= MAX_ASYMMETRY * sumOf(background)
}

/**
 * @returns the background common to all four corners, if the shape is an ellipse or has round corners; `undefined` if not. The rest of the picture may
 *   have its colour, too.
 */
function roundIn(background: Float32Array, sides: number): Float32Array | undefined {
  const alike = background.map((share, k) => {
    const below = background.length - 1 - k
    return Math.min(share, background[mirrored(k)] ?? 0, background[below] ?? 0, background[mirrored(below)] ?? 0)
  })
  const corner = sumOf(alike) / alike.length / 4 / ROUND_SHARE
  if (4 * corner * ROUND_SHARE < MIN_BACKGROUND) return undefined
  const [across, down] = [Math.min(0.5, Math.sqrt(corner / sides)), Math.min(0.5, Math.sqrt(corner * sides))]
  let unlike = 0
  for (let k = 0; k < alike.length; k++) {
    const x = Math.max(0, 1 - fromBorder(k % CELLS) / across)
    const y = Math.max(0, 1 - fromBorder(Math.floor(k / CELLS)) / down)
    unlike += Math.abs((alike[k] ?? 0) - (x * x + y * y > 1 ? 1 : 0))
  }
  return unlike <= MAX_UNLIKE_ROUND * sumOf(alike) ? alike : undefined
}

/** Distance of a cell's centre from the nearest border, relative to the side. */
function fromBorder(cell: number): number {
  return (Math.min(cell, CELLS - 1 - cell) + 0.5) / CELLS
}

interface Cells {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** The cells that lie completely in a part of the picture. */
function cellsOf({ left, top, right, bottom }: Rectangle, part: Rectangle): Cells {
  const [wide, high] = [(part.right - part.left) / CELLS, (part.bottom - part.top) / CELLS]
  return {
    left: Math.ceil((left - part.left) / wide),
    top: Math.ceil((top - part.top) / high),
    right: Math.floor((right - part.left) / wide),
    bottom: Math.floor((bottom - part.top) / high),
  }
}

function isInside(background: Float32Array, { left, top, right, bottom }: Cells): boolean {
  if (left < 0 || top < 0 || right > CELLS || bottom > CELLS) return false
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) if ((background[row * CELLS + column] ?? 0) > 0) return false
  }
  return true
}

/** The largest rectangle without background among those that are horizontally centred. */
function largestInside(background: Float32Array, { left, top, right, bottom }: Rectangle): Rectangle | undefined {
  const [wide, high] = [(right - left) / CELLS, (bottom - top) / CELLS]
  let best: Rectangle | undefined
  let maxCells = 0
  for (let from = 0; from < CELLS; from++) {
    let margin = 0
    for (let to = from + 1; to <= CELLS && margin < CELLS / 2; to++) {
      const isFree = () => isInside(background, { left: margin, top: to - 1, right: CELLS - margin, bottom: to })
      while (margin < CELLS / 2 && !isFree()) margin++
      const cells = (to - from) * (CELLS - 2 * margin)
      if (cells <= maxCells) continue
      maxCells = cells
      best = { left: left + margin * wide, right: right - margin * wide, top: top + from * high, bottom: top + to * high }
    }
  }
  return best
}

function mirrored(cell: number): number {
  const column = cell % CELLS
  return cell - column + (CELLS - 1 - column)
}

function sumOf(numbers: Float32Array): number {
  let sum = 0
  for (const number of numbers) sum += number
  return sum
}

function least(numbers: Uint16Array): number {
  return numbers.reduce((a, b) => Math.min(a, b))
}

function most(numbers: Uint16Array): number {
  return numbers.reduce((a, b) => Math.max(a, b))
}

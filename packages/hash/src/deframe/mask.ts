// A heart or a star leaves no large rectangle of the picture. So the core and the middle of the uncut picture are hashed, with the background in them
// replaced. Where the uncut picture ended is not known, so several frames are assumed.

import { SAMPLES_A_SIDE } from '../area-table.js'
import { areaOf, distinct, type Rectangle, shaped } from '../rectangle.js'

/** Maximum excess of the box's width over its height, relative to the width. Wider shapes are not assumed to be cut from a square. */
const MAX_EXCESS = 0.14
/** Distance between the assumed squares, relative to their side. A hash at half of it from its place is 40 bits away. */
const STEP = 0.016
/** Minimum share of the canvas that the box takes. In a smaller shape too little of the picture is left. */
const MIN_CANVAS_SHARE = 0.3
/** Frames that overlap more are the same. */
const SAME_FRAME = 0.985
/** Sides of the squares that icons are drawn in, relative to a heart's width. Most have a heart of 20 of 24 units, in the middle. */
const ICON_SIDES = [1.2, 1.15]
/** Repetitions of the filling. 100 and 400 give hashes that are no nearer. */
const FILLINGS = 40

/** The whole picture, and its width over its height as displayed. */
export interface Canvas {
  readonly whole: Rectangle
  readonly aspect: number
}

/**
 * @param box the smallest rectangle around a shape.
 * @returns where the picture may have ended before a shape was cut out of it: at the borders of the canvas, or of its middle square. Without those that
 *   are the box.
 */
export function canvasesAround(box: Rectangle, { whole, aspect }: Canvas): Rectangle[] {
  const canvases = [whole, shaped(whole, aspect, 1)].filter(
    (frame) => areaOf(box) >= MIN_CANVAS_SHARE * areaOf(frame) && isWithin(box, frame),
  )
  return distinct([box, ...canvases], SAME_FRAME).slice(1)
}

/**
 * @param sides width over height of the box, as displayed.
 * @returns where the picture may have ended before a heart was cut out of it: at the box or a canvas; at the square of an icon, if the canvas has room
 *   for it; or at a square that is as wide as the box. A drawing program leaves room above and below a heart, and how much depends on the program. At
 *   most 15.
 */
export function framesOf(box: Rectangle, sides: number, canvas: Canvas): Rectangle[] {
  const [width, height] = [box.right - box.left, (box.bottom - box.top) * sides]
  const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2]
  const icons = ICON_SIDES.map((side) => ({
    ...{ left: x - (side * width) / 2, right: x + (side * width) / 2 },
    ...{ top: y - (side * height) / 2, bottom: y + (side * height) / 2 },
  }))
  const within = icons.filter((icon) => isWithin(icon, canvas.whole))
  return distinct([box, ...canvasesAround(box, canvas), ...within, ...squaresOf(box, sides)], SAME_FRAME)
}

function isWithin(box: Rectangle, frame: Rectangle): boolean {
  return box.left >= frame.left && box.top >= frame.top && box.right <= frame.right && box.bottom <= frame.bottom
}

function squaresOf(box: Rectangle, sides: number): Rectangle[] {
  const excess = 1 - 1 / sides
  if (excess <= STEP || excess > MAX_EXCESS) return []
  const height = (box.bottom - box.top) * sides
  const steps = Math.ceil(excess / STEP)
  // Those with as much room above as below come first, because not all may be hashed.
  const shares = Array.from({ length: steps + 1 }, (_, i) => i / steps).sort((a, b) => Math.abs(a - 0.5) - Math.abs(b - 0.5))
  return shares.map((share) => {
    const top = box.top - share * excess * height
    return { ...box, top, bottom: top + height }
  })
}

/** Whether a point of the raster is background. */
export type IsBackground = (x: number, y: number) => boolean

/**
 * Replaces the samples of a part that are background: each by the mean of those beside it, again and again. So the fill continues the picture, and its
 * edge does not decide the hash. Cost: 0.6 ms.
 */
export function fillIn(samples: Float32Array, { left, top, right, bottom }: Rectangle, isBackground: IsBackground): void {
  const place = (at: number, from: number, to: number) => from + ((at + 0.5) / SAMPLES_A_SIDE) * (to - from)
  const free: number[] = []
  let sum = 0
  for (let k = 0; k < samples.length; k++) {
    const [column, row] = [k % SAMPLES_A_SIDE, Math.floor(k / SAMPLES_A_SIDE)]
    if (isBackground(place(column, left, right), place(row, top, bottom))) free.push(k)
    else sum += samples[k] ?? 0
  }
  const mean = sum / Math.max(1, samples.length - free.length)
  for (const k of free) samples[k] = mean
  for (let i = 0; i < FILLINGS; i++) for (const k of free) samples[k] = meanBeside(samples, k)
}

function meanBeside(samples: Float32Array, k: number): number {
  const [column, row] = [k % SAMPLES_A_SIDE, Math.floor(k / SAMPLES_A_SIDE)]
  const last = SAMPLES_A_SIDE - 1
  const [before, after] = [column > 0 ? k - 1 : k + 1, column < last ? k + 1 : k - 1]
  const [above, below] = [
    row > 0 ? k - SAMPLES_A_SIDE : k + SAMPLES_A_SIDE,
    row < last ? k + SAMPLES_A_SIDE : k - SAMPLES_A_SIDE,
  ]
  return ((samples[before] ?? 0) + (samples[after] ?? 0) + (samples[above] ?? 0) + (samples[below] ?? 0)) / 4
}

// Chooses windows of a long picture, such as a scrolling screenshot, so that its parts can be found. Workers and browsers both use it.

import { deframe } from './deframe/deframe.js'
import { endsOf } from './deframe/ends.js'
import { MAX_WINDOWS } from './file-frames.js'
import type { FrameKernel } from './frame-kernel.js'
import { cutOut, type Pixels } from './pixels.js'
import { areaOf, overlapOf, type Rectangle } from './rectangle.js'
import { isPictureIn } from './simple.js'
import type { Purpose } from './views.js'

/**
 * If the long side is at least this many times the short one, the picture is hashed by windows, too. A phone's screen is 2.2 times as high as wide.
 */
const MIN_RATIO = 3
/** A narrower picture shows nothing that could be found. */
const MIN_SHORT_PX = 64
/** Length of the short side when windows are cut: five pixels for each of the 64 samples of a hash. */
const SHORT_PX = 320
/** Bounds the memory. The longest pictures are reduced further. */
const MAX_WINDOWED_PIXELS = 12_000_000

/**
 * Lengths relative to the short side. Photographs are searched for in overlapping slices. A photograph of up to `slice` − `step` lies completely in
 * one of them. Posts are shorter.
 */
const SLICE = { slice: 2.5, step: 1.1 } as const
/** Bounds the time. Longer pictures have gaps between slices. */
const MAX_SLICES = 60
/** Area of a photograph, relative to the square of the short side. Smaller parts are avatars, icons and stickers. */
const MIN_PART_AREA = 0.12
/** Maximum ratio of the long to the short side of a part. Longer parts are bars and lines of text. */
const MAX_PART_RATIO = 2.5
/** Parts that overlap this much are the same. */
const SAME_OVERLAP = 0.93
/**
 * Maximum parts that are hashed. A query has fewer, because each costs a search, and no squares: with and without squares, 31 of 32 photographs in
 * four long screenshots were found.
 */
const MAX_PARTS: Readonly<Record<Purpose, number>> = { register: 72, query: 48 }
/** Maximum ends of photographs that are registered. Only tall pictures have them: a screen may show these scrolled to any place. */
const MAX_ENDS = 48
/** Minimum distance between squares, relative to the short side. It is larger in pictures so long that `MAX_WINDOWS` limits their number. */
const MIN_STRIDE = 0.12

type Size = Pick<Pixels, 'width' | 'height'>

/** @param aspect width over height of the displayed picture. */
export function isLong(aspect: number): boolean {
  return Math.max(aspect, 1 / aspect) >= MIN_RATIO
}

/** @returns the size to which a long picture is reduced before windows are cut, in its own proportions. Nothing is enlarged. */
export function windowedSize({ width, height }: Size): Size {
  const factor = Math.min(1, SHORT_PX / Math.min(width, height), Math.sqrt(MAX_WINDOWED_PIXELS / (width * height)))
  return { width: Math.max(1, Math.round(factor * width)), height: Math.max(1, Math.round(factor * height)) }
}

/**
 * Chooses windows. Queries get the photographs in the picture, the likeliest first. Registrations also get the ends of these photographs, because a
 * screen may cut them off, and squares at even distances, for parts without a photograph.
 *
 * Squares alone would have to be 6 % of the width apart. In a picture of 1,080 × 20,000 pixels, 300 squares found 27 of 32 phone screenshots, and 25
 * photographs found 28.
 *
 * @param pixels in the picture's own proportions, at most as large as `windowedSize` says.
 * @returns at most `MAX_WINDOWS` rectangles within the picture, with whole numbers of pixels; none for a picture that is not long.
 * Cost: 10 ms for each slice of 320 × 800 pixels. Memory: a copy of one slice, which is overwritten.
 */
export function windowsOf(pixels: Pixels, purpose: Purpose, kernel: FrameKernel): Rectangle[] {
  const { width, height } = pixels
  if (!isLong(width / height) || Math.min(width, height) < MIN_SHORT_PX) return []
  // Ends are of scrolling pages, which are high.
  const hasEnds = purpose === 'register' && height >= width
  const found = partsOf(pixels, kernel, hasEnds).slice(0, MAX_PARTS[purpose])
  const parts = found.map(({ part }) => part)
  if (purpose === 'query') return parts
  const pictures = found.flatMap(({ part, isPicture }) => (isPicture ? [part] : []))
  const ends = endsOf(pictures, SAME_OVERLAP)
    .filter((end) => isLargeEnough(end, pixels))
    .slice(0, MAX_ENDS)
  return [...parts, ...ends, ...squaresOf(pixels, MAX_WINDOWS - parts.length - ends.length)]
}

interface Part {
  readonly part: Rectangle
  /** 0 for the likeliest of its slice. */
  readonly rank: number
  /** Whether it is not itself a form; `false` if that was not asked for. */
  readonly isPicture: boolean
}

function partsOf(pixels: Pixels, kernel: FrameKernel, findsPictures: boolean): Part[] {
  const shortPx = Math.min(pixels.width, pixels.height)
  const slicePx = Math.round(SLICE.slice * shortPx)
  const slices = placesOf(pixels, slicePx, SLICE.step * shortPx, MAX_SLICES)
  const found = slices.flatMap((slice) => partsIn(pixels, slice, kernel, findsPictures)).sort((a, b) => a.rank - b.rank)
  const chosen: Part[] = []
  for (const one of found) if (chosen.every((other) => overlapOf(one.part, other.part) < SAME_OVERLAP)) chosen.push(one)
  return chosen
}

function partsIn(pixels: Pixels, slice: Rectangle, kernel: FrameKernel, findsPictures: boolean): Part[] {
  const copy = cutOut(pixels, slice)
  try {
    return kernel.measure(copy, (raster) => {
      const [across, down] = [copy.width / raster.width, copy.height / raster.height]
      return deframe(raster)
        .parts.map((own) => {
          const part = {
            left: slice.left + Math.round(own.left * across),
            top: slice.top + Math.round(own.top * down),
            right: slice.left + Math.round(own.right * across),
            bottom: slice.top + Math.round(own.bottom * down),
          }
          return { part, own }
        })
        .filter(({ part }) => isLargeEnough(part, pixels) && !isCutOff(part, slice, pixels))
        .map(({ part, own }, rank) => ({ part, rank, isPicture: findsPictures && isPictureIn(raster, own) }))
    })
  } finally {
    copy.data.fill(0)
  }
}

function isLargeEnough(part: Rectangle, { width, height }: Size): boolean {
  const ratio = (part.right - part.left) / (part.bottom - part.top)
  return areaOf(part) >= MIN_PART_AREA * Math.min(width, height) ** 2 && Math.max(ratio, 1 / ratio) <= MAX_PART_RATIO
}

/** A border this near to the border of the slice counts as that border. */
const BORDER_PX = 2

/** Whether the slice cuts the part off. The next slice shows more of it. */
function isCutOff(part: Rectangle, slice: Rectangle, { width, height }: Size): boolean {
  const ends = (at: number, sliceAt: number, pictureAt: number) =>
    Math.abs(at - sliceAt) <= BORDER_PX && sliceAt !== pictureAt
  return (
    ends(part.left, slice.left, 0) ||
    ends(part.top, slice.top, 0) ||
    ends(part.right, slice.right, width) ||
    ends(part.bottom, slice.bottom, height)
  )
}

function squaresOf(pixels: Size, maxParts: number): Rectangle[] {
  const sidePx = Math.min(pixels.width, pixels.height)
  return placesOf(pixels, sidePx, MIN_STRIDE * sidePx, maxParts)
}

/** @returns parts as wide as the short side and `lengthPx` long, evenly placed from end to end, at least `stepPx` apart, at most `maxParts`. */
function placesOf({ width, height }: Size, lengthPx: number, stepPx: number, maxParts: number): Rectangle[] {
  const restPx = Math.max(width, height) - lengthPx
  const steps = Math.max(1, Math.min(maxParts - 1, Math.ceil(restPx / stepPx)))
  return Array.from({ length: steps + 1 }, (_, i) => {
    const from = Math.round((i * restPx) / steps)
    return height >= width
      ? { left: 0, top: from, right: width, bottom: from + lengthPx }
      : { left: from, top: 0, right: from + lengthPx, bottom: height }
  })
}

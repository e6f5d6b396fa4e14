// Chooses the small pictures of a page that a query hashes.

import type { MeasuredRaster } from '../measured.js'
import { areaOf, overlapOf, type Rectangle, shaped } from '../rectangle.js'
import { isPictureIn, isSignageInside } from '../simple.js'
import { blocksOf } from './page-blocks.js'
import { SHAPES } from './shares.js'

/** Maximum pictures. Each costs two needles. A gallery with four columns shows up to 28 on a phone's screen. */
const MAX_PICTURES = 24
/** The largest pictures are also cropped: at most this many. */
const MAX_CROPPED = 6
/** Maximum ratio of the long to the short side. A longer part is usually a line of text or a bar. */
const MAX_RATIO = 2.5
/** A part that overlaps a known one more than this is hashed already. Edges may differ by a pixel, and in a small picture that is ten bits or more. */
const SAME_OVERLAP = 0.97
/** A picture has a shape if the ratio of its sides differs less from that of the shape. */
const SAME_SHAPE = 1.03

/**
 * @param aspect width over height of the displayed page.
 * @param known parts that the query hashes anyway.
 * @returns pictures, the largest first; then crops of the largest ones, in case an app cropped them.
 * Cost: under 1 ms for a photograph, 2 to 5 ms for a page.
 */
export function smallPicturesOf(raster: MeasuredRaster, aspect: number, known: readonly Rectangle[]): Rectangle[] {
  const aspectIn = ({ left, top, right, bottom }: Rectangle) =>
    aspect * (((right - left) / raster.width) * (raster.height / (bottom - top)))
  const isStrip = (part: Rectangle) => Math.max(aspectIn(part), 1 / aspectIn(part)) > MAX_RATIO
  const isKnown = (part: Rectangle) => known.some((other) => overlapOf(part, other) >= SAME_OVERLAP)
  const isPicture = (part: Rectangle) => !isSignageInside(raster, part, aspect) && isPictureIn(raster, part)
  const pictures = blocksOf(raster)
    .filter((part) => !isStrip(part) && !isKnown(part) && isPicture(part))
    .sort((a, b) => areaOf(b) - areaOf(a))
    .slice(0, MAX_PICTURES)
  return [...pictures, ...pictures.slice(0, MAX_CROPPED).flatMap((part) => cropsOf(part, aspectIn(part)))]
}

/**
 * The registered picture may be wider or higher than this one. If it is wider, both have the same crop to a narrower shape; if it is higher, the same
 * crop to a wider shape. So each is cropped to the nearest shapes that registrations have. In one of these shapes it is such a crop itself.
 */
function cropsOf(part: Rectangle, aspect: number): Rectangle[] {
  if (SHAPES.some((shape) => Math.max(shape / aspect, aspect / shape) < SAME_SHAPE)) return []
  const [narrower, wider] = [SHAPES.findLast((shape) => shape < aspect), SHAPES.find((shape) => shape > aspect)]
  return [narrower, wider].flatMap((shape) => (shape === undefined ? [] : [shaped(part, aspect, shape)]))
}

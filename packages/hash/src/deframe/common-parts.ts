// Parts of a picture that copies of it still show where an app cropped it or cut it to a shape. Registrations and queries hash the same ones.

import { type Rectangle, type Share, shaped, within } from '../rectangle.js'
import type { IsBackground } from './mask.js'
import { inscribed, isShape, type Mask, type Shape } from './shape.js'

/**
 * Apps crop a picture to the shape in which they show it: phones have 9:16 to 9:22, posts up to 16:9. Each centred crop in between contains the
 * narrowest one, if its sides were cut, or the widest, if its top and bottom were. Registrations and queries both hash these two. So a crop finds the
 * whole picture, the whole picture its crop, and one crop another.
 */
const NARROWEST = 9 / 22
const WIDEST = 16 / 9
/**
 * The parts of the narrowest crop that are hashed. Full-screen stories and reels have names and bars at the top and the bottom, captions over the
 * lower third, and icons at the right. So the first part leaves out the top and the bottom, and the second also the right.
 */
const CORES: readonly Share[] = [
  [0, 0.14, 1, 0.86],
  [0, 0.3, 0.8, 0.86],
]

/** Parts of the narrowest crop that registrations and queries both hash. */
export function cores(part: Rectangle, aspect: number): Rectangle[] {
  const narrowest = shaped(part, aspect, NARROWEST)
  return CORES.map((core) => within(narrowest, core))
}

/** Parts that all centred crops to the shapes of apps have in common with the picture. */
export function common(part: Rectangle, aspect: number): Rectangle[] {
  return [...cores(part, aspect), ...(aspect < WIDEST ? [shaped(part, aspect, WIDEST)] : [])]
}

export interface Cut {
  readonly part: Rectangle
  /** Tells the background in the part, which is to be replaced. */
  readonly isBackground?: IsBackground
  /** As in `View`. */
  readonly isInside?: true
}

/**
 * @returns the common parts that a shape does not cut off, or the largest rectangle in another outline; then a core and the middle of each of
 *   `frames`, with the background in them replaced. A core is nearer, because more of it is left; a tall picture that an app cropped to a square has
 *   only the middle in common with the square.
 */
export function commonIn(outline: Shape | Mask, sidesOf: (part: Rectangle) => number): Cut[] {
  const { box, inside, frames, isBackground } = outline
  const known: Cut[] = isShape(outline)
    ? common(box, sidesOf(box)).flatMap((part) => (outline.holds(part) ? [{ part }] : []))
    : [{ part: inside, isInside: true }]
  const cut = frames.flatMap((frame) => [...cores(frame, sidesOf(frame)).slice(1), middleOf(frame, sidesOf(frame))])
  return [...known, ...cut.map((part) => ({ part, isBackground }))]
}

/** The rectangle that a circle would leave of the middle square. */
export function middleOf(part: Rectangle, aspect: number): Rectangle {
  return inscribed(shaped(part, aspect, 1))
}

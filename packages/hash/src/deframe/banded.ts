// A band across a picture, such as a caption over a story: its edges are as straight as those of the picture, so both parts of the picture rank before
// the picture.

import type { Rectangle } from '../rectangle.js'

/** Maximum distance of edges that are the same, relative to the picture's sides. */
const SAME_EDGE = 0.02
/** Height of the band, relative to that of the picture. A lower one may be the gap between two pictures, a higher one the text between two posts. */
const MIN_BAND = 0.05
const MAX_BAND = 0.2
/** A part lower than this, relative to the picture, may be a row of buttons. */
const MIN_PART = 0.2

/**
 * @param part the likeliest part.
 * @param ranked other parts, the likeliest first.
 * @returns the first of `ranked` that is `part`, a band across it, and another one of `ranked` above or below. `undefined` if there is none.
 */
export function pictureAround<Part extends Rectangle>(part: Part, ranked: readonly Part[]): Part | undefined {
  return ranked.find((picture) => {
    const [width, height] = [picture.right - picture.left, picture.bottom - picture.top]
    const isAcross = (one: Rectangle) =>
      Math.abs(one.left - picture.left) <= SAME_EDGE * width && Math.abs(one.right - picture.right) <= SAME_EDGE * width
    const isAtTop = (one: Rectangle) => isAcross(one) && Math.abs(one.top - picture.top) <= SAME_EDGE * height
    const isAtBottom = (one: Rectangle) => isAcross(one) && Math.abs(one.bottom - picture.bottom) <= SAME_EDGE * height
    const isSplit = (above: Rectangle, below: Rectangle) => {
      if (!isAtTop(above) || !isAtBottom(below)) return false
      const heights = [above.bottom - above.top, below.bottom - below.top].map((part) => part / height)
      const band = (below.top - above.bottom) / height
      return band >= MIN_BAND && band <= MAX_BAND && heights.every((share) => share >= MIN_PART)
    }
    return ranked.some((other) => isSplit(part, other) || isSplit(other, part))
  })
}

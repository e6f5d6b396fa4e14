// Finds the picture behind a band, such as a caption over a story. The band's edges are as straight as those of the picture, so the two parts that it
// leaves rank before the picture.

import type { Rectangle } from '../rectangle.js'

/** Edges this near to each other are the same, relative to the picture's sides. */
const SAME_EDGE = 0.02
/**
 * Limits for the band's height, relative to the picture's. A lower band may be the gap between two pictures, a higher one the text between two posts.
 */
const MIN_BAND = 0.05
const MAX_BAND = 0.2
/** Minimum height of a part, relative to the picture's. A lower one may be a row of buttons. */
const MIN_PART = 0.2

/**
 * @param part the likeliest part.
 * @param ranked other parts, the likeliest first.
 * @returns the first of `ranked` that consists of `part`, a band, and another one of `ranked` on the other side of the band; `undefined` if none
 *   does.
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

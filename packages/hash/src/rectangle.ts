// A part of a picture.

/**
 * Edges: `left` ≤ x < `right`, `top` ≤ y < `bottom`. In pixels of a picture or its raster, not necessarily whole; where a comment says so, in
 * fractions of the sides.
 */
export interface Rectangle {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export function areaOf({ left, top, right, bottom }: Rectangle): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top)
}

/** @returns the common area of two rectangles divided by the area that they cover together: 0…1. */
export function overlapOf(a: Rectangle, b: Rectangle): number {
  const shared = areaOf({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  })
  return shared === 0 ? 0 : shared / (areaOf(a) + areaOf(b) - shared)
}

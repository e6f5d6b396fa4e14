// A part of a picture.

/**
 * Edges: `left` ≤ x < `right`, `top` ≤ y < `bottom`. In pixels of a picture or its raster, not necessarily whole numbers. In fractions of the sides
 * where a comment says so.
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

/** @returns the parts in their order, without those that overlap an earlier one by `sameOverlap` or more. */
export function distinct(parts: readonly Rectangle[], sameOverlap: number): Rectangle[] {
  const chosen: Rectangle[] = []
  for (const part of parts) if (chosen.every((other) => overlapOf(part, other) < sameOverlap)) chosen.push(part)
  return chosen
}

/** A part of a rectangle, in shares of its sides. */
export type Share = readonly [left: number, top: number, right: number, bottom: number]

/** @returns the part in the rectangle's own units. */
export function within({ left, top, right, bottom }: Rectangle, [l, t, r, b]: Share): Rectangle {
  const width = right - left
  const height = bottom - top
  return { left: left + l * width, top: top + t * height, right: left + r * width, bottom: top + b * height }
}

/** @returns the largest centred part with an aspect ratio of `shape`. @param aspect the aspect ratio of `part` as displayed. */
export function shaped(part: Rectangle, aspect: number, shape: number): Rectangle {
  const across = Math.min(1, shape / aspect)
  const down = Math.min(1, aspect / shape)
  return within(part, [(1 - across) / 2, (1 - down) / 2, (1 + across) / 2, (1 + down) / 2])
}

// Parts of a query without a twentieth at one side. A picture of which a query shows a little more or less was registered with crops like these.

import { type Rectangle, type Share, within } from '../rectangle.js'

const SIDES: readonly Share[] = [
  [0.05, 0, 1, 1],
  [0, 0.05, 1, 1],
  [0, 0, 0.95, 1],
  [0, 0, 1, 0.95],
]

/** @returns four crops. They overlap, so each has to be nearer than other parts, and confirms none. Forms of one kind agree in them. */
export function withoutSides(part: Rectangle): Rectangle[] {
  return SIDES.map((share) => within(part, share))
}

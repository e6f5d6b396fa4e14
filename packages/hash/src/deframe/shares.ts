// Where halves, quarters and crops lie in a part: left, top, right and bottom, relative to its sides.

import type { Share } from '../rectangle.js'

export const STORY = 9 / 16
/** Shapes in which apps show pictures, width over height: a story, a post, a square, a wide screen. */
export const SHAPES = [STORY, 4 / 5, 1, 16 / 9] as const
export const HALVES: readonly Share[] = [
  [0, 0, 0.5, 1],
  [0.5, 0, 1, 1],
  [0, 0, 1, 0.5],
  [0, 0.5, 1, 1],
]
export const QUARTERS: readonly Share[] = [
  [0, 0, 0.5, 0.5],
  [0.5, 0, 1, 0.5],
  [0, 0.5, 0.5, 1],
  [0.5, 0.5, 1, 1],
]
export const CENTRE: Share = [0.1, 0.1, 0.9, 0.9]
/** Cropped on one side, on two opposite sides, at a corner. */
export const EDGE_CROPS: readonly Share[] = [
  [0, 0, 0.9, 1],
  [0.1, 0, 1, 1],
  [0, 0, 1, 0.9],
  [0, 0.1, 1, 1],
  [0, 0.05, 1, 0.95],
  [0.05, 0, 0.95, 1],
  [0, 0, 0.94, 0.94],
  [0.06, 0, 1, 0.94],
  [0, 0.06, 0.94, 1],
  [0.06, 0.06, 1, 1],
]
export const CROPS: readonly Share[] = [...EDGE_CROPS, CENTRE]
/**
 * Without a twentieth at one side. Queries hash these crops of their likeliest part and of the whole, which may show a little more than a registered
 * crop. Crops of the likeliest part overlap other parts, so they get the kind `crop`: each has to be nearer than other parts, and confirms none. Crops
 * of the whole get the kind `tilted`. Forms of one kind agree in both.
 */
export const WITHOUT_A_SIDE: readonly Share[] = [
  [0.05, 0, 1, 1],
  [0, 0.05, 1, 1],
  [0, 0, 0.95, 1],
  [0, 0, 1, 0.95],
]

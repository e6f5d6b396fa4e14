// The eight ways to turn and mirror a picture, in the order of PDQ's reference implementation.

/**
 * Each is made of at most three steps, in this order: swap top and bottom, swap left and right, exchange rows and columns.
 * One table serves coefficients, hash bits, block totals and pixels alike. Turns are counter-clockwise.
 */
export const transforms = [
  { name: 'original', topBottom: false, leftRight: false, transposes: false },
  { name: 'rotate90', topBottom: false, leftRight: true, transposes: true },
  { name: 'rotate180', topBottom: true, leftRight: true, transposes: false },
  { name: 'rotate270', topBottom: true, leftRight: false, transposes: true },
  { name: 'flipX', topBottom: true, leftRight: false, transposes: false },
  { name: 'flipY', topBottom: false, leftRight: true, transposes: false },
  { name: 'flipPlus1', topBottom: false, leftRight: false, transposes: true },
  { name: 'flipMinus1', topBottom: true, leftRight: true, transposes: true },
] as const

export type Transform = (typeof transforms)[number]
export type TransformName = Transform['name']

// The eight orientations of a picture, in the order of PDQ's reference implementation.

/**
 * Each consists of up to three steps, in this order: swap top and bottom, swap left and right, exchange rows and columns. The table applies to
 * coefficients, hash bits, block totals and pixels alike. Rotations are counter-clockwise.
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

const MIRRORED = transforms.findIndex(({ name }) => name === 'flipY')

/** Whether an orientation (an index into `transforms`) is the original or its left-right mirror image. */
export function isUpright(orientation: number): boolean {
  return orientation === 0 || orientation === MIRRORED
}

const lists: readonly (readonly number[])[] = [[0], [0, MIRRORED], transforms.map((_, orientation) => orientation)]

/**
 * @param hashes the number of hashes in a list: 1, 2 or 8.
 * @returns their orientations, as indexes into `transforms`: the original; the original and its mirror image; or all.
 * @throws {RangeError} for any other number.
 */
export function orientationsOf(hashes: number): readonly number[] {
  const orientations = lists.find(({ length }) => length === hashes)
  if (orientations === undefined) throw new RangeError('hashes of one picture are 1, 2 or 8')
  return orientations
}

export type Transform = (typeof transforms)[number]
export type TransformName = Transform['name']

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

const MIRRORED = transforms.findIndex(({ name }) => name === 'flipY')

/** Neither on its side nor upside down: as it is, or as a mirror shows it. */
export function isUpright(orientation: number): boolean {
  return orientation === 0 || orientation === MIRRORED
}

const lists: readonly (readonly number[])[] = [[0], [0, MIRRORED], transforms.map((_, orientation) => orientation)]

/**
 * Which of `transforms` a list of so many hashes of one picture stands for: as it is; as it is and mirrored; or all.
 * @throws {RangeError} when the list is none of these.
 */
export function orientationsOf(hashes: number): readonly number[] {
  const orientations = lists.find(({ length }) => length === hashes)
  if (orientations === undefined) throw new RangeError('hashes of one picture are 1, 2 or 8')
  return orientations
}

export type Transform = (typeof transforms)[number]
export type TransformName = Transform['name']

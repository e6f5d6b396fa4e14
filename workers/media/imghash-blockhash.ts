// blockhash on a 16 × 16 grid by the library imghash, from the totals of blocks instead of pixels.

import imghash from 'imghash'
import { blockhashDihedralsOf } from '../../packages/hash/src/dihedral.js'
import { type Hash256, parseHash } from '../../packages/hash/src/hash256.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { type Transform, transforms } from '../../packages/hash/src/transforms.js'

/**
 * @returns the hashes of the picture in all eight orientations, in the order of `transforms`. They equal, bit for bit, what `imghash.hashRaw` returns
 *   for each of the eight pictures at full resolution.
 *
 * blockhash depends only on the totals of a picture's blocks: whether each is above the median of its band, whether it is within 1 of the median, and
 * whether the median is above mid-grey. None of that changes when all totals and mid-grey are shifted by the same amount. So instead of the picture,
 * this hashes one with a pixel for each block, which differs from mid-grey by as much as the block's total does. Cost: microseconds.
 *
 * @param blockTotals from the PDQ kernel.
 */
export function blockhashesOf(blockTotals: readonly number[], { width, height }: Pixels): readonly Hash256[] {
  const moved = ((width * height) / blockTotals.length - 1) * MID_GREY
  return transforms.map((orientation) => hashOf(rotated(blockTotals, orientation).map((total) => total - moved)))
}

/**
 * The same for a picture with a side under 16 pixels, which has too few pixels for blocks. Computes one hash from the pixels, and the other seven
 * from its bits, some of which are approximations (`blockhashDihedralsOf`).
 */
export function blockhashesOfTiny({ data, width, height, channels }: Pixels): readonly Hash256[] {
  const rgba = new Uint8Array(4 * width * height).fill(OPAQUE)
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgba[4 * pixel + channel] = data[pixel * channels + (channels === 1 ? 0 : channel)] ?? 0
    }
  }
  try {
    return blockhashDihedralsOf(raw({ width, height, data: rgba }))
  } finally {
    rgba.fill(0)
  }
}

const SIDE = 16
const MID_GREY = (256 * 3) / 2 // of red + green + blue
const OPAQUE = 255

function rotated(totals: readonly number[], { topBottom, leftRight, transposes }: Transform): number[] {
  return totals.map((_, k) => {
    const row = transposes ? k % SIDE : Math.floor(k / SIDE)
    const column = transposes ? Math.floor(k / SIDE) : k % SIDE
    return totals[(topBottom ? SIDE - 1 - row : row) * SIDE + (leftRight ? SIDE - 1 - column : column)] ?? 0
  })
}

function hashOf(brightness: readonly number[]): Hash256 {
  const data = new Array<number>(4 * brightness.length).fill(0)
  brightness.forEach((value, k) => {
    data[4 * k] = value
    data[4 * k + 3] = OPAQUE
  })
  return raw({ width: SIDE, height: SIDE, data })
}

function raw(image: Parameters<typeof imghash.hashRaw>[0]): Hash256 {
  const hash = parseHash(imghash.hashRaw(image, SIDE))
  if (hash === undefined) throw new Error('imghash answers 64 hex digits')
  return hash
}

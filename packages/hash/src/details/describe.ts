// Computes descriptors of patches around corners: ORB's 256 comparisons, independent of rotation.

import { HASH_BYTES, type Hash256, hashFromBytes } from '../hash256.js'
import type { Level } from './level.js'
import { ORB_PATTERN } from './orb-pattern.js'

/** Rotations are rounded to one of 64 angles, so that the rotated points can be computed in advance. */
export const ANGLES = 64
export const PATCH_REACH = 15

/** Half the width of the disc in each row of a patch, by distance from the middle row. */
export const DISC: readonly number[] = Array.from({ length: PATCH_REACH + 1 }, (_, y) =>
  Math.floor(Math.sqrt((PATCH_REACH + 0.5) ** 2 - y * y)),
)

const POINTS = ORB_PATTERN.length / 2

/** [ANGLES × 512 × 2] x and y of the pattern's points, rotated and rounded; for a patch as it is and for a mirrored one. */
export const ROTATED_PATTERN: { readonly plain: Int8Array; readonly mirrored: Int8Array } = {
  plain: rotatedPattern((x, y, cos, sin) => [x * cos - y * sin, x * sin + y * cos]),
  // The mirrored patch has the angle π − θ. To read it in the unmirrored picture, the pattern is mirrored and then rotated by θ − π.
  mirrored: rotatedPattern((x, y, cos, sin) => [x * cos + y * sin, x * sin - y * cos]),
}

function rotatedPattern(rotate: (x: number, y: number, cos: number, sin: number) => [number, number]): Int8Array {
  const points = new Int8Array(ANGLES * POINTS * 2)
  for (let k = 0; k < ANGLES; k++) {
    const cos = Math.cos((2 * Math.PI * k) / ANGLES)
    const sin = Math.sin((2 * Math.PI * k) / ANGLES)
    for (let i = 0; i < POINTS; i++) {
      const [x, y] = rotate(ORB_PATTERN[2 * i] ?? 0, ORB_PATTERN[2 * i + 1] ?? 0, cos, sin)
      points[(k * POINTS + i) * 2] = Math.round(x)
      points[(k * POINTS + i) * 2 + 1] = Math.round(y)
    }
  }
  return points
}

/** The direction of a patch's intensity centroid, from its moments: 0…63, in 64ths of a full rotation. */
export function angleOf(momentX: number, momentY: number): number {
  const share = Math.atan2(momentY, momentX) / (2 * Math.PI)
  return (Math.round(share * ANGLES) + ANGLES) % ANGLES
}

/** First moments of the luma in the disc around a point. Divided by the sum of the luma they would be the intensity centroid. */
export function momentsAt({ width, luma }: Level, x: number, y: number): [momentX: number, momentY: number] {
  let [momentX, momentY] = [0, 0]
  for (let j = -PATCH_REACH; j <= PATCH_REACH; j++) {
    const reach = DISC[Math.abs(j)] ?? 0
    for (let i = -reach; i <= reach; i++) {
      const value = luma[(y + j) * width + x + i] ?? 0
      momentX += i * value
      momentY += j * value
    }
  }
  return [momentX, momentY]
}

/** The descriptor of the patch around a point, rotated by `angle`. */
export function describedAt({ width, luma }: Level, x: number, y: number, angle: number, pattern: Int8Array): Hash256 {
  const bytes = new Uint8Array(HASH_BYTES)
  const from = angle * POINTS * 2
  const lumaOf = (at: number) => luma[(y + (pattern[at + 1] ?? 0)) * width + x + (pattern[at] ?? 0)] ?? 0
  for (let bit = 0; bit < 8 * HASH_BYTES; bit++) {
    const at = from + 4 * bit
    if (lumaOf(at) < lumaOf(at + 2)) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7))
  }
  return hashFromBytes(bytes)
}

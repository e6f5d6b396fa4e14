// Features with positions and angles rounded for storage. Finer ones would help an attacker to reconstruct the picture. `rows.ts` stores only some of
// these fields.

import type { Hash256 } from '../hash256.js'
import { ANGLES } from './describe.js'
import type { Feature, FeatureView } from './features.js'

/** Number of cells along each side. */
export const PLACES = 32
/** Number of stored angles. */
export const STORED_ANGLES = 16

export interface KeptFeature {
  /** 0…31, from the left. */
  readonly column: number
  /** 0…31, from the top. */
  readonly row: number
  /** 0…15, in 16ths of a full rotation. */
  readonly angle: number
  /** 0…5. */
  readonly level: number
  readonly hash: Hash256
}

export interface KeptView {
  /** Size in pixels of the largest level. The longer side is at most `REGISTERED_SIDE_PX`. */
  readonly width: number
  readonly height: number
  readonly features: readonly KeptFeature[]
}

export function kept({ width, height, features }: FeatureView): KeptView {
  return { width, height, features: features.map((feature) => keptFeature(feature, width, height)) }
}

function keptFeature({ x, y, angle, level, hash }: Feature, width: number, height: number): KeptFeature {
  return {
    column: Math.min(PLACES - 1, Math.floor((x * PLACES) / width)),
    row: Math.min(PLACES - 1, Math.floor((y * PLACES) / height)),
    angle: Math.round((angle * STORED_ANGLES) / ANGLES) % STORED_ANGLES,
    level,
    hash,
  }
}

/** A feature with coordinates in pixels and an angle in 64ths of a full rotation. */
export interface PlacedFeature {
  readonly x: number
  readonly y: number
  readonly angle: number
  readonly level: number
  readonly hash: Hash256
}

/** Places stored features at the centres of their cells. */
export function placed({ width, height, features }: KeptView): PlacedFeature[] {
  return features.map(({ column, row, angle, level, hash }) => ({
    x: ((column + 0.5) * width) / PLACES,
    y: ((row + 0.5) * height) / PLACES,
    angle: (angle * ANGLES) / STORED_ANGLES,
    level,
    hash,
  }))
}

/** The features of a view to query with, as it is or mirrored. */
export function askedFeatures({ width, features }: FeatureView, isMirrored: boolean): PlacedFeature[] {
  if (!isMirrored) return features.map(({ x, y, angle, level, hash }) => ({ x, y, angle, level, hash }))
  return features.flatMap(({ x, y, angle, level, mirrored }) =>
    mirrored === undefined
      ? []
      : [{ x: width - x, y, angle: (ANGLES + ANGLES / 2 - angle) % ANGLES, level, hash: mirrored }],
  )
}

// What is kept of a feature: what it looks like, and roughly where it is. No finer, because places turn back into pictures.

import type { Hash256 } from '../hash256.js'
import { ANGLES } from './describe.js'
import type { Feature, FeatureView } from './features.js'

/** Cells of a picture's width and height. */
export const PLACES = 32
/** Angles that a turn is kept as. */
export const STORED_ANGLES = 16

/** Numbers as they are stored: 10 bits of place, 4 of turn, 3 of level. */
export interface KeptFeature {
  /** 0…31, from the left. */
  readonly column: number
  /** 0…31, from the top. */
  readonly row: number
  /** 0…15, in 16ths of a full turn. */
  readonly angle: number
  /** 0…5. */
  readonly level: number
  readonly hash: Hash256
}

export interface KeptView {
  /** In pixels of the largest level, whose longer side is at most `REGISTERED_SIDE_PX`. */
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

/** A feature where a similarity can be measured: in pixels, with its angle in 64ths of a full turn. */
export interface PlacedFeature {
  readonly x: number
  readonly y: number
  readonly angle: number
  readonly level: number
  readonly hash: Hash256
}

/** In the middles of their cells. */
export function placed({ width, height, features }: KeptView): PlacedFeature[] {
  return features.map(({ column, row, angle, level, hash }) => ({
    x: ((column + 0.5) * width) / PLACES,
    y: ((row + 0.5) * height) / PLACES,
    angle: (angle * ANGLES) / STORED_ANGLES,
    level,
    hash,
  }))
}

/** The features of a view that is asked about, as it is or as a mirror shows it. */
export function askedFeatures({ width, features }: FeatureView, isMirrored: boolean): PlacedFeature[] {
  if (!isMirrored) return features.map(({ x, y, angle, level, hash }) => ({ x, y, angle, level, hash }))
  return features.flatMap(({ x, y, angle, level, mirrored }) =>
    mirrored === undefined
      ? []
      : [{ x: width - x, y, angle: (ANGLES + ANGLES / 2 - angle) % ANGLES, level, hash: mirrored }],
  )
}

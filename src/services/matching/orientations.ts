// Rotates and mirrors the hashes of a query, so that rotated copies are found.

import { dependsOnOrientation } from '../../../packages/core/src/matching/evidence.js'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import type { View } from '../../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPES, type SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { isUpright, orientationsOf } from '../../../packages/hash/src/transforms.js'
import { queryOrientations } from '../../../packages/hash/src/views.js'

/**
 * A hash in the orientations searched for this view. They are computed from its bits alone, so they are approximations (median
 * error 16 to 22 bits).
 */
export function rotated(type: SignalType, view: View, hash: Hash256): readonly Hash256[] {
  return queryOrientations({ kind: view }, SIGNAL_TYPES[type].orientationsOf(hash))
}

/** All orientations of a hash, for any view. */
export function allOrientations(type: SignalType, hash: Hash256): readonly Hash256[] {
  return SIGNAL_TYPES[type].orientationsOf(hash)
}

/** Hashes of one signal that are searched with the same radius. */
export interface OrientationGroup {
  /** Indexes into `transforms`. */
  readonly orientations: readonly number[]
  /** Whether the picture is on its side or upside down in these orientations. */
  readonly rotated: boolean
  readonly hashes: readonly Hash256[]
}

/** The hashes of a signal, in two groups if rotated ones are searched with a smaller radius, otherwise in one. */
export function orientationGroupsOf({ type, hashes }: HashedSignal): OrientationGroup[] {
  const orientations = orientationsOf(hashes.length)
  if (!dependsOnOrientation(type)) return [{ orientations, rotated: false, hashes }]
  return [false, true]
    .map((rotated) => {
      const isOfGroup = (orientation: number) => isUpright(orientation) !== rotated
      return {
        rotated,
        orientations: orientations.filter(isOfGroup),
        hashes: hashes.filter((_, i) => isOfGroup(orientations[i] ?? 0)),
      }
    })
    .filter((group) => group.hashes.length > 0)
}

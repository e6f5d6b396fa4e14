// A picture that is asked about is asked about turned and mirrored as well.

import { blockhashDihedralsOf, dihedralsOf } from '../../../packages/hash/src/dihedral.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { isUpright, orientationsOf } from '../../../packages/hash/src/transforms.js'
import { queryOrientations } from '../../../packages/hash/src/views.js'
import { dependsOnOrientation } from '../../domain/matching/evidence.js'
import type { HashedSignal } from '../../domain/matching/hashed-image.js'
import type { View } from '../../domain/matching/signal.js'
import type { SignalType } from '../../domain/matching/signal-types.js'

/**
 * A hash that somebody sends, with what it would be if the picture were turned or mirrored. From bits alone these are
 * approximations (median error 16 to 22 bits), which is still far from chance.
 */
export function rotated(type: SignalType, view: View, hash: Hash256): readonly Hash256[] {
  return queryOrientations({ kind: view }, turn[type](hash))
}

/** All ways at once, whatever the view. */
export function allOrientations(type: SignalType, hash: Hash256): readonly Hash256[] {
  return turn[type](hash)
}

const turn: Readonly<Record<SignalType, (hash: Hash256) => readonly Hash256[]>> = {
  pdq: dihedralsOf,
  'pdq-area': dihedralsOf,
  blockhash: blockhashDihedralsOf,
  sha256: (hash) => [hash],
}

/** Hashes of one signal that are searched equally far. */
export interface OrientationGroup {
  /** By their places in `transforms`. */
  readonly orientations: readonly number[]
  /** On its side or upside down? */
  readonly rotated: boolean
  readonly hashes: readonly Hash256[]
}

/** The hashes of a signal: in two lots where a turned one is searched less far than one that is not. */
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

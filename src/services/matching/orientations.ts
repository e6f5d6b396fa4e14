// A picture that is asked about is asked about turned and mirrored as well.

import { blockhashDihedralsOf, dihedralsOf } from '../../../packages/hash/src/dihedral.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { isUpright, waysOf } from '../../../packages/hash/src/transforms.js'
import { askedTurns } from '../../../packages/hash/src/views.js'
import { dependsOnTurn } from '../../domain/matching/evidence.js'
import type { HashedSignal } from '../../domain/matching/hashed-image.js'
import type { View } from '../../domain/matching/signal.js'
import type { SignalType } from '../../domain/matching/signal-types.js'

/**
 * A hash that somebody sends, with what it would be if the picture were turned or mirrored. From bits alone these are
 * approximations (median error 16 to 22 bits), which is still far from chance.
 */
export function turned(type: SignalType, view: View, hash: Hash256): readonly Hash256[] {
  return askedTurns({ kind: view }, turn[type](hash))
}

/** All ways at once, whatever the view. */
export function allTurns(type: SignalType, hash: Hash256): readonly Hash256[] {
  return turn[type](hash)
}

const turn: Readonly<Record<SignalType, (hash: Hash256) => readonly Hash256[]>> = {
  pdq: dihedralsOf,
  'pdq-area': dihedralsOf,
  blockhash: blockhashDihedralsOf,
  sha256: (hash) => [hash],
}

/** Hashes of one signal that are searched equally far. */
export interface Lot {
  /** By their places in `transforms`. */
  readonly ways: readonly number[]
  /** On its side or upside down? */
  readonly turned: boolean
  readonly hashes: readonly Hash256[]
}

/** The hashes of a signal: in two lots where a turned one is searched less far than one that is not. */
export function lotsOf({ type, hashes }: HashedSignal): Lot[] {
  const ways = waysOf(hashes.length)
  if (!dependsOnTurn(type)) return [{ ways, turned: false, hashes }]
  return [false, true]
    .map((turned) => {
      const isOfLot = (way: number) => isUpright(way) !== turned
      return { turned, ways: ways.filter(isOfLot), hashes: hashes.filter((_, i) => isOfLot(ways[i] ?? 0)) }
    })
    .filter((lot) => lot.hashes.length > 0)
}

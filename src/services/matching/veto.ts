// A veto by harmless pictures near a query: which hits it hides.

import { isNearEdge } from '../../../packages/core/src/matching/edges.js'
import type { SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../packages/core/src/search/hit.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Searcher } from '../index/searcher.js'
import type { Observed } from './observing.js'

/** A veto by the harmless pictures near a query. */
export interface Veto {
  /** Hits at this distance or farther do not match. */
  readonly fromBits: number
}

export function isVetoed(veto: Veto | undefined, { distanceBits }: Pick<Hit, 'distanceBits'>): boolean {
  return veto !== undefined && distanceBits >= veto.fromBits
}

/**
 * Whether a hit is near the edge of a veto. Then the answer reveals which of two pictures is nearer, and so how their hashes
 * differ. An exact hit reveals nothing, because the caller has its hash.
 */
export function isAtVetoEdge(veto: Veto | undefined, { distanceBits }: Pick<Hit, 'distanceBits'>): boolean {
  return veto !== undefined && distanceBits > 0 && isNearEdge(distanceBits, veto.fromBits - 1)
}

interface AskedOf {
  readonly searcher: Pick<Searcher, 'image'>
  readonly type: SignalType
  readonly hash: Hash256 | undefined
  readonly observed: Pick<Observed, 'screened'>
}

/** Whether a hit matches despite the veto. Records a hit as an observation if the answer reveals something about the veto. */
export function isUnvetoed(veto: Veto | undefined, hit: Hit, { searcher, type, hash, observed }: AskedOf): boolean {
  if (veto === undefined) return true
  const image = searcher.image(hit.image)
  if (image === undefined) return false
  const [isAtEdge, isOver] = [isAtVetoEdge(veto, hit), isVetoed(veto, hit)]
  if (isAtEdge || isOver) observed.screened(hit.image, image.id, type, hash, isAtEdge ? 'alone' : 'none')
  return !isOver
}

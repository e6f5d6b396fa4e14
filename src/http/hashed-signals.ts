// A picture that was hashed here: what is asked about it, and which hashes its sender is told.

import { formatHash } from '../../packages/hash/src/hash256.js'
import type { HashedImage, HashedSignal } from '../domain/matching/hashed-image.js'

export function askedOf({ signals }: HashedImage, withTransforms: boolean): readonly HashedSignal[] {
  return withTransforms ? signals : signals.map((signal) => ({ ...signal, hashes: signal.hashes.slice(0, 1) }))
}

export function ownSignals({ signals }: HashedImage) {
  return signals.flatMap(({ type, view, quality, hashes: [hash] }) =>
    hash === undefined ? [] : [{ type, view, quality, hash: formatHash(hash) }],
  )
}

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

/**
 * For an image that was cut out of a longer file. The hash of the whole file is unknown, and the hash of what was kept must not pass for it, so there
 * is none. A padded file never has the hash of the original anyway.
 */
export function withoutFileHash(image: HashedImage): HashedImage {
  return { ...image, signals: image.signals.filter(({ type }) => type !== 'sha256') }
}

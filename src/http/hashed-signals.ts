// The result of hashing an uploaded picture: signals to match with, and the hashes that its sender gets.

import { formatSignalHash } from '../domain/matching/hash-text.js'
import type { HashedImage, HashedSignal } from '../domain/matching/hashed-image.js'

export function askedOf({ signals }: HashedImage, withTransforms: boolean): readonly HashedSignal[] {
  return withTransforms ? signals : signals.map((signal) => ({ ...signal, hashes: signal.hashes.slice(0, 1) }))
}

export function ownSignals({ signals }: HashedImage) {
  return signals.flatMap(({ type, view, quality, hashes: [hash] }) =>
    hash === undefined ? [] : [{ type, view, quality, hash: formatSignalHash(type, hash) }],
  )
}

/**
 * The hashes of an image that may have been cut out of a longer file. Then the hash of the file is unknown, and the hash of what was kept must not
 * pass for it, so there is none. A padded file never has the hash of the original anyway.
 */
export async function ofImage(hashing: Promise<HashedImage>, isCut: boolean): Promise<HashedImage> {
  const hashed = await hashing
  return isCut ? { ...hashed, signals: hashed.signals.filter(({ type }) => type !== 'sha256') } : hashed
}

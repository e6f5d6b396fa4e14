// The result of hashing an uploaded picture: signals to match with, and the hashes that its sender gets.

import { formatSignalHash } from '../../packages/core/src/matching/hash-text.js'
import type { HashedImage, HashedSignal } from '../../packages/core/src/matching/hashed-image.js'

export function askedOf({ signals }: HashedImage, withTransforms: boolean): readonly HashedSignal[] {
  return withTransforms ? signals : signals.map((signal) => ({ ...signal, hashes: signal.hashes.slice(0, 1) }))
}

export function ownSignals({ signals }: HashedImage) {
  return signals.flatMap(({ type, view, quality, hashes: [hash] }) =>
    hash === undefined ? [] : [{ type, view, quality, hash: formatSignalHash(type, hash) }],
  )
}

/**
 * Omits SHA-256 when the image was cut out of a longer file: it would be the hash of the part that was kept, not of the file. No match is lost: a
 * padded file has another SHA-256 than the original.
 */
export async function ofImage(hashing: Promise<HashedImage>, isCut: boolean): Promise<HashedImage> {
  const hashed = await hashing
  return isCut ? { ...hashed, signals: hashed.signals.filter(({ type }) => type !== 'sha256') } : hashed
}
